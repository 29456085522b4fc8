"""What comes into the released zone, and when: ``kill -9`` before every change of a file."""

import hashlib
import itertools
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy.orm import Session

from updp_node.model import VerifiedBytes
from updp_node.publication import second_contents, tidy
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.files import write_released
from updp_node.storage.ledger import LedgerEntry
from updp_node.storage.outgoing import Outgoing
from updp_node.storage.released_index import ReleasedIndex
from updp_node.storage.run_index import RunIndex
from updp_node.storage.run_records import Release
from updp_node.storage.tables import InstanceRow, PromptRow, RunRow, StudyRow, WorkRow

FREE, PARKED = "2.25.100", "2.25.200"
CHANGES = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.chmod", "os.chown"}


def verified(uid: str, content: bytes) -> VerifiedBytes:
    digest = hashlib.sha256(content).hexdigest()
    return VerifiedBytes(content, digest, "1.2", uid, "2.25.1", "2.25.2", "1.2.840.10008.1.2.1")


@dataclass(frozen=True)
class Zone:
    """Both zones, and a run of two images: one whose prompt too few share, and another."""

    root: Path

    @property
    def outgoing(self) -> Outgoing:
        return Outgoing(self.root / "identified" / "outgoing", self.root / "released")

    @property
    def index(self) -> RunIndex:
        return RunIndex(open_engine(sqlite_url(self.root / "identified" / "index.sqlite")))

    @property
    def findable(self) -> ReleasedIndex:
        released = self.root / "released"
        return ReleasedIndex(open_engine(sqlite_url(released / "index.sqlite")), released)

    def files(self, zone: str) -> set[str]:
        found = (self.root / zone).rglob("*")
        return {path.name for path in found if path.is_file() and ".sqlite" not in path.name}

    def start(self) -> None:
        """As a worker starts."""
        aside = self.root / "identified" / "orphans"
        tidy(self.outgoing, index=self.index, released=self.findable, aside=aside)

    def run(self, content: bytes = b"object") -> None:
        """As a run releases: file, record, released zone. It differs at every attempt."""
        index, outgoing = self.index, self.outgoing
        releases = []
        for work in index.works("run", open_only=True):
            uid = {"1.1": FREE, "1.2": PARKED}[work.sop_instance_uid]
            made = verified(uid, content + uid.encode())
            path = write_released(outgoing.files, made, replace=True)
            file = str(path.relative_to(outgoing.root))
            releases.append(
                Release(work.instance_id, work.sop_instance_uid, 1, "synthesize", ["adult"], [],
                        uid, "1.2", "2.25.1", "2.25.2", "1.2", file, made.sha256)
            )  # fmt: skip
        waiting = index.release("run", releases, destinations=[], now=1.0)
        for each in releases:
            if each.instance_id in waiting:
                outgoing.discard(each.file)
        for each in index.releases("run"):
            outgoing.place(each.file, each.sha256)


def make_zone(root: Path) -> Zone:
    for name in ("identified", "released"):
        (root / name).mkdir(parents=True)
        migrate(sqlite_url(root / name / "index.sqlite"), name)
    (root / "released" / "files").mkdir()
    engine = open_engine(sqlite_url(root / "identified" / "index.sqlite"))
    with Session(engine) as session, session.begin():
        study = StudyRow(id="s", study_uid="9", last_arrival_at=0, patient_sha256="", generation=1)
        run = RunRow(id="run", study_id="s", route="r", profile="p", profile_digest="d",
                     state="running", started_at=0)  # fmt: skip
        session.add(study)
        session.flush()
        session.add(run)
        for number in (1, 2):
            session.add(
                InstanceRow(id=number, state="running", file="f", sop_class_uid="1.2",
                            sop_instance_uid=f"1.{number}", transfer_syntax_uid="1.2",
                            calling_ae_title="", association_id="", size_bytes=0, sha256="",
                            received_at=0, study_id="s")
            )  # fmt: skip
            session.flush()
            session.add(WorkRow(run_id="run", instance_id=number, action="synthesize"))
        session.add(
            PromptRow(project="p", prompt="adult", source_uid="1.2", subject_id="one",
                      study_id="s", state="held", k_min=2, reserved_at=0)
        )  # fmt: skip
    engine.dispose()
    return Zone(root)


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    return make_zone(tmp_path / "zone")


def is_killed(step: Callable[[], None], root: Path, moment: int) -> bool:
    """Do a step in another process that dies before its `moment`-th change below a folder."""
    child = os.fork()
    if not child:
        counter = itertools.count(1)

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            touches = event in CHANGES and str(root) in str(arguments[0])
            if touches and ".sqlite" not in str(arguments[0]) and next(counter) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            step()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def moments(root: Path) -> Iterator[tuple[int, Zone]]:
    """The same zone again and again, each time for a later moment."""
    whole = make_zone(root / "0").root
    for moment in itertools.count(1):
        yield moment, Zone(shutil.copytree(whole, root / str(moment)))


def assert_all_recorded(zone: Zone) -> None:
    names = {name.removesuffix(".dcm") for name in zone.files("released") if name[0] != "."}
    assert names <= set(zone.index.recorded(names))
    assert PARKED not in names


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside threads: the child is alone
def test_a_run_that_is_killed_at_any_moment_shows_nothing_that_is_not_recorded(
    tmp_path: Path,
) -> None:
    for moment, zone in moments(tmp_path):
        killed = is_killed(zone.run, zone.root, moment)
        assert_all_recorded(zone)
        zone.start()
        assert_all_recorded(zone)
        zone.run(b"drawn again")
        assert zone.files("released") == {f"{FREE}.dcm"}
        assert zone.files("identified") == set()
        (release,) = zone.index.releases("run")
        placed = zone.root / "released" / release.file
        assert hashlib.sha256(placed.read_bytes()).hexdigest() == release.sha256
        assert {work.outcome for work in zone.index.works("run")} == {"released", "waiting"}
        if not killed:
            break
    assert moment > 8  # so many moments there were at least


def leave_stray(zone: Zone, uid: str, content: bytes = b"parked") -> Path:
    """As a version before this one left a counterpart that waits."""
    return write_released(zone.root / "released" / "files", verified(uid, content))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_an_older_version_left_unrecorded_is_put_aside_and_never_lost(tmp_path: Path) -> None:
    for moment, zone in moments(tmp_path):
        zone.run()
        leave_stray(zone, PARKED)
        killed = is_killed(zone.start, zone.root, moment)
        everywhere = zone.files("released") | zone.files("identified")
        assert {f"{FREE}.dcm", f"{PARKED}.dcm"} <= everywhere
        zone.start()
        assert zone.files("released") == {f"{FREE}.dcm"}
        assert f"{PARKED}.dcm" in zone.files("identified")
        assert (zone.root / "identified" / "orphans" / f"{PARKED}.dcm").read_bytes() == b"parked"
        if not killed:
            break


def test_a_file_that_only_the_ledger_names_stays(zone: Zone) -> None:
    path = leave_stray(zone, "2.25.300")
    file = str(path.relative_to(zone.root / "released"))
    zone.findable.ledger.append([LedgerEntry("2.25.300", "p", file, "0" * 64, time.time())])
    zone.start()
    assert path.exists()


def test_half_written_files_of_the_released_zone_are_removed_at_start(zone: Zone) -> None:
    path = leave_stray(zone, PARKED)
    partial = path.rename(path.with_name(".abc.part"))
    zone.start()
    assert not partial.exists()
    assert zone.files("identified") == set()


def test_a_recorded_file_replaces_a_stray_under_its_name(zone: Zone) -> None:
    path = leave_stray(zone, FREE, b"of an interrupted step")
    zone.run()
    assert path.read_bytes() == b"object" + FREE.encode()
    assert zone.files("identified") == set()


def test_other_content_than_was_released_under_a_uid_is_named(zone: Zone) -> None:
    zone.run()
    (release,) = zone.index.releases("run")
    found = second_contents([release], index=zone.index, released=zone.findable)
    assert found == []
    other = Release(**{each: getattr(release, each) for each in release.__slots__}
                    | {"sha256": "1" * 64})  # fmt: skip
    assert second_contents([other], index=zone.index, released=zone.findable) == [other]


def test_a_placed_file_is_open_to_the_group_of_its_zone(zone: Zone) -> None:
    files = zone.root / "released" / "files"
    files.chmod(0o2750)
    zone.run()
    (placed,) = files.rglob("*.dcm")
    assert stat.S_IMODE(placed.stat().st_mode) == 0o640
    assert placed.stat().st_gid == files.stat().st_gid


def test_placing_again_is_nothing(zone: Zone) -> None:
    zone.run()
    (release,) = zone.index.releases("run")
    (placed,) = (zone.root / "released" / "files").rglob("*.dcm")
    before = placed.stat().st_mtime_ns, placed.stat().st_ino
    zone.outgoing.place(release.file, release.sha256)
    assert (placed.stat().st_mtime_ns, placed.stat().st_ino) == before


def test_a_released_zone_on_another_file_system_is_served_as_well(zone: Zone) -> None:
    memory = Path("/dev/shm")  # noqa: S108  # another file system, if it is there
    if not memory.is_dir() or memory.stat().st_dev == zone.root.stat().st_dev:
        pytest.skip("NO SECOND FILE SYSTEM HERE: files are not brought from one to another")
    with TemporaryDirectory(dir=memory) as released:
        outgoing = Outgoing(zone.outgoing.root, Path(released))
        made = verified(FREE, b"object")
        file = str(write_released(outgoing.files, made).relative_to(outgoing.root))
        outgoing.place(file, made.sha256)
        assert [each.name for each in Path(released).rglob("*.*")] == [f"{FREE}.dcm"]
        assert (Path(released) / file).read_bytes() == b"object"
        assert zone.files("identified") == set()
