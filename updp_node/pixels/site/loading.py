"""From a private copy to a pipeline; the only module here that imports diffusers.

The pipeline's own ``from_pretrained``, which reads class names from files, is never called:
each component is loaded by its concrete class, and the pipeline is put together from them.
"""

from __future__ import annotations

import os
import re
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from updp_node.errors import ConfigError
from updp_node.pixels.site.classes import DIFFUSERS_VERSIONS, PIPELINES
from updp_node.pixels.site.inspection import LORA, Component, Inspection, inspect_folder
from updp_node.pixels.site.lora import add_lora
from updp_node.pixels.site.manifest import Manifest
from updp_node.pixels.site.snapshot import copy_approved
from updp_node.pixels.site.strict import UntrustedFileError

if TYPE_CHECKING:
    import torch

_OFFLINE = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "DO_NOT_TRACK": "1",
}  # fmt: skip


def load_pipeline(folder: Path, manifest: Manifest, *, device: str) -> Any:
    """Load an approved pipeline.

    Parameters
    ----------
    folder : pathlib.Path
        Read once, into a private copy; only the copy is loaded.
    manifest : Manifest
    device : str
        ``cpu``: float32; ``cuda``: bfloat16.

    Returns
    -------
    diffusers.DiffusionPipeline

    Raises
    ------
    ConfigError
        A file differs from what was approved, the copy does not pass the inspection, a
        library is absent or too old, or a component does not load completely.
    """
    check_libraries(manifest.pipeline)
    os.environ.update(_OFFLINE)
    import_module("huggingface_hub.constants").__dict__["HF_HUB_OFFLINE"] = True
    _silence()
    with copy_approved(folder, manifest.files) as copy:
        inspection = inspect_folder(copy)
        if inspection.refusals:
            place, reason = inspection.refusals[0]
            raise ConfigError(f"refused: {reason}", file=str(folder / place))
        if {each.name: each.class_name for each in inspection.components} != manifest.components:
            raise ConfigError("other components than were approved", file=str(folder))
        try:
            pipeline = _put_together(copy, inspection, manifest, device)
            _check_length(pipeline, manifest)
        except UntrustedFileError as error:
            raise ConfigError(f"refused: {error}", file=str(folder)) from None
        except (ValueError, TypeError, KeyError, RuntimeError, OSError, AttributeError) as error:
            kind = type(error).__name__
            raise ConfigError(f"does not load: {kind}", file=str(folder)) from error
    return pipeline


def check_libraries(pipeline: str) -> None:
    """Refuse libraries that are absent or were not tried; imports none of them.

    Raises
    ------
    ConfigError
        diffusers out of range, or no transformers.
    """
    oldest, beyond = DIFFUSERS_VERSIONS
    found = metadata.version("diffusers")
    numbers = tuple(int(each) for each in re.findall(r"\d+", found)[:2])
    if not oldest <= numbers < beyond:
        raise ConfigError(f"diffusers {found} is not between 0.38 and 0.42", key=pipeline)
    if any(slot.library == "transformers" for slot in PIPELINES[pipeline].values()):
        try:
            metadata.version("transformers")
        except metadata.PackageNotFoundError:
            raise ConfigError("needs transformers: updp-node[site-models]", key=pipeline) from None


def _silence() -> None:
    """Transformers would draw progress bars and tell of what it finds."""
    told = import_module("transformers.utils.logging")
    told.disable_progress_bar()
    told.set_verbosity(50)


def _check_length(pipeline: Any, manifest: Manifest) -> None:
    """No prompt is cut: a term that the text encoder never sees would be drawn as absent."""
    limit = min(int(pipeline.tokenizer.model_max_length), 300)
    vocabulary = manifest.vocabulary
    for band, findings in vocabulary.findings.items():
        view = sorted(vocabulary.views[band], key=lambda term: len(manifest.words[term]))[-1:]
        text = manifest.write_text((band, *view, *findings))
        if len(pipeline.tokenizer(text).input_ids) > limit:
            raise UntrustedFileError(f"prompts longer than the text encoder's {limit} tokens")


def _put_together(copy: Path, inspection: Inspection, manifest: Manifest, device: str) -> Any:
    import torch  # noqa: PLC0415 - torch only when needed

    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    parts = {each.name: _load(copy, each, inspection.pipeline, dtype)
             for each in inspection.components}  # fmt: skip
    if inspection.lora:
        add_lora(parts, _read_lora(copy), scale=manifest.lora_scale)
    extra: dict[str, Any] = {}
    if inspection.pipeline == "StableDiffusionPipeline":
        extra = {
            "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False
        }  # fmt: skip
    pipeline = getattr(import_module("diffusers"), inspection.pipeline)(**parts, **extra)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(device)
    if device == "cpu":
        for name in ("unet", "transformer", "vae"):
            if name in parts:
                parts[name].to(memory_format=torch.channels_last)
    return pipeline


def _load(copy: Path, component: Component, pipeline: str, dtype: torch.dtype) -> Any:
    """One component by its concrete class; weights that are missing are never invented."""
    kind = PIPELINES[pipeline][component.name].kind
    concrete = getattr(import_module(component.library), component.class_name)
    where = str(copy / component.name)
    if kind == "scheduler":
        return concrete.from_pretrained(where, local_files_only=True)
    if kind == "tokenizer":
        return concrete.from_pretrained(where, local_files_only=True, trust_remote_code=False)
    model, told = concrete.from_pretrained(
        where, local_files_only=True, use_safetensors=True, output_loading_info=True,
        **_settings(component.library, dtype),
    )  # fmt: skip
    for fault in ("missing_keys", "mismatched_keys", "error_msgs"):
        if told.get(fault):
            raise UntrustedFileError(f"{component.name}: {fault.replace('_', ' ')}")
    model.eval().requires_grad_(False)
    return model


def _settings(library: str, dtype: torch.dtype) -> dict[str, Any]:
    if library == "transformers":
        return {"dtype": dtype, "trust_remote_code": False, "attn_implementation": "eager"}
    return {"torch_dtype": dtype, "low_cpu_mem_usage": False}


def _read_lora(copy: Path) -> dict[str, torch.Tensor]:
    """All tensors of ``lora/``; a name may stand once."""
    from safetensors.torch import load  # noqa: PLC0415 - torch only when needed

    found: dict[str, torch.Tensor] = {}
    for path in sorted((copy / LORA).glob("*.safetensors")):
        tensors = load(path.read_bytes())
        if found.keys() & tensors.keys():
            raise UntrustedFileError("a LoRA tensor twice")
        found |= tensors
    return found
