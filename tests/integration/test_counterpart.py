"""One radiograph and its report through all seven steps: from findings to a new object."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from pydicom import dcmread

from tests.factories import chest_cr, patient, text_sr, write
from updp_node.config import packaged_policy
from updp_node.crew import Crew
from updp_node.errors import ConfigError, InstanceError
from updp_node.line import Line, make_line
from updp_node.model import Prompt
from updp_node.pipeline import ExamineTask, examine
from updp_node.pixels.workshop import SynthesisTask, synthesize
from updp_node.plan import Examined, Fate, History, decide
from updp_node.run_mapping import grant_prompts, propose_prompts
from updp_node.single import Made, make_counterpart
from updp_node.subject import ProjectKey

REPORT = "Small left pleural effusion. No pneumothorax. The heart is enlarged."
DEMANDED = ("adult", "PA view", "pleural effusion")


def compile_line(folder: Path, **anonymity: object) -> Line:
    profile = yaml.safe_load((packaged_policy() / "research-cxr.yaml").read_text())
    profile["pixels"]["anonymity"] |= anonymity
    path = folder / f"{len(list(folder.iterdir()))}.yaml"
    path.write_text(yaml.safe_dump(profile))
    key = ProjectKey(bytes(32))
    return make_line(str(path), key=key, project="trial", pseudonym="{project}-{code}")


@dataclass
class Bench:
    folder: Path
    crew: Crew
    line: Line

    def examine(self, number: int, text: str | None = REPORT, view: str = "PA") -> list[Examined]:
        """A radiograph of a patient and, with a text, its report."""
        person = patient(patient_id=f"77{number:06}", accession=f"ACQ{number:06}")
        image = chest_cr(patient=person, study_uid=f"1.2.3.{number}", view=view)
        instances = [image]
        if text is not None:
            instances.append(text_sr(text, references=[image], patient=person))
        paths = [write(each, self.folder / f"{number}-{n}.dcm") for n, each in enumerate(instances)]
        found = list(self.crew.map_cpu(examine, [ExamineTask(path, self.line) for path in paths]))
        assert not [each for each in found if isinstance(each, InstanceError)]
        return [each for each in found if isinstance(each, Examined)]

    def propose(self, instances: list[Examined]) -> Prompt:
        (prompt,) = propose_prompts(
            self.line, self.crew, instances, History(), may_wait=False
        ).values()
        assert isinstance(prompt, Prompt)
        return prompt


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder, crew = tmp_path_factory.mktemp("bench"), Crew()
    yield Bench(folder, crew, compile_line(tmp_path_factory.mktemp("profiles")))
    crew.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Path]:
    """The command's work: a counterpart explained, of a prompt too rare for its profile."""
    folder = tmp_path_factory.mktemp("made")
    line = compile_line(tmp_path_factory.mktemp("profiles"), k_min=1000)
    image = write(chest_cr(), folder / "image.dcm")
    report = folder / "report.txt"
    report.write_text("Pneumonia with a pleural effusion. The heart is enlarged.")
    made = make_counterpart(image, report, line, folder / "out.dcm", explain_in=folder / "told")
    return made, folder


def test_the_report_settles_the_prompt(bench: Bench) -> None:
    prompt = bench.propose(bench.examine(1))
    assert prompt.terms == DEMANDED
    assert "cardiomegaly" in prompt.unrendered


def test_without_a_report_the_image_suggests_an_admissible_prompt_that_says_something(
    bench: Bench,
) -> None:
    prompt = bench.propose(bench.examine(2, None, view="AP"))
    assert prompt.terms[:2] == ("adult", "AP view")
    assert len(prompt.terms) > 2
    assert bench.propose(bench.examine(2, None, view="AP")) == prompt


def test_the_raw_candidate_of_two_patients_with_one_prompt_and_seed_is_the_same(
    bench: Bench,
) -> None:
    """The bound by construction: nothing but prompt and seed reaches the generator."""
    seed, drawn = secrets.randbits(63), []
    for number in (3, 4):
        prompt = bench.propose(bench.examine(number))
        task = SynthesisTask(bench.line.tools, prompt, seed, max_candidates=16)
        assert set(task.__slots__) == {"tools", "prompt", "seed", "max_candidates", "threads"}
        (counterpart,) = bench.crew.map_synthesis(synthesize, [task])
        assert not isinstance(counterpart, InstanceError)
        drawn.append(counterpart.pixels)
    assert np.array_equal(*drawn)


def test_a_rare_prompt_is_refused_where_the_profile_says_so(bench: Bench, tmp_path: Path) -> None:
    line = compile_line(tmp_path, k_min=1000, rare="refuse")
    instances = bench.examine(5, "Pneumonia with a pleural effusion.")
    image = next(each for each in instances if each.display is not None)
    proposals = {image.source_uid: bench.propose(instances)}
    decisions = decide(
        instances, History(), beside_counterpart=line.beside_counterpart, may_wait=False,
        grant_prompt=grant_prompts(line, proposals),
    )  # fmt: skip
    assert [(each.fate, each.code) for each in decisions] == [
        (Fate.QUARANTINE, "rare-prompt"), (Fate.RELEASE, ""),
    ]  # fmt: skip


def test_the_subjects_of_a_release_cannot_gate_without_a_node(tmp_path: Path) -> None:
    line = compile_line(tmp_path, gate="k_released")
    with pytest.raises(ConfigError, match="only a node counts"):
        grant_prompts(line, {})


def test_the_object_says_what_made_it_and_a_band_of_k(made: tuple[Made, Path]) -> None:
    counterpart, folder = made[0].counterpart, made[1]
    instance = dcmread(folder / "out.dcm")
    said = instance.DerivationDescription
    assert "k-map 100+" in said
    assert "prompt by beam" in said
    assert "at most 5.8 bits" in said
    assert counterpart.model_sha256[:16] in said
    assert instance.ContributingEquipmentSequence[-1].ContributionDescription in said + "."
    assert str(made[0].k_map) not in said
    assert "pneumonia" not in instance.to_json()


def test_what_is_withheld_is_counted_in_the_object_and_named_inside_only(
    made: tuple[Made, Path],
) -> None:
    prompt = made[0].counterpart.prompt
    assert prompt.terms == ("adult", "pleural effusion")
    assert prompt.withheld == ("pneumonia",)
    comments = dcmread(made[1] / "out.dcm").ImageComments
    assert comments == "Findings of the report not shown: cardiomegaly. Rare findings withheld: 1"


def test_an_explanation_tells_every_step(made: tuple[Made, Path]) -> None:
    folder = made[1] / "told"
    told = json.loads((folder / "explanation.json").read_text())
    assert "identified zone" in told["notice"]
    assert {each["term"] for each in told["findings of the report"]} >= {"pneumonia"}
    assert told["optimization"]["solver"] == "beam"
    assert set(told["optimization"]["prompt"]) == {
        "adult", "PA view", "pneumonia", "pleural effusion",
    }  # fmt: skip
    for moment in ("before", "after", "of what was drawn"):
        assert told["optimization"][f"alignment {moment}"]["image"] is not None
    assert told["anonymity"]["k_map"] == made[0].k_map
    assert told["bits"]["total"] == pytest.approx(
        told["bits"]["prompt"] + told["bits"]["choice"] + told["bits"]["outcome"]
    )
    assert len(told["candidates"]) == made[0].counterpart.candidates
    assert [each["verdict"] for each in told["candidates"]][-1] == "accepted"
    sheet = Image.open(folder / "contact-sheet.png")
    assert sheet.width > 256 * (len(told["candidates"]) + 1)


def test_an_explanation_is_for_its_owner_only(made: tuple[Made, Path]) -> None:
    folder = made[1] / "told"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
