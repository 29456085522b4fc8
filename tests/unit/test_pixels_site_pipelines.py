"""Real tiny pipelines of diffusers, loaded as a site's own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import structlog

from tests.factories.site_models import (
    INDEX,
    TERMS,
    approve_folder,
    write_json,
    write_lora,
    write_sana,
    write_stable_diffusion,
)
from updp_node.errors import ConfigError
from updp_node.model import Prompt
from updp_node.pixels.site import loading
from updp_node.pixels.site.generator import SiteGenerator, to_luminance
from updp_node.pixels.site.inspection import inspect_folder
from updp_node.pixels.site.opening import open_generator

pytest.importorskip(
    "transformers",
    reason="transformers is not installed (extra site-models): no site's pipeline is loaded here",
)

PROMPT = Prompt(("adult", "cardiomegaly"))
ATTENTION = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v"


@pytest.fixture(autouse=True)
def _log_anew() -> None:
    """A command that ran before may have bound the log to a stream that is closed."""
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_stable_diffusion(tmp_path / "sd")


def test_the_pipeline_is_put_together_of_concrete_classes(folder: Path) -> None:
    generator = open_generator(approve_folder(folder), threads=1)
    assert isinstance(generator, SiteGenerator)
    pipeline = generator._pipeline
    assert type(pipeline).__name__ == "StableDiffusionPipeline"
    assert pipeline.safety_checker is None
    assert pipeline.feature_extractor is None
    assert not any(module.training for module in (pipeline.unet, pipeline.vae))
    assert generator.generate(PROMPT, 1).shape == (256, 256)


def test_the_hub_is_off(folder: Path) -> None:
    open_generator(approve_folder(folder), threads=1)
    from huggingface_hub import is_offline_mode  # noqa: PLC0415

    assert is_offline_mode()
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_a_folder_built_by_diffusers_itself_passes_inspection(folder: Path) -> None:
    generator = open_generator(approve_folder(folder), threads=1)
    assert isinstance(generator, SiteGenerator)
    saved = folder.parent / "saved"
    generator._pipeline.save_pretrained(saved)
    assert inspect_folder(saved).refusals == ()
    again = open_generator(approve_folder(saved), threads=1)
    assert np.array_equal(again.generate(PROMPT, 5), generator.generate(PROMPT, 5))


def test_a_sana_pipeline_is_loaded_with_its_gemma(tmp_path: Path) -> None:
    generator = open_generator(approve_folder(write_sana(tmp_path / "sana")), threads=1)
    first, second = (generator.generate(PROMPT, seed) for seed in (1, 1))
    assert first.shape == (256, 256)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, generator.generate(PROMPT, 2))


def test_a_base_with_lora_draws_something_else_by_its_scale(folder: Path) -> None:
    plain = open_generator(approve_folder(folder), threads=1)
    write_lora(folder, ATTENTION, rows=16, columns=16)
    drawn = []
    for scale in (0.0, 1.0):
        source = approve_folder(folder, lora_scale=scale)
        drawn.append(open_generator(source, threads=1).generate(PROMPT, 3))
    assert "lora/pytorch_lora_weights.safetensors" in source.manifest.read_text()
    assert np.array_equal(plain.generate(PROMPT, 3), drawn[0])
    assert np.abs(drawn[0].astype(int) - drawn[1].astype(int)).mean() > 1


@pytest.mark.parametrize(
    ("module", "rows", "reason"),
    [
        (ATTENTION, 24, "another shape"),
        ("unet.nowhere.to_v", 16, "not in the model"),
        ("unet.down_blocks.1.attentions.0.__class__", 16, "not in the model"),
        ("vae.decoder.conv_in", 16, "unknown name"),
    ],
)
def test_a_lora_that_does_not_fit_refuses_to_start(
    folder: Path, module: str, rows: int, reason: str
) -> None:
    write_lora(folder, module, rows=rows, columns=16)
    with pytest.raises(ConfigError, match=reason):
        open_generator(approve_folder(folder), threads=1)


def test_weights_that_are_missing_are_not_invented(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    path = folder / "unet/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, path)
    with pytest.raises(ConfigError, match="unet: missing keys"):
        open_generator(approve_folder(folder), threads=1)


def test_weights_of_another_shape_refuse_to_start(folder: Path) -> None:
    path = folder / "unet/config.json"
    write_json(path, json.loads(path.read_text()) | {"cross_attention_dim": 24})
    with pytest.raises(ConfigError, match=r"does not load|mismatched"):
        open_generator(approve_folder(folder), threads=1)


def test_a_prompt_that_would_be_cut_refuses_to_start(folder: Path) -> None:
    words = {term: f"{term} {'long ' * 12}".strip() for term in TERMS}
    with pytest.raises(ConfigError, match="tokens"):
        open_generator(approve_folder(folder, words=words), threads=1)


def test_an_older_diffusers_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = approve_folder(folder)
    monkeypatch.setattr(loading.metadata, "version", lambda _: "0.37.1")
    with pytest.raises(ConfigError, match=r"diffusers 0\.37\.1"):
        open_generator(source, threads=1)


def test_code_in_a_folder_is_never_run(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (folder / "unet/unet.py").write_text(f"open({str(mark)!r}, 'w')")
    write_json(folder / "model_index.json", INDEX | {"unet": ["unet", "UNet2DConditionModel"]})
    with pytest.raises(ConfigError, match="refused"):
        open_generator(approve_folder_by_hand(folder), threads=1)
    assert not mark.exists()


def approve_folder_by_hand(folder: Path):  # type: ignore[no-untyped-def]
    """A manifest that an attacker wrote for a hostile folder, with every digest right."""
    import hashlib  # noqa: PLC0415

    import yaml  # noqa: PLC0415

    from updp_node.pixels.site.manifest import read_manifest  # noqa: PLC0415

    other = write_stable_diffusion(folder.parent / "innocent")
    source = approve_folder(other)
    manifest = yaml.safe_load(source.manifest.read_text())
    files = [path for path in folder.rglob("*") if path.is_file()]
    manifest["files"] = {
        str(path.relative_to(folder)): {
            "size_bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    }
    source.manifest.write_text(yaml.safe_dump(manifest))
    return source.model_copy(update={"folder": folder, "sha256": read_manifest(source.manifest)[1]})


def test_a_picture_that_is_no_number_is_blank() -> None:
    broken = np.full((4, 4, 3), np.nan, dtype=np.float32)
    assert to_luminance(broken).max() == 0
    assert to_luminance(np.ones((4, 4, 3), np.float32)).min() == 255
