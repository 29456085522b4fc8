"""Making released instances findable: after a run, and again from ledger and files."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from updp_node.crew import Crew
from updp_node.errors import InstanceError
from updp_node.log import get_logger
from updp_node.storage.description import Description, describe
from updp_node.storage.ledger import LedgerEntry
from updp_node.storage.outgoing import Outgoing
from updp_node.storage.released_index import ReleasedIndex, ReleasedInstance
from updp_node.storage.run_index import RunIndex
from updp_node.storage.run_records import Release, Run


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found.

    Attributes
    ----------
    indexed : int
        Instances that can be found now.
    damaged : int
        Instances whose file is missing, unreadable or not what was released.
    unnamed : int
        Files that the ledger does not name; they are not shown to anybody.
    """

    indexed: int
    damaged: int
    unnamed: int


def tidy(outgoing: Outgoing, *, index: RunIndex, released: ReleasedIndex, aside: Path) -> None:
    """Leave nothing in the released zone whose release is not recorded; at start only.

    Parameters
    ----------
    outgoing : Outgoing
    index : RunIndex
        Of the identified zone.
    released : ReleasedIndex
    aside : pathlib.Path
        Folder of the identified zone for files that nothing names.
    """
    done = outgoing.tidy(lambda uids: set(index.recorded(uids)), released.named, aside)
    if done.removed or done.put_aside:
        get_logger().warning(
            "released-zone-tidied", count=done.removed, status=f"{done.put_aside} put aside"
        )


def second_contents(
    releases: Sequence[Release], *, index: RunIndex, released: ReleasedIndex
) -> list[Release]:
    """Of what is to be recorded that whose UID was released before with other content."""
    uids = {each.sop_instance_uid for each in releases}
    digests = released.known(uids) | index.recorded(uids)
    return [
        each for each in releases if digests.get(each.sop_instance_uid, each.sha256) != each.sha256
    ]


def publish(
    run: Run, *, index: RunIndex, released: ReleasedIndex, crew: Crew, outgoing: Outgoing,
    project: str,
) -> int:  # fmt: skip
    """Bring what a run released to the released zone, findable; returns how many.

    Parameters
    ----------
    run : Run
    index : RunIndex
        Of the identified zone: what the run released.
    released : ReleasedIndex
    crew : Crew
        Reads the headers.
    outgoing : Outgoing
        Where the files are until then.
    project : str
    """
    releases = index.releases(run.id)
    for each in releases:
        outgoing.place(each.file, each.sha256)
    found = crew.map_cpu(describe, [outgoing.released / each.file for each in releases])
    findable = []
    for release, description in zip(releases, found, strict=True):
        before = index.superseded_uid(release, run.profile_digest)
        entry = _to_entry(release, project, before)
        if isinstance(description, InstanceError):
            get_logger().error("released-file-damaged", run_id=run.id, code=description.code)
            released.ledger.append([entry])  # a rebuild finds it, once it can be read
        else:
            findable.append(ReleasedInstance(entry, description))
    released.add(findable)
    return len(findable)


def rebuild(
    released: ReleasedIndex, root: Path, advance: Callable[[int], None], *, check_content: bool
) -> Rebuilt:
    """Make the index again from the ledger and the released files.

    Parameters
    ----------
    released : ReleasedIndex
    root : pathlib.Path
        The released zone.
    advance : callable
        Told how many more entries are done.
    check_content : bool
        Also compare every file with the digest of its release.
    """
    released.complete_ledger()
    named: set[str] = set()
    counts = Counter[bool]()
    describe_entry = partial(_read, root=root, check_content=check_content)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:

        def read(batch: list[LedgerEntry]) -> list[ReleasedInstance]:
            good = []
            for entry, found in zip(
                batch, pool.map(describe_entry, batch, chunksize=50), strict=True
            ):
                named.add(entry.file)
                counts[isinstance(found, Description)] += 1
                if isinstance(found, InstanceError):
                    get_logger().error("released-file-damaged", code=found.code)
                else:
                    good.append(ReleasedInstance(entry, found))
            advance(len(batch))
            return good

        released.replace(read)
    files = (path.relative_to(root) for path in (root / "files").glob("*/*.dcm"))
    unnamed = sum(str(path) not in named for path in files)
    return Rebuilt(counts[True], counts[False], unnamed)


def _to_entry(release: Release, project: str, supersedes: str | None) -> LedgerEntry:
    return LedgerEntry(
        release.sop_instance_uid, project, release.file, release.sha256, time.time(), supersedes
    )


def _read(entry: LedgerEntry, *, root: Path, check_content: bool) -> Description | InstanceError:
    """Describe one released file, if it is the one that was released."""
    path = root / entry.file
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return InstanceError("released-file-elsewhere")
        found = describe(path)
        if found.sop_instance_uid != entry.sop_instance_uid:
            return InstanceError("released-file-differs", "(0008,0018)")
        if check_content:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                    return InstanceError("released-file-differs")
    except InstanceError as error:
        return error
    except OSError as error:
        return InstanceError("released-file-unreadable", type(error).__name__)
    return found
