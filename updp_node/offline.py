"""The line without the network: files in, de-identified files out. It never waits."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from updp_node import verify
from updp_node.crew import Crew
from updp_node.errors import ConfigError, InstanceError, NodeError
from updp_node.facts import FactsTask, PairTask, have_same_content, read_facts
from updp_node.forward import FolderSettings, make_destination
from updp_node.line import Line
from updp_node.model import HeaderFacts
from updp_node.pipeline import (
    COUNTERPART_SOP_CLASS,
    ExamineTask,
    ReleasedFile,
    ReleaseTask,
    examine,
    release_instance,
)
from updp_node.pixels.anonymity import tell_anonymity
from updp_node.pixels.workshop import SynthesisTask, synthesize
from updp_node.plan import Decision, Examined, Fate, History, decide
from updp_node.run_mapping import grant_prompts, propose_prompts

_WITNESSES = 20


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one input file.

    Attributes
    ----------
    source : pathlib.Path
    source_uid : str
        SOP Instance UID of the input; empty where it could not be read.
    outcome : str
        released, dropped, quarantined or duplicate.
    code : str
        Reason code where it was quarantined.
    detail : str
        Tags, codes and counts.
    target : pathlib.Path or None
        The output file, relative to the output folder.
    """

    source: Path
    source_uid: str
    outcome: str
    code: str = ""
    detail: str = ""
    target: Path | None = None


def find_files(inputs: Sequence[Path]) -> list[Path]:
    """Every file named or found below the folders named, sorted.

    Raises
    ------
    ConfigError
        An input does not exist, or there is no file at all.
    """
    files: set[Path] = set()
    for each in inputs:
        if not each.exists():
            raise ConfigError("does not exist", file=str(each))
        found = each.rglob("*") if each.is_dir() else [each]
        files.update(path for path in found if path.is_file() and path.name != "DICOMDIR")
    if not files:
        raise ConfigError("no file to de-identify", file=str(inputs[0]) if inputs else None)
    return sorted(files)


def deidentify_files(
    files: Sequence[Path], line: Line, crew: Crew, out: Path, *,
    advance: Callable[[], None] = lambda: None,
) -> Iterator[FileOutcome]:  # fmt: skip
    """Take files down the line, study by study; reports among them steer their images.

    Parameters
    ----------
    out : pathlib.Path
        Output folder; made if absent. Files are named by their new UIDs.
    advance : callable
        Called once for every file that is done.
    """
    out.mkdir(parents=True, exist_ok=True)
    studies: dict[str, list[tuple[Path, HeaderFacts]]] = defaultdict(list)
    seen: dict[str, Path] = {}
    tasks = [FactsTask(path, (), line.key) for path in files]
    for path, facts in zip(files, crew.map_cpu(read_facts, tasks), strict=True):
        if isinstance(facts, InstanceError):
            yield _held(path, "", facts)
        elif facts.sop_instance_uid in seen:
            yield _judge_second(path, seen[facts.sop_instance_uid], facts, crew)
        else:
            seen[facts.sop_instance_uid] = path
            studies[facts.study_uid].append((path, facts))
            continue
        advance()
    for members in studies.values():
        with TemporaryDirectory(prefix=".updp-", dir=out) as scratch:
            for outcome in _release_study(members, line, crew, Path(scratch), out):
                advance()
                yield outcome


def _release_study(
    members: Sequence[tuple[Path, HeaderFacts]], line: Line, crew: Crew, scratch: Path, out: Path
) -> Iterator[FileOutcome]:
    """One study: examine, decide, synthesize, release, bring to the output folder."""
    uids = {path: facts.sop_instance_uid for path, facts in members}
    examined: dict[Path, Examined] = {}
    tasks = [ExamineTask(path, line) for path in uids]
    for path, result in zip(uids, crew.map_cpu(examine, tasks), strict=True):
        if isinstance(result, InstanceError):
            yield _held(path, uids[path], result)
        else:
            examined[path] = result
    instances, history = list(examined.values()), History()
    proposals = propose_prompts(line, crew, instances, history, may_wait=False)
    decisions = decide(
        instances, history, may_wait=False, beside_counterpart=line.beside_counterpart,
        grant_prompt=grant_prompts(line, proposals),
    )  # fmt: skip
    planned = dict(zip(examined, decisions, strict=True))
    chosen = {path: each for path, each in planned.items() if each.fate is Fate.RELEASE}
    for path in planned.keys() - chosen.keys():
        yield FileOutcome(path, uids[path], planned[path].fate.value, planned[path].code)
    witnesses = _choose_witnesses(examined)
    for path, released in _release(chosen, line, crew, scratch, witnesses):
        if isinstance(released, InstanceError):
            yield _held(path, uids[path], released)
        else:
            target = _bring(released, out)
            yield FileOutcome(path, uids[path], "released", target=target)


def _choose_witnesses(examined: dict[Path, Examined]) -> tuple[Path, ...]:
    """Reports, and one file of every series."""
    firsts: dict[str, Path] = {}
    for path, each in examined.items():
        firsts.setdefault(each.series_uid, path)
    reports = [path for path, each in examined.items() if each.findings is not None]
    return tuple(dict.fromkeys([*reports, *firsts.values()]))[:_WITNESSES]


def _release(
    chosen: dict[Path, Decision], line: Line, crew: Crew, scratch: Path,
    witnesses: tuple[Path, ...],
) -> Iterator[tuple[Path, ReleasedFile | InstanceError]]:  # fmt: skip
    drawn = {path: each for path, each in chosen.items() if each.prompt is not None}
    orders = [
        SynthesisTask(line.tools, each.prompt, secrets.randbits(63), line.max_candidates)
        for each in drawn.values()
        if each.prompt is not None
    ]
    counterparts = dict(zip(drawn, crew.map_synthesis(synthesize, orders), strict=True))
    classes = {each.source_uid: COUNTERPART_SOP_CLASS for each in drawn.values()}
    make = partial(
        ReleaseTask, line=line, generation=1, folder=scratch, created=datetime.now(UTC),
        replaced_classes=classes, witnesses=witnesses,
    )  # fmt: skip
    ready: list[tuple[Path, ReleaseTask]] = []
    for path, decision in chosen.items():
        counterpart = counterparts.get(path)
        if isinstance(counterpart, InstanceError):
            yield path, counterpart
        else:
            told = tell_anonymity(line.anonymity.gate, k_map=decision.k_map, k_released=None)
            task = make(path=path, action=decision.action, counterpart=counterpart, anonymity=told)
            ready.append((path, task))
    results = crew.map_cpu(release_instance, [task for _, task in ready])
    yield from zip((path for path, _ in ready), results, strict=True)


def _bring(released: ReleasedFile, out: Path) -> Path:
    """Copy a released file to the output folder; one that is there already stays."""
    verified = verify.reaffirm(released.path, released.sha256)
    destination = make_destination(FolderSettings(name="out", path=out))
    for outcome in destination.send([verified]):
        if not outcome.delivered and outcome.reason.value != "conflicting-content":
            raise NodeError(f"output not written: {outcome.reason.value}")
    return Path(verified.study_uid) / f"{verified.sop_instance_uid}.dcm"


def _judge_second(path: Path, first: Path, facts: HeaderFacts, crew: Crew) -> FileOutcome:
    """A second file of one SOP Instance UID: the same again, or another content."""
    (same,) = crew.map_cpu(have_same_content, [PairTask(first, path)])
    if same is True:
        return FileOutcome(path, facts.sop_instance_uid, "duplicate")
    return _held(path, facts.sop_instance_uid, InstanceError("conflicting-duplicate"))


def _held(path: Path, uid: str, error: InstanceError) -> FileOutcome:
    return FileOutcome(path, uid, "quarantined", error.code, error.detail)
