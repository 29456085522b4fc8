"""Folders of strangers: what is refused, and that nothing of them is run."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.factories.site_models import INDEX, approve_folder, write_json, write_plain
from updp_node.config.generators import DiffusersGenerator
from updp_node.errors import ConfigError
from updp_node.pixels.site.approval import check_source
from updp_node.pixels.site.inspection import inspect_folder
from updp_node.pixels.site.opening import approve_source, load_vocabulary
from updp_node.pixels.site.snapshot import copy_approved
from updp_node.pixels.site.strict import UntrustedFileError, read_json, read_yaml
from updp_node.pixels.site.tensors import MAX_HEADER_BYTES, read_tensors

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_plain(tmp_path / "site")


@pytest.fixture
def source(folder: Path) -> DiffusersGenerator:
    return approve_folder(folder)


def refusals(folder: Path) -> str:
    return "; ".join(f"{place}: {reason}" for place, reason in inspect_folder(folder).refusals)


def test_a_plain_folder_is_described(folder: Path) -> None:
    inspection = inspect_folder(folder)
    assert inspection.refusals == ()
    assert inspection.pipeline == "StableDiffusionPipeline"
    unet = next(each for each in inspection.components if each.name == "unet")
    weights = next(file for file in unet.files if file.tensors)
    assert weights.tensors is not None
    assert weights.tensors.parameters == 9
    assert weights.tensors.dtypes == (("F16", 1), ("F32", 1))


def test_what_is_harmless_and_not_needed_is_not_loaded(folder: Path) -> None:
    (folder / "README.md").write_text("about")
    write_json(folder / "safety_checker/config.json", {"a": 1})
    inspection = inspect_folder(folder)
    assert inspection.refusals == ()
    assert {file.path for file in inspection.unused} == {"README.md", "safety_checker/config.json"}
    assert not {file.path for file in inspection.loaded} & {"README.md"}


@pytest.mark.parametrize(
    "name",
    ["unet/model.py", "unet/weights.bin", "unet/a.pkl", "vae/a.pt", "a.pth", "b.ckpt", "c.so",
     "unet/UPPER.PY", "chat_template.jinja", "a.exe", "noending", "unet/.hidden.json",
     ".git/config"],
)  # fmt: skip
def test_files_that_can_hold_code_or_are_not_on_the_list_refuse_the_folder(
    folder: Path, name: str
) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"import os; os.system('touch /tmp/never')")
    assert name in refusals(folder)


def test_a_link_that_leaves_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    (folder / "unet/config.json").unlink()
    (folder / "unet/config.json").symlink_to(outside)
    assert "unet/config.json: a link" in refusals(folder)


def test_a_link_within_the_folder_and_to_a_folder_is_refused_too(folder: Path) -> None:
    (folder / "vae2").symlink_to(folder / "vae")
    assert "vae2: a link" in refusals(folder)


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)
    assert "link" in refusals(tmp_path / "alias")


def test_hard_links_are_files(folder: Path, tmp_path: Path) -> None:
    os.link(folder / UNET, tmp_path / "copy.safetensors")
    assert refusals(folder) == ""


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "unet/generation_config.json")
    assert "no regular file" in refusals(folder)


def test_deep_folders_and_many_files_are_refused(folder: Path) -> None:
    (folder / "a/b/c/d").mkdir(parents=True)
    assert "nested too deep" in refusals(folder)
    for number in range(520):
        (folder / f"{number}.txt").touch()
    assert "more than 500 files" in refusals(folder)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("unet", ["diffusers", 7], "no string"),
        ("unet", ["diffusers", ["UNet2DConditionModel"]], "no string"),
        ("unet", ["diffusers", {"a": "b"}], "no string"),
        ("_class_name", ["my_pipeline", "MyPipeline"], "no string"),
        ("_class_name", "OnnxStableDiffusionPipeline", "not on the list"),
        ("unet", ["my_module", "UNet2DConditionModel"], "another library"),
        ("unet", ["diffusers", "UNet3DConditionModel"], "a class that is not on the list"),
        ("unet", ["os", "system"], "another library"),
        ("controlnet", ["diffusers", "ControlNetModel"], "not on the list"),
        ("safety_checker", ["os", "system"], "not on the list"),
        ("_custom", "x", "underscore"),
        ("force", {"a": 1}, "neither"),
        ("vae", None, "no vae"),
    ],
)
def test_an_index_that_names_something_else_is_refused(
    folder: Path, key: str, value: object, reason: str
) -> None:
    write_json(folder / "model_index.json", INDEX | {key: value})
    found = refusals(folder)
    assert "model_index.json" in found
    assert reason in found


def test_the_safety_checker_of_the_usual_folders_is_known_and_not_loaded(folder: Path) -> None:
    known = {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
             "feature_extractor": ["transformers", "CLIPImageProcessor"]}  # fmt: skip
    write_json(folder / "model_index.json", INDEX | known)
    assert refusals(folder) == ""


@pytest.mark.parametrize(
    "key",
    ["auto_map", "trust_remote_code", "custom_pipeline", "quantization_config",
     "attn_implementation", "transformers_weights"],
)  # fmt: skip
def test_a_configuration_that_names_code_is_refused_at_any_depth(folder: Path, key: str) -> None:
    write_json(folder / "vae/config.json", {"_class_name": "AutoencoderKL", "x": [{key: "a/b"}]})
    assert f"vae/config.json: the key {key}" in refusals(folder)


def test_a_word_of_the_vocabulary_may_be_called_anything(folder: Path) -> None:
    words = json.loads((folder / "tokenizer/vocab.json").read_text())
    write_json(folder / "tokenizer/vocab.json", words | {"auto_map": 500})
    assert refusals(folder) == ""


def test_a_component_that_claims_another_class_is_refused(folder: Path) -> None:
    write_json(folder / "vae/config.json", {"_class_name": "AsymmetricAutoencoderKL"})
    assert "vae: its configuration names another class" in refusals(folder)


def test_shards_elsewhere_are_refused(folder: Path) -> None:
    write_json(
        folder / "unet/diffusion_pytorch_model.safetensors.index.json",
        {"weight_map": {"w": "../../elsewhere.safetensors"}},
    )
    assert "unet: an index of unet that names other files" in refusals(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1, "a": 2}', "a key twice"),
        (b"[" * 40 + b"]" * 40, "nested deeper"),
        (b"[" * 500_000, "nested deeper"),
        (b'{"a": NaN}', "a number that JSON has not"),
        (b"{", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
    ],
)
def test_json_is_small_shallow_and_has_every_key_once(
    folder: Path, content: bytes, reason: str
) -> None:
    (folder / "unet/config.json").write_bytes(content)
    assert reason in refusals(folder)


def test_a_file_larger_than_its_kind_is_not_read(folder: Path) -> None:
    with (folder / "unet/config.json").open("wb") as file:
        file.truncate(1 << 40)  # sparse
    assert "unet/config.json: larger than its kind may be" in refusals(folder)


def test_yaml_with_an_alias_or_a_tag_is_refused() -> None:
    for text in (b"a: &x [1]\nb: *x", b"a: 1\na: 2", b"!!python/object/apply:os.system ['ls']"):
        with pytest.raises(UntrustedFileError):
            read_yaml(text)
    with pytest.raises(UntrustedFileError, match="more than"):
        read_json(b" " * 2_000_000)


def header(entries: object, data: int = 12, length: int | None = None) -> bytes:
    text = json.dumps(entries).encode() if not isinstance(entries, bytes) else entries
    return struct.pack("<Q", len(text) if length is None else length) + text + bytes(data)


def tensor(start: int, stop: int, shape: object = (3,), dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"abc", "longer than the file"),
        (header({}, 0, 2**63), "longer than the file"),
        (header({"a": tensor(0, 12), "b": tensor(4, 16)}, 16), "overlap"),
        (header({"a": tensor(0, 12), "b": tensor(0, 12)}), "overlap"),
        (header({"a": tensor(4, 16)}, 16), "gaps"),
        (header({"a": tensor(0, 12)}, 8), "fill the file"),
        (header({"a": tensor(0, 12)}, 13), "fill the file"),
        (header({"a": tensor(0, 8)}, 8), "disagrees with its shape"),
        (header({"a": tensor(-12, 0)}), "odd offsets"),
        (header({"a": tensor(0, 12, [-3])}), "odd shape"),
        (header({"a": tensor(0, 12, [1] * 20)}), "odd shape"),
        (header({"a": tensor(0, 12, [True, 3])}), "odd shape"),
        (header({"a": tensor(0, 12, [3], "OBJECT")}), "unknown type"),
        (header({"a": tensor(0, 12) | {"code": "x"}}), "without dtype"),
        (header({"a": 1}), "without dtype"),
        (header(b'{"a":{}, "a":{}}'), "a key twice"),
        (header({"__metadata__": {"format": 1}}, 0), "metadata"),
        (header(b"[]", 0), "no object"),
    ],
)
def test_a_header_that_lies_is_refused(folder: Path, content: bytes, reason: str) -> None:
    (folder / UNET).write_bytes(content)
    assert reason in refusals(folder)


def test_an_oversized_header_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", MAX_HEADER_BYTES + 1))
        file.truncate(100 << 20)  # sparse
    with path.open("rb") as file, pytest.raises(UntrustedFileError, match="25 MiB"):
        read_tensors(file.fileno(), 100 << 20)


def test_an_approved_folder_passes_and_has_a_digest(source: DiffusersGenerator) -> None:
    assert check_source(source).name == "site"
    assert load_vocabulary(source).bands == ("adult",)
    assert load_vocabulary(None).bands == ("adult", "child")


def flip(folder: Path) -> None:
    content = bytearray((folder / UNET).read_bytes())
    content[-1] ^= 1
    (folder / UNET).write_bytes(content)


CHANGES: dict[str, Callable[[Path], object]] = {
    "one bit of the weights": flip,
    "a file more": lambda folder: write_json(folder / "text_encoder/generation_config.json", {}),
    "a file less": lambda folder: (folder / "tokenizer/merges.txt").unlink(),
    "code": lambda folder: (folder / "unet/unet.py").touch(),
    "another scheduler": lambda folder: write_json(
        folder / "model_index.json", INDEX | {"scheduler": ["diffusers", "DDPMScheduler"]}
    ),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_folder_that_changed_after_the_approval_refuses_to_start(
    source: DiffusersGenerator, change: str
) -> None:
    CHANGES[change](source.folder)
    with pytest.raises(ConfigError):
        approve_source(source)


def test_a_manifest_that_changed_after_the_approval_refuses_to_start(
    source: DiffusersGenerator,
) -> None:
    source.manifest.write_text(source.manifest.read_text() + "\n")
    with pytest.raises(ConfigError, match="not the manifest that was approved"):
        approve_source(source)


def test_the_copy_holds_what_was_hashed_and_nothing_else(source: DiffusersGenerator) -> None:
    files = check_source(source).files
    (source.folder / "unet/late.json").write_text("{}")
    with copy_approved(source.folder, files) as copy:
        flip(source.folder)  # after the check, before the loading
        found = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
        assert found == set(files)
        assert (copy / UNET).read_bytes() != (source.folder / UNET).read_bytes()
        assert copy.stat().st_mode & 0o077 == 0
    assert not copy.exists()
    with (
        pytest.raises(ConfigError, match="digest that was approved"),
        copy_approved(source.folder, files),
    ):
        pass


def test_a_file_that_became_a_link_is_not_copied(
    source: DiffusersGenerator, tmp_path: Path
) -> None:
    files = check_source(source).files
    (source.folder / UNET).rename(tmp_path / "moved")
    (source.folder / UNET).symlink_to(tmp_path / "moved")
    with pytest.raises(ConfigError, match="cannot be opened"), copy_approved(source.folder, files):
        pass
