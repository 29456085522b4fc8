"""Pipelines and components that may be loaded; whatever is not named here may not."""

from __future__ import annotations

from dataclasses import dataclass

DIFFUSERS_VERSIONS = ((0, 38), (0, 43))
"""From where a local ``model_index.json`` runs no code (CVE-2026-44513) to what was tried."""

SCHEDULERS = frozenset(
    {
        "DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LMSDiscreteScheduler",
        "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler",
        "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler",
        "FlowMatchEulerDiscreteScheduler",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """One component of a pipeline.

    Attributes
    ----------
    library : str
        ``diffusers`` or ``transformers``.
    classes : frozenset of str
    kind : str
        ``weights``, ``tokenizer`` or ``scheduler``: which files belong to it.
    """

    library: str
    classes: frozenset[str]
    kind: str = "weights"


PIPELINES: dict[str, dict[str, Slot]] = {
    "StableDiffusionPipeline": {
        "unet": Slot("diffusers", frozenset({"UNet2DConditionModel"})),
        "vae": Slot("diffusers", frozenset({"AutoencoderKL"})),
        "text_encoder": Slot("transformers", frozenset({"CLIPTextModel"})),
        "tokenizer": Slot(
            "transformers", frozenset({"CLIPTokenizer", "CLIPTokenizerFast"}), "tokenizer"
        ),
        "scheduler": Slot("diffusers", SCHEDULERS, "scheduler"),
    },
    "SanaPipeline": {
        "transformer": Slot("diffusers", frozenset({"SanaTransformer2DModel"})),
        "vae": Slot("diffusers", frozenset({"AutoencoderDC"})),
        "text_encoder": Slot("transformers", frozenset({"Gemma2Model"})),
        "tokenizer": Slot(
            "transformers", frozenset({"GemmaTokenizer", "GemmaTokenizerFast"}), "tokenizer"
        ),
        "scheduler": Slot("diffusers", SCHEDULERS, "scheduler"),
    },
}

IGNORED: dict[str, frozenset[tuple[str | None, str | None]]] = {
    "safety_checker": frozenset({("stable_diffusion", "StableDiffusionSafetyChecker")}),
    "feature_extractor": frozenset(
        {("transformers", "CLIPImageProcessor"), ("transformers", "CLIPFeatureExtractor")}
    ),
    "image_encoder": frozenset(),
}
"""Components of a Stable Diffusion folder that are never loaded."""

FORBIDDEN_KEYS = frozenset(
    {
        "auto_map", "trust_remote_code", "custom_pipeline", "custom_pipelines", "custom_revision",
        "quantization_config", "attn_implementation", "_attn_implementation",
        "_attn_implementation_internal", "experts_implementation", "init_inputs",
        "_experts_implementation", "kernel_config", "use_kernels", "transformers_weights",
        "base_model_name_or_path", "gguf_file", "vocab_file", "merges_file", "tokenizer_file",
        "added_tokens_file", "chat_template_file", "fast_tokenizer_files",
    }
)  # fmt: skip
"""Keys by which a configuration names code, kernels or files elsewhere."""
