"""From the open data to evidence.json and the contact sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from tools.evidence.arms import Atelier, make_counterparts
from tools.evidence.crew import Crew, watch
from tools.evidence.exchange import measure_direction
from tools.evidence.measuring import Result, Setting, measure_population, train_frozen
from tools.evidence.pictures import write_sheet
from tools.evidence.plan import ADULTS, CHILDREN, POPULATIONS, Plan, Population
from tools.evidence.record import make_record, write_record
from tools.evidence.sources import Sample, read_prompts, take_sample
from updp_node.evaluation.attackers import Attacker
from updp_node.evaluation.collection import Collection, load_collection
from updp_node.evaluation.effort import Effort
from updp_node.evaluation.features import load_default_encoder
from updp_node.evaluation.figure import Measurements
from updp_node.evaluation.laboratory import Laboratory
from updp_node.pixels.generator import load_generator


@dataclass(frozen=True)
class Job:
    """What every worker has to know.

    Attributes
    ----------
    plan : Plan
    data : pathlib.Path
    cache : pathlib.Path
        Of counterparts.
    networks : pathlib.Path or None
        Of trained attackers and classifiers; they are trained anew if absent.
    seed, threads : int
    """

    plan: Plan
    data: Path
    cache: Path
    networks: Path | None
    seed: int
    threads: int


def measure_all(job: Job, out: Path, crew: Crew, made_at: datetime) -> None:
    """Run the whole study.

    Parameters
    ----------
    job : Job
    out : pathlib.Path
        Folder of ``evidence.json`` and ``images``.
    crew : Crew
    made_at : datetime
    """
    for drawn in [crew.ask(_gather, job, population) for population in POPULATIONS]:
        drawn.result()
    frozen = crew.ask(_train, job)
    directions = [
        crew.ask(_exchange, job, *pair) for pair in ((ADULTS, CHILDREN), (CHILDREN, ADULTS))
    ]
    attacker = frozen.result()
    measured = [crew.ask(_measure, job, population, attacker) for population in POPULATIONS]
    exchanges = sum((each.result() for each in directions), Measurements())
    record = make_record(
        [each.result() for each in measured], exchanges, plan=job.plan, seed=job.seed,
        threads=job.threads, model_sha256=load_generator("default").sha256,
        data_sha256=_read(job.data).digest, encoder=_equip(job).encoder.name, made_at=made_at,
    )  # fmt: skip
    write_record(record, out / "evidence.json")
    write_sheet([_gather(job, population) for population in POPULATIONS], out / "images")


@lru_cache(maxsize=1)
def _read(data: Path) -> Collection:
    """All radiographs, once in every process."""
    return load_collection(data, "originals")


def _gather(job: Job, population: Population) -> tuple[Sample, Collection]:
    """The originals of a population and their counterparts, drawn or from the cache."""
    generator = load_generator("default")
    sample = take_sample(_read(job.data), population, job.plan, job.seed)
    prompts = read_prompts(job.data, generator)
    atelier = Atelier(generator, prompts, job.plan, job.threads, job.cache, watch)
    return sample, make_counterparts(sample, atelier)


def _equip(job: Job) -> Laboratory:
    plan = job.plan
    effort = Effort(plan.frozen, plan.adaptive, plan.classifier, plan.width)
    return Laboratory(load_default_encoder(), effort, job.seed, job.networks, watch)


def _train(job: Job) -> Attacker:
    return train_frozen(_read(job.data), job.plan, _equip(job))


def _measure(job: Job, population: Population, frozen: Attacker) -> Result:
    sample, counterparts = _gather(job, population)
    setting = Setting(_read(job.data), frozen, _equip(job), job.plan)
    return measure_population(sample, counterparts, setting)


def _exchange(job: Job, giver: Population, taker: Population) -> Measurements:
    """One direction between the two hospitals that the populations stand for."""
    return measure_direction(_gather(job, giver), _gather(job, taker), _equip(job), job.plan)
