"""What an operator approves: the manifest, the command, the configuration, the line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import structlog
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from tests.factories.site_models import (
    TERMS,
    approve_folder,
    approve_program,
    complete,
    write_plain,
)
from updp_node.assemble.provenance import Provenance, describe_synthesis
from updp_node.cli import app
from updp_node.config.generators import ExternalGenerator, refuse_ambiguous
from updp_node.errors import ConfigError
from updp_node.line import make_line
from updp_node.model import Bound, Counterpart, Prompt
from updp_node.pixels.generator import load_generator
from updp_node.pixels.site.draft import draft_manifest
from updp_node.pixels.site.inspection import inspect_folder
from updp_node.pixels.site.manifest import read_manifest
from updp_node.pixels.site.opening import approve_source
from updp_node.pixels.weights import DEFAULT_FOLDER, digest_model
from updp_node.subject import ProjectKey

KEY = ProjectKey(b"s" * 32)


@pytest.fixture(autouse=True)
def _log_afterwards() -> Iterator[None]:
    """A command binds the log to the runner's standard error, which is closed afterwards."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_plain(tmp_path / "site")


@pytest.fixture
def draft(folder: Path) -> str:
    return draft_manifest(inspect_folder(folder), name="site")


def read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(text)
    read_manifest(path)


def test_a_draft_is_refused_until_it_is_completed(tmp_path: Path, draft: str) -> None:
    with pytest.raises(ConfigError):
        read(tmp_path, draft)
    read(tmp_path, complete(draft))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"licence": ""}, "licence"),
        ({"approved_by": ""}, "approved_by"),
        ({"near_copy": ""}, "near_copy"),
        ({"words": {}}, "words need an entry"),
        ({"words": {term: "same" for term in TERMS}}, "same words"),
        ({"words": {term: f"[{term}]" for term in TERMS}}, "placeholder"),
        ({"words": {term: f"___ {term}" for term in TERMS}}, "placeholder"),
        ({"template": "a chest"}, "template"),
        ({"template": "XXXX {terms}"}, "template"),
        ({"pipeline": ""}, "pipeline"),
        ({"files": {"../x": {"size_bytes": 1, "sha256": "0" * 64}}}, "below the folder"),
        ({"files": {"/etc/x": {"size_bytes": 1, "sha256": "0" * 64}}}, "below the folder"),
        ({"sampling": {"steps": 2, "guidance": 1, "rows": 64, "columns": 64}}, "rows"),
        ({"more": 1}, "more"),
    ],
)
def test_what_an_operator_must_say_is_asked(
    tmp_path: Path, draft: str, change: dict[str, object], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        read(tmp_path, complete(draft, **change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"counts": dict.fromkeys(TERMS, 99)}, "greater than or equal to 100"),
        ({"counts": {}}, "every term"),
        ({"terms": [*TERMS, "pneumothorax"]}, "each once"),
        ({"views": {"adult": ["lateral"]}}, "PA view"),
        ({"views": {}}, "same bands"),
        ({"findings": {"adult": ["cardiomegaly"]}}, "no finding"),
        ({"findings": {"elderly": TERMS[2:]}, "views": {"elderly": []}}, "adult and child"),
        ({"synonyms": {"a": "b"}}, "synonyms"),
    ],
)
def test_a_vocabulary_must_hold_together(
    tmp_path: Path, draft: str, change: dict[str, object], reason: str
) -> None:
    vocabulary = yaml.safe_load(complete(draft))["vocabulary"] | change
    with pytest.raises(ConfigError, match=reason):
        read(tmp_path, complete(draft, vocabulary=vocabulary))


def test_bits_are_counted_as_those_of_the_default_model(folder: Path) -> None:
    manifest, _ = read_manifest(approve_folder(folder).manifest)
    vocabulary = manifest.read_vocabulary()
    assert len(vocabulary.list_prompts()) == 2 * 5  # view or none; no finding, or 2 ** 2 sets
    assert vocabulary.count_bits() == pytest.approx(3.3219, abs=1e-4)
    assert vocabulary.find("Enlarged heart", "adult") == "cardiomegaly"


def test_the_text_holds_the_operators_words_and_nothing_else(folder: Path) -> None:
    manifest, _ = read_manifest(approve_folder(folder).manifest)
    assert (
        manifest.write_text(("adult", "cardiomegaly"))
        == "frontal chest radiograph, adult, cardiomegaly"
    )


def test_names_of_generators_are_their_own(tmp_path: Path) -> None:
    source = approve_program(tmp_path)
    with pytest.raises(ValueError, match="names of their own"):
        refuse_ambiguous((source, source))
    with pytest.raises(ValueError, match="default is taken"):
        refuse_ambiguous((source.model_copy(update={"name": "default"}),))
    with pytest.raises(ValidationError, match="absolute"):
        ExternalGenerator(**source.model_dump() | {"command": ("python",)})


@pytest.fixture
def profile(tmp_path: Path) -> str:
    packaged = Path("profiles/research-cxr.yaml")
    found = yaml.safe_load(packaged.read_text())
    found["name"] = "site-cxr"
    found["pixels"]["model"] = "program"
    path = tmp_path / "site-cxr.yaml"
    path.write_text(yaml.safe_dump(found))
    return str(path)


def test_a_profile_finds_its_model_in_the_configuration(tmp_path: Path, profile: str) -> None:
    source = approve_program(tmp_path / "p")
    line = make_line(profile, key=KEY, project="S", pseudonym="S-{code}", generators=(source,))
    assert (line.model, line.generator) == ("program", source)
    assert line.model_sha256 == approve_source(source) != digest_model(DEFAULT_FOLDER)
    assert load_generator(line.model, source=line.generator).sha256 == line.model_sha256
    hash(line.generator)  # the key of a cache in the worker process


def test_another_model_is_another_profile_digest(tmp_path: Path, profile: str) -> None:
    digests = set()
    for steps in (2, 3):
        source = approve_program(tmp_path / str(steps))
        text = source.manifest.read_text().replace("steps: 2", f"steps: {steps}")
        source.manifest.write_text(text)
        again = source.model_copy(update={"sha256": read_manifest(source.manifest)[1]})
        line = make_line(profile, key=KEY, project="S", pseudonym="S-{code}", generators=(again,))
        digests.add(line.profile_digest)
    assert len(digests) == 2


def test_an_object_says_that_copies_of_training_images_were_not_looked_for() -> None:
    provenance = Provenance(
        node_version="0", profile="p", profile_digest="d", generation=1,
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    said = {
        name: describe_synthesis(
            provenance,
            Counterpart(np.zeros((1, 1), np.uint8), Prompt(()), name, "0" * 64, Bound(3.3), 1),
        )
        for name in ("default", "roentgen")
    }
    assert "not tested for" in said["roentgen"]
    assert "not tested for" not in said["default"]


def test_a_model_that_the_configuration_does_not_name_refuses_to_start(profile: str) -> None:
    with pytest.raises(ConfigError, match=r"pixels\.model: no model program"):
        make_line(profile, key=KEY, project="S", pseudonym="S-{code}")


def test_a_model_that_changed_refuses_to_start(tmp_path: Path, profile: str) -> None:
    source = approve_program(tmp_path / "p")
    (tmp_path / "p/draw.py").write_text("print('something else')")
    with pytest.raises(ConfigError, match="digest that was approved"):
        make_line(profile, key=KEY, project="S", pseudonym="S-{code}", generators=(source,))


def test_the_command_inspects_writes_a_manifest_and_approves_it(
    tmp_path: Path, folder: Path
) -> None:
    runner, path = CliRunner(), tmp_path / "m.yaml"
    shown = runner.invoke(app, ["model", "inspect", str(folder), "--write-manifest", str(path)])
    assert shown.exit_code == 0, shown.output
    for part in ("pipeline StableDiffusionPipeline", "diffusers.UNet2DConditionModel",
                 "9 parameters: 1 F16, 1 F32", "nothing is refused"):  # fmt: skip
        assert part in shown.output
    again = runner.invoke(app, ["model", "inspect", str(folder), "--write-manifest", str(path)])
    assert again.exit_code != 0  # never overwritten
    path.write_text(complete(path.read_text()))
    said = runner.invoke(app, ["model", "approve", str(folder), "--manifest", str(path)])
    assert said.exit_code == 0, said.output
    section = yaml.safe_load(said.output)["generators"][0]
    assert section["sha256"] == read_manifest(path)[1]
    assert section["folder"] == str(folder)


def test_the_command_names_what_is_refused_and_writes_nothing(tmp_path: Path, folder: Path) -> None:
    (folder / "unet/evil.py").write_text("raise SystemExit")
    path = tmp_path / "m.yaml"
    shown = CliRunner().invoke(
        app, ["model", "inspect", str(folder), "--write-manifest", str(path)]
    )
    assert shown.exit_code == 1
    assert "REFUSED unet/evil.py: .py: can hold code" in shown.output
    assert not path.exists()


def test_the_command_drafts_and_approves_a_program(tmp_path: Path) -> None:
    program, path = tmp_path / "draw", tmp_path / "m.yaml"
    program.write_text("#!/bin/sh\n")
    runner = CliRunner()
    shown = runner.invoke(app, ["model", "inspect", str(program), "--write-manifest", str(path)])
    assert shown.exit_code == 0, shown.output
    path.write_text(complete(path.read_text()))
    said = runner.invoke(app, ["model", "approve", str(program), "--manifest", str(path)])
    assert yaml.safe_load(said.output)["generators"][0]["command"] == [str(program)]
    program.chmod(0o666)
    worse = runner.invoke(app, ["model", "approve", str(program), "--manifest", str(path)])
    assert worse.exit_code != 0
