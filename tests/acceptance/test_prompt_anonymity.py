"""A stream of 200 studies, two workers, ``kill -9``: no prompt is released that too few share."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.orm import Session

from tests import factories
from tests.acceptance.destinations import arrivals
from tests.acceptance.figures import record
from tests.acceptance.node import Node, await_true, running_node
from tests.acceptance.sender import Sent, send_until_acknowledged
from updp_node.config import packaged_policy
from updp_node.model import Prompt
from updp_node.pixels.anonymity import Population, list_coarser, read_population
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.tables import InstanceRow, StudyRow
from updp_node.subject import ProjectKey

pytestmark = pytest.mark.timeout(900)
SEED, STUDIES, SUBJECTS = 20261123, 200, 170
PNEUMONIA = "Right lower lobe pneumonia."
FINDINGS = {"pneumonia": 0.06, "infiltration": 0.2, "pleural effusion": 0.3, "atelectasis": 0.12}
POLICIES = {
    "k_released, rare ones generalize": {"gate": "k_released", "k_min": 5, "rare": "generalize"},
    "k_released, rare ones wait": {"gate": "k_released", "k_min": 5, "rare": "wait"},
    "k_map, rare ones generalize": {"gate": "k_map", "k_min": 5, "rare": "generalize"},
    "k_map of 100, rare ones generalize": {"gate": "k_map", "k_min": 100, "rare": "generalize"},
    "k_map of 100, rare ones are refused": {"gate": "k_map", "k_min": 100, "rare": "refuse"},
}


def make_stream() -> dict[str, Any]:
    """Studies of mostly different subjects; some combinations of findings are rare."""
    dice = random.Random(SEED)
    stream = {}
    for number in range(STUDIES):
        stated = [term for term, chance in FINDINGS.items() if dice.random() < chance]
        child = dice.random() < 0.1
        stream[f"1.2.3.{number}"] = {
            "patient": f"P{dice.randrange(SUBJECTS):04}",
            "age": 5 if child else 60,
            "view": dice.choice(["PA", "PA", "AP", None]),
            "findings": [{"term": term, "certainty": "present"} for term in stated],
        }
    return stream


@dataclass
class Outcome:
    """What is in the index once nothing moves any more.

    ``sought``: prompts that somebody waits for, and the subjects that have them or want them.
    """

    policy: dict[str, Any]
    stream: dict[str, Any]
    released: dict[tuple[str, ...], set[str]]
    works: list[dict[str, Any]]
    sought: dict[str, int]
    states: Counter[str]
    kills: int


def _fill(index: Path, stream: dict[str, Any]) -> None:
    engine = open_engine(sqlite_url(index))
    with Session(engine) as session, session.begin():
        for number, uid in enumerate(stream):
            session.add(
                StudyRow(id=f"study{number:03}", study_uid=f"9.{uid}", last_arrival_at=number,
                         patient_sha256="", generation=0)
            )  # fmt: skip
        session.flush()
        for number, uid in enumerate(stream):
            session.add(
                InstanceRow(
                    state="pending", file="f", sop_class_uid="1.2", sop_instance_uid=uid,
                    transfer_syntax_uid="1.2", calling_ae_title="", association_id="", size_bytes=0,
                    sha256="", received_at=0, study_id=f"study{number:03}",
                )
            )  # fmt: skip
    engine.dispose()


def _profile(folder: Path, policy: dict[str, Any]) -> Path:
    profile = yaml.safe_load((packaged_policy() / "research-cxr.yaml").read_text())
    profile["pixels"] |= {"solver": "none", "anonymity": policy}
    path = folder / "stream.yaml"
    path.write_text(yaml.safe_dump(profile))
    return path


def _query(index: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(index, timeout=30)
    rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def _assert_nobody_stands_alone(index: Path, k_min: int) -> None:
    """At any moment: who is released has enough others that came down the line."""
    rows = _query(
        index,
        "SELECT prompt, COUNT(DISTINCT subject_id) FROM prompt_reservations WHERE state IN "
        "('ready', 'released') GROUP BY prompt HAVING SUM(state = 'released') > 0",
    )
    assert all(count >= k_min for _, count in rows)


@pytest.fixture(scope="module", params=sorted(POLICIES))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder, policy = tmp_path_factory.mktemp("stream"), POLICIES[request.param]
    index, stream = folder / "index.sqlite", make_stream()
    migrate(sqlite_url(index), "identified")
    _fill(index, stream)
    (folder / "stream.json").write_text(json.dumps(stream))
    ProjectKey.create(folder / "key")
    files = (index, _profile(folder, policy), folder / "key", folder / "stream.json")
    command = [sys.executable, "-m", "tests.acceptance.prompt_worker", *map(str, files)]
    dice, kills, most = random.Random(SEED), 0, 4 if policy["gate"] == "k_released" else 2
    workers = {name: subprocess.Popen([*command, name]) for name in ("one", "two")}
    try:
        while any(worker.poll() is None for worker in workers.values()):
            time.sleep(dice.uniform(0.5, 1.0))
            gating = policy["k_min"] if policy["gate"] == "k_released" else 1
            _assert_nobody_stands_alone(index, gating)
            name = dice.choice(sorted(workers))
            begun = _query(index, "SELECT COUNT(*) FROM runs")[0][0]
            if kills < most and begun and workers[name].poll() is None:
                workers[name].send_signal(signal.SIGKILL)
                workers[name].wait()
                kills += 1
                workers[name] = subprocess.Popen([*command, name])
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait()
    assert all(worker.returncode == 0 for worker in workers.values())
    return _read(index, policy, stream, kills)


def _read(index: Path, policy: dict[str, Any], stream: dict[str, Any], kills: int) -> Outcome:
    released: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for source_uid, prompt in _query(index, "SELECT source_uid, prompt FROM releases"):
        released[tuple(json.loads(prompt))].add(stream[source_uid]["patient"])
    columns = ("sop_instance_uid", "outcome", "prompt", "withheld", "k_map", "k_released")
    query = f"SELECT {', '.join(columns)} FROM work JOIN instances ON id = instance_id"  # noqa: S608
    works = [dict(zip(columns, row, strict=True)) for row in _query(index, query)]
    wanted: dict[str, set[str]] = defaultdict(set)
    for prompt, subject_id in _query(index, "SELECT prompt, subject_id FROM prompt_reservations"):
        wanted[prompt].add(subject_id)
    waiting = _query(index, "SELECT prompt FROM prompt_reservations WHERE state = 'waiting'")
    sought = {prompt: len(wanted[prompt]) for (prompt,) in waiting}
    states = Counter(dict(_query(index, "SELECT state, COUNT(*) FROM instances GROUP BY state")))
    return Outcome(policy, stream, released, works, sought, states, kills)


@pytest.fixture(scope="module")
def population() -> Population:
    return read_population(load_default_vocabulary())


def test_no_released_prompt_is_shared_by_too_few(outcome: Outcome, population: Population) -> None:
    gate, k_min = outcome.policy["gate"], outcome.policy["k_min"]
    assert outcome.released
    if gate == "k_released":
        least = min(len(subjects) for subjects in outcome.released.values())
    else:
        least = min(population.count(Prompt(terms)) for terms in outcome.released)
    assert least >= k_min
    name = f"{gate} {k_min}, {outcome.policy['rare']}"
    record("prompt anonymity", f"{name}: least {gate} of a released prompt", least, "")
    for state, count in sorted(outcome.states.items()):
        record("prompt anonymity", f"{name}: instances {state}, of 200", count, "")
    record("prompt anonymity", f"{name}: workers killed", outcome.kills, "")


def test_the_workers_were_killed_and_every_study_came_to_its_end(outcome: Outcome) -> None:
    assert outcome.kills >= 2
    assert sum(outcome.states.values()) == STUDIES
    assert set(outcome.states) <= {"done", "waiting", "quarantined"}


def test_what_becomes_of_a_rare_prompt_is_what_the_profile_says(
    outcome: Outcome, population: Population
) -> None:
    rare, gate = outcome.policy["rare"], outcome.policy["gate"]
    generalized = [each for each in outcome.works if each["withheld"] not in (None, "[]")]
    is_rare_for_some = gate == "k_released" or outcome.policy["k_min"] > 5
    assert bool(generalized) == (rare == "generalize" and is_rare_for_some)
    assert bool(outcome.states["quarantined"]) == (rare == "refuse")
    if rare == "wait":
        assert outcome.states["waiting"] > 0
    if gate == "k_map":
        assert outcome.states["waiting"] == 0


def test_whoever_waits_could_not_have_been_released(outcome: Outcome) -> None:
    """Those who wait for a prompt, with those who were released with it, are too few."""
    assert bool(outcome.sought) == bool(outcome.states["waiting"])
    assert all(subjects < outcome.policy["k_min"] for subjects in outcome.sought.values())


def test_a_coarser_prompt_stays_true(outcome: Outcome, population: Population) -> None:
    """What is drawn is on the ladder of what the report demands; the rest is told as withheld."""
    vocabulary = load_default_vocabulary()
    for work in outcome.works:
        if work["outcome"] != "released":
            continue
        told = outcome.stream[work["sop_instance_uid"]]
        band = "child" if told["age"] < 16 else "adult"
        stated = [each["term"] for each in told["findings"]]
        drawn = (
            [term for term in stated if vocabulary.find(term, band)] if stated else ["no finding"]
        )
        view = f"{told['view']} view"
        terms = (band, *({view} & set(vocabulary.views[band])), *drawn)
        ladder = {
            each.terms: each.withheld for each in list_coarser(vocabulary.order(terms), population)
        }
        assert list(ladder[tuple(json.loads(work["prompt"]))]) == json.loads(work["withheld"])


def _has(node: Node, *, done: int, waiting: int) -> bool:
    """Whether nothing moves, and so many instances are done and wait."""
    states = node.states()
    busy = ("instances received", "instances pending", "instances running", "deliveries pending")
    ended = (states.get("instances done", 0), states.get("instances waiting", 0))
    return not any(states.get(each) for each in busy) and ended == (done, waiting)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A whole node that was killed while seven studies came: four effusions, three others."""
    folder = tmp_path_factory.mktemp("few")
    profile = _profile(folder, {"gate": "k_released", "k_min": 3, "rare": "wait"})

    def edit(config: dict[str, Any]) -> None:
        config["settling"]["report_wait_s"] = 600
        config["routes"] = [{"name": "all", "profile": str(profile), "destinations": ["research"]}]

    texts = ["Small left pleural effusion."] * 4 + [PNEUMONIA] * 2 + ["Bibasilar atelectasis."]
    with running_node(folder / "node", edit=edit) as node:
        sources = []
        for number, text in enumerate(texts):
            person = factories.patient(patient_id=f"91{number:08}", accession=f"ACQV88{number:05}")
            uid = factories.make_uid("few", number)
            image = factories.chest_cr(patient=person, study_uid=uid)
            report = factories.text_sr(text, references=[image], patient=person)
            for name, instance in (("image", image), ("report", report)):
                sources.append(factories.write(instance, folder / f"{number}-{name}.dcm"))
        sent = Sent()
        sending = threading.Thread(
            target=send_until_acknowledged, args=(node.port, sources),
            kwargs={"sent": sent, "pause_s": 0.5, "seconds": 240},
        )  # fmt: skip
        sending.start()
        for _ in range(3):
            await_true(lambda: node.states().get("instances running"), 120, "a run is under way")
            os.kill(node.family()["worker"], signal.SIGKILL)
            time.sleep(3)
        sending.join()
        await_true(lambda: _has(node, done=4 + 7, waiting=3), 400, "the others wait")
        yield node


def test_a_whole_node_that_is_killed_releases_those_who_are_enough(few: Node) -> None:
    arrived = [each.read() for each in arrivals(few.research)]
    counterparts = [each for each in arrived if each.Modality == "CR"]
    assert len({str(each.PatientID) for each in counterparts}) == 4
    assert len(counterparts) == 4
    for each in counterparts:
        assert "k-released 1-4" in each.DerivationDescription
    assert len([each for each in arrived if each.Modality == "SR"]) == 7
    assert few.held() == {}


def test_nothing_of_those_who_wait_lies_in_the_released_zone(few: Node) -> None:
    zones = {name: few.storage / name for name in ("identified", "released")}
    recorded = _query(zones["identified"] / "index.sqlite", "SELECT file FROM releases")
    there = {str(path.relative_to(zones["released"])) for path in
             (zones["released"] / "files").rglob("*") if path.is_file()}  # fmt: skip
    assert there == {file for (file,) in recorded}
    waiting = [path for path in (zones["identified"] / "outgoing").rglob("*") if path.is_file()]
    assert waiting == []
    record("prompt anonymity", "files in the released zone that nothing records, 3 images waiting",
           len(there - {file for (file,) in recorded}), "")  # fmt: skip


def test_the_last_of_a_group_brings_the_others_along(few: Node) -> None:
    person = factories.patient(patient_id="9100000099", accession="ACQV8800099")
    image = factories.chest_cr(patient=person, study_uid=factories.make_uid("few", 99))
    report = factories.text_sr(PNEUMONIA, references=[image], patient=person)
    sources = [factories.write(each, few.folder.parent / f"last-{each.Modality}.dcm")
               for each in (image, report)]  # fmt: skip
    send_until_acknowledged(few.port, sources, sent=Sent(), pause_s=0.1, seconds=120)
    await_true(lambda: _has(few, done=11 + 4, waiting=1), 300, "the pneumonias go")
    arrived = [each.read() for each in arrivals(few.research)]
    assert len([each for each in arrived if each.Modality == "CR"]) == 7
