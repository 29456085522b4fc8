"""Tiny generators of a site: diffusers folders and a program, made from nothing.

`write_plain` needs no transformers: a folder that passes inspection and is never loaded.
`write_stable_diffusion` and `write_sana` are real pipelines of a few thousand parameters.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from updp_node.config.generators import DiffusersGenerator, ExternalGenerator
from updp_node.pixels.site.draft import draft_manifest, draft_program
from updp_node.pixels.site.inspection import inspect_folder
from updp_node.pixels.site.manifest import read_manifest

TERMS = ["adult", "PA view", "no finding", "cardiomegaly", "pleural effusion"]
WORDS = ["<|startoftext|>", "<|endoftext|>"]

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.1",
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "scheduler": ["diffusers", "DDIMScheduler"],
}


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_plain(folder: Path) -> Path:
    """A folder that holds what a Stable Diffusion folder holds, with weights of no use."""
    from safetensors.numpy import save_file  # noqa: PLC0415

    write_json(folder / "model_index.json", INDEX)
    weights = {"w": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.zeros(3, np.float32)}
    for name, file in (
        ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):  # fmt: skip
        config = {"_class_name": INDEX[name][1]} if name != "text_encoder" else {}
        write_json(folder / name / "config.json", {**config, "architectures": [INDEX[name][1]]})
        save_file(weights, folder / name / f"{file}.safetensors")
    write_json(folder / "scheduler/scheduler_config.json", {"_class_name": "DDIMScheduler"})
    _write_tokenizer(folder / "tokenizer")
    return folder


def _write_tokenizer(folder: Path) -> None:
    """Bytes as letters, no merges: every word is spelt."""
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), *WORDS]
    write_json(folder / "vocab.json", {word: number for number, word in enumerate(words)})
    (folder / "merges.txt").write_text("#version: 0.2\n")
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": WORDS[1],
            "bos_token": WORDS[0], "eos_token": WORDS[1], "unk_token": WORDS[1],
        },
    )  # fmt: skip


def write_stable_diffusion(folder: Path, *, seed: int = 0) -> Path:
    """A real StableDiffusionPipeline that draws blots."""
    import torch  # noqa: PLC0415
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel  # noqa: PLC0415
    from transformers import CLIPTextConfig, CLIPTextModel  # noqa: PLC0415

    torch.manual_seed(seed)
    parts: dict[str, Any] = {
        "unet": UNet2DConditionModel(
            sample_size=32, in_channels=4, out_channels=4, layers_per_block=1,
            block_out_channels=(8, 16), norm_num_groups=4, cross_attention_dim=16,
            attention_head_dim=4, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        "vae": AutoencoderKL(
            block_out_channels=(4, 4, 4, 4), norm_num_groups=2, latent_channels=4,
            layers_per_block=1, down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        ),
        "text_encoder": CLIPTextModel(
            CLIPTextConfig(
                vocab_size=190, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                num_attention_heads=2, max_position_embeddings=77, bos_token_id=188,
                eos_token_id=189, pad_token_id=189, projection_dim=16,
            )
        ),
        "scheduler": DDIMScheduler(clip_sample=False, steps_offset=1),
    }  # fmt: skip
    _strengthen(parts["vae"].decoder, parts["text_encoder"], parts["unet"])
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    _write_tokenizer(folder / "tokenizer")
    write_json(folder / "model_index.json", INDEX)
    return folder


def write_sana(folder: Path, *, seed: int = 0) -> Path:
    """A real SanaPipeline with a small Gemma."""
    import torch  # noqa: PLC0415
    from diffusers import (  # noqa: PLC0415
        AutoencoderDC,
        FlowMatchEulerDiscreteScheduler,
        SanaTransformer2DModel,
    )
    from transformers import Gemma2Config, Gemma2Model  # noqa: PLC0415

    torch.manual_seed(seed)
    parts: dict[str, Any] = {
        "transformer": SanaTransformer2DModel(
            patch_size=1, in_channels=4, out_channels=4, num_layers=1, num_attention_heads=2,
            attention_head_dim=4, num_cross_attention_heads=2, cross_attention_head_dim=4,
            cross_attention_dim=8, caption_channels=8, sample_size=32,
        ),
        "vae": AutoencoderDC(
            in_channels=3, latent_channels=4, attention_head_dim=2,
            encoder_block_types=("ResBlock", "EfficientViTBlock"),
            decoder_block_types=("ResBlock", "EfficientViTBlock"),
            encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8),
            encoder_qkv_multiscales=((), (5,)), decoder_qkv_multiscales=((), (5,)),
            encoder_layers_per_block=(1, 1), decoder_layers_per_block=[1, 1],
            downsample_block_type="conv", upsample_block_type="interpolate",
            decoder_norm_types="rms_norm", decoder_act_fns="silu", scaling_factor=0.41407,
        ),
        "text_encoder": Gemma2Model(
            Gemma2Config(
                vocab_size=300, hidden_size=8, intermediate_size=16, num_hidden_layers=1,
                num_attention_heads=2, num_key_value_heads=1, head_dim=4,
                max_position_embeddings=512, query_pre_attn_scalar=4,
            )
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
    }  # fmt: skip
    _strengthen(parts["vae"].decoder, parts["text_encoder"], parts["transformer"])
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    _write_gemma_tokenizer(folder / "tokenizer")
    index = {
        "_class_name": "SanaPipeline",
        "_diffusers_version": "0.42.1",
        **{name: ["diffusers", type(parts[name]).__name__] for name in parts},
        "text_encoder": ["transformers", "Gemma2Model"],
        "tokenizer": ["transformers", "GemmaTokenizer"],
    }
    write_json(folder / "model_index.json", index)
    return folder


def _write_gemma_tokenizer(folder: Path) -> None:
    from transformers import GemmaTokenizer  # noqa: PLC0415

    marks = ["<pad>", "<eos>", "<bos>", "<unk>"]
    letters = [chr(code) for code in range(33, 127)] + ["▁"]
    GemmaTokenizer(
        vocab={word: number for number, word in enumerate([*marks, *letters])}, merges=[]
    ).save_pretrained(folder)


def _strengthen(*parts: Any) -> None:
    """Untrained networks draw even grey: larger weights make blots that follow the prompt."""
    import torch  # noqa: PLC0415

    with torch.no_grad():
        for part in parts:
            for parameter in part.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(2.0)


def write_lora(folder: Path, module: str, *, rows: int, columns: int, rank: int = 2) -> None:
    """A low-rank change of one weight, as diffusers names it."""
    from safetensors.numpy import save_file  # noqa: PLC0415

    (folder / "lora").mkdir()
    dice = np.random.default_rng(0)
    save_file(
        {
            f"{module}.lora_A.weight": dice.normal(size=(rank, columns)).astype(np.float32),
            f"{module}.lora_B.weight": dice.normal(size=(rows, rank)).astype(np.float32),
        },
        folder / "lora/pytorch_lora_weights.safetensors",
    )


def complete(draft: str, **changes: Any) -> str:
    """A drafted manifest with everything that an operator adds."""
    manifest = yaml.safe_load(draft)
    manifest |= {
        "licence": "made for a test",
        "near_copy": "not tested",
        "approved_by": "A. Tester",
        "approved_on": "2026-11-23",
        "vocabulary": {
            "terms": TERMS,
            "views": {"adult": ["PA view"]},
            "findings": {"adult": TERMS[2:]},
            "synonyms": {"enlarged heart": "cardiomegaly"},
            "counts": dict.fromkeys(TERMS, 100),
        },
        "words": {term: term for term in TERMS},
        "sampling": {"steps": 2, "guidance": 3.0, "rows": 256, "columns": 256},
    }
    return yaml.safe_dump(manifest | changes, sort_keys=False)


def approve_folder(folder: Path, *, name: str = "site", **changes: Any) -> DiffusersGenerator:
    """The section of the configuration for a folder, its manifest written beside it."""
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(complete(draft_manifest(inspect_folder(folder), name=name), **changes))
    return DiffusersGenerator(
        name=name, type="diffusers", folder=folder, manifest=path, sha256=read_manifest(path)[1]
    )


PROGRAM = """\
import base64, json, random, struct, sys, zlib

def png(rows, columns, seed):
    dice = random.Random(seed)
    blocks = [[dice.randrange(65536) for _ in range(8)] for _ in range(8)]
    line = lambda row: b"\\0" + b"".join(
        struct.pack(">H", value) * (columns // 8) for value in blocks[row * 8 // rows])
    body = zlib.compress(b"".join(line(row) for row in range(rows)))
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    head = struct.pack(">II5B", columns, rows, 16, 0, 0, 0, 0)
    return (b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body)
            + chunk(b"IEND", b""))

def answer(request):
    if "hello" in request:
        return {"id": request["id"], "protocol": 1}
    key = json.dumps([request["terms"], request["seed"]])
    image = png(request["rows"], request["columns"], key)
    return {"id": request["id"], "png": base64.b64encode(image).decode()}

for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(answer(request)), flush=True)
"""


def approve_program(
    folder: Path, source: str = PROGRAM, *, name: str = "program", timeout_s: float = 20
) -> ExternalGenerator:
    """The section of the configuration for a program, its manifest written beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "draw.py"
    script.write_text(source)
    python = Path(sys.executable).resolve()
    path = folder / "program.yaml"
    path.write_text(complete(draft_program([python, script], name=name)))
    return ExternalGenerator(
        name=name, type="external", command=(str(python), "-S", str(script)), manifest=path,
        sha256=read_manifest(path)[1], timeout_s=timeout_s, start_timeout_s=20,
    )  # fmt: skip
