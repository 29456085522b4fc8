"""The research process and the identified zone: nothing of it is opened, nothing is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

import updp_node
from tests import factories
from tests.acceptance.figures import record
from tests.acceptance.leaks import other_patient
from tests.acceptance.node import Node, await_true, make_node
from tests.acceptance.research.asking import ask, association, get
from tests.acceptance.research.process import ResearchNode, family_of, make_research_node, settle
from tests.acceptance.research.web import fetch, make_token
from tests.acceptance.research.zone import PROJECTS, Zone
from tests.acceptance.sender import send
from tests.contracts.peers import free_port
from tests.oracle_query import Information, read_information

_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
_WAL = re.compile(r"index\.sqlite-(shm|wal)$")
"""SQLite opens them for writing whatever ``mode=ro`` says, if the system lets it; that nothing
is written into the log beside the index is looked at as well."""
needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None,
    reason="STRACE IS NOT INSTALLED: what is opened is not proven here",
)


def _plant(node: ResearchNode) -> None:
    """An identified zone full of canaries beside the released one."""
    staged = node.identified / "staged" / "00"
    staged.mkdir(parents=True, exist_ok=True)
    factories.write(factories.chest_cr(), staged / "one.dcm")
    factories.write(factories.text_sr(), staged / "two.dcm")
    for name in ("index.sqlite", "workflows.sqlite"):
        place = node.identified / name
        if not place.exists():
            place.write_text("\n".join(factories.canaries(factories.patient())))


def _needles() -> list[str]:
    people = (factories.patient(), other_patient())
    return [text for person in people for text in factories.canaries(person)
            if len(text) >= 8 or not text.isdigit()] + [factories.SOURCE_ROOT]  # fmt: skip


def _ask_everything(port: int, calling: str) -> list[bytes]:
    """Everything that C-FIND answers at every level, and everything that C-GET gives."""
    got: list[bytes] = []
    asked = {
        "PATIENT": "PatientID PatientName PatientComments OtherPatientIDs PatientBirthDate",
        "STUDY": "StudyInstanceUID StudyDescription AccessionNumber ReferringPhysicianName "
                 "StudyID ModalitiesInStudy SOPClassesInStudy",
        "SERIES": "SeriesInstanceUID SeriesDescription InstitutionName StationName OperatorsName",
        "IMAGE": "SOPInstanceUID SOPClassUID ImageComments DerivationDescription ContentDate",
    }  # fmt: skip
    contexts: set[tuple[str, str]] = set()
    patients: list[str] = []
    with association(port, calling=calling, relational=True) as opened:
        assert opened.is_established
        for level, keywords in asked.items():
            identifier = Dataset()
            identifier.QueryRetrieveLevel = level
            for keyword in keywords.split():
                setattr(identifier, keyword, "")
            answers, status = ask(opened, identifier)
            assert status == 0x0000, (level, hex(status))
            assert answers, level
            got += [repr(each).encode() + each.to_json().encode() for each in answers]
            patients += [str(each.PatientID) for each in answers if level == "PATIENT"]
            contexts |= {(str(each.SOPClassUID), syntax) for each in answers if level == "IMAGE"
                         for syntax in ("1.2.840.10008.1.2.1",)}  # fmt: skip
    for patient in patients:
        identifier = Dataset()
        identifier.QueryRetrieveLevel, identifier.PatientID = "PATIENT", patient
        _, found = get(port, identifier, sorted(contexts)[:100], calling=calling)
        got += [raw for _, raw in found.values()]
    return got


def _browse(node: ResearchNode, token: str, information: Information) -> list[bytes]:
    """HTTP answers, errors and tricks with paths among them."""
    _, study, series, uid = next(each for each in information.instances
                                 if each.project == PROJECTS[0]).names  # fmt: skip
    below = f"/studies/{study}/series/{series}/instances/{uid}"
    tricks = ("identified/index.sqlite", "%2e%2e/identified/index.sqlite",
              "..%2f..%2fidentified%2findex.sqlite", "....//identified", "%00",
              "..\\identified")  # fmt: skip
    paths = ["/", "/docs", "/openapi.json", "/studies", "/series", "/instances?limit=50",
             f"/studies/{study}", f"/studies/{study}/metadata", below, f"{below}/metadata",
             f"{below}/rendered", f"{below}/frames/1", "/studies?PatientName=Qvist*",
             "/studies?00100010=*&includefield=all",
             *(f"/studies/../../{trick}" for trick in tricks),
             *(f"/studies/{trick}" for trick in tricks),
             *(f"{below}/bulkdata/../../../{trick}" for trick in tricks)]  # fmt: skip
    return [fetch(node, path, token=token).everything for path in paths]


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[tuple[ResearchNode, Path]]:
    """A research process under strace, beside a planted identified zone."""
    trace = tmp_path / "trace"
    node = make_research_node(tmp_path / "node", studies=40, big=False)
    _plant(node)
    node.start(wrapper=["strace", "-f", "-qq", "-y", "-o", str(trace), "-e",
                        "trace=%file,ftruncate,write,pwrite64,writev,pwritev"])  # fmt: skip
    yield node, trace
    if node.process is not None:
        for pid in family_of(node.process.pid)[1:]:
            subprocess.run(["kill", str(pid)], check=False)
        node.process.wait(30)


@needs_strace
@pytest.mark.timeout(300)
def test_the_research_process_opens_nothing_of_the_identified_zone_and_writes_nothing(
    traced: tuple[ResearchNode, Path],
) -> None:
    node, trace = traced
    token = make_token(node, PROJECTS[0])
    information = read_information(node.released)
    told = _ask_everything(node.port, "REQ_A")
    told += _browse(node, token, information)
    settle(1)
    lines = [line for line in trace.read_text(errors="replace").splitlines() if "(" in line]
    assert any(str(node.released) in line for line in lines), "the trace shows the released zone"
    forbidden = [
        line
        for line in lines
        if str(node.identified) in _before_data(line) or "project.key" in line
    ]
    assert not forbidden, forbidden[:10]
    written = [line for line in lines if str(node.folder) in line and _changes(line)]
    unexpected = [line for line in written if not _is_wal_opened(line)]
    record("research isolation", "opens for writing, all of index.sqlite-shm or -wal",
           len(written), "")  # fmt: skip
    assert not unexpected, unexpected[:10]
    assert not factories.grep_canaries([*told, node.log.encode()], _needles())


def _changes(line: str) -> bool:
    """Whether a system call opens for writing, or changes a name, a mode or a length."""
    call = line.split("(", 1)[0].rsplit(maxsplit=1)[-1]
    if "write" in call:
        return re.search(r"\(\d+<[^>]*/storage/", line) is not None
    if call.startswith("open"):
        return _WRITES.search(line) is not None and "= -1" not in line
    return call in {"creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir",
                    "mkdirat", "rmdir", "link", "linkat", "symlink", "chmod", "fchmodat", "chown",
                    "truncate", "ftruncate", "utimensat"} and "= -1" not in line  # fmt: skip


def _before_data(line: str) -> str:
    """A line without what is written: a reply may name a path that a request made up."""
    return re.sub(r"(\d+<[^>]*>), .*", r"\1", line) if "write" in line else line


def _is_wal_opened(line: str) -> bool:
    """Whether a line is SQLite's opening of its log or shared memory, or the latter's size."""
    if re.search(r" open(at)?\(", line):
        return _WAL.search(re.findall(r'"([^"]*)"', line)[0]) is not None
    return re.search(r" (ftruncate|pwrite64)\(\d+<[^>]*index\.sqlite-shm>", line) is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: no other operating-system user to be")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("writer", ["no writer", "a writer"])
def test_another_user_who_may_only_read_the_released_zone_can_serve_it(writer: str) -> None:
    """With the index closed and clean, and while the node has it open."""
    base = Path(tempfile.mkdtemp(prefix="updp-research-"))
    base.chmod(0o755)
    node = make_research_node(base / "node", studies=40, big=False)
    token = make_token(node, PROJECTS[0])
    holder = None
    try:
        _plant(node)
        _close_to_others(node)
        if writer == "a writer":
            holder = _hold_open(node)
        node.start(user="nobody", python=_python_of_everybody())
        assert node.process is not None
        owner = Path(f"/proc/{node.process.pid}").stat().st_uid
        assert owner != 0
        assert _ask_everything(node.port, "REQ_A")
        assert fetch(node, "/studies", token=token).status == 200
        assert "Traceback" not in node.log
    except AssertionError as error:
        error.add_note(node.log[-2000:])
        raise
    finally:
        if holder is not None:
            holder.kill()
            holder.wait()
        node.stop()
        shutil.rmtree(base)


def _python_of_everybody() -> tuple[str, dict[str, str]]:
    """An interpreter that ``nobody`` may run, and the environment that it needs for us."""
    places = [each for each in sys.path if each] + [str(Path(updp_node.__file__).parents[1])]
    mine = Path(sys.executable).resolve()
    if all(each.stat().st_mode & 0o001 for each in mine.parents):
        return str(mine), {"PYTHONPATH": ":".join(places)}
    system = Path("/usr/bin/python3").resolve()
    if system.name != f"python{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip("NO INTERPRETER FOR nobody: ours lies in a closed folder")
    packages = [each for each in places if each.endswith("site-packages")]
    return str(system), {"PYTHONPATH": ":".join([*packages, places[-1]])}


def _close_to_others(node: ResearchNode) -> None:
    """root:nogroup, and nothing but reading for the group; the identified zone for root alone."""
    for path in (node.folder, node.folder / "storage"):
        path.chmod(0o755)
    node.identified.chmod(0o700)
    node.config.chmod(0o644)
    for path in [node.released, *node.released.rglob("*")]:
        shutil.chown(path, 0, 65534)
        path.chmod(0o750 if path.is_dir() else 0o640)
    (node.folder / "research.log").touch()


def _hold_open(node: ResearchNode) -> subprocess.Popen[bytes]:
    """Another process that has the index open as the node has, with an unfinished checkpoint."""
    code = (
        "import sqlite3, sys, time\n"
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode=WAL')\n"
        "c.execute('CREATE TABLE probe (x)'); c.commit()\n"
        "c.execute('DROP TABLE probe'); c.commit()\n"
        "print('open', flush=True); time.sleep(300)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(node.released / "index.sqlite")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    for path in node.released.glob("index.sqlite-*"):
        shutil.chown(path, 0, 65534)
        path.chmod(0o640)
    return process


@pytest.mark.timeout(300)
def test_of_what_a_whole_node_received_its_research_side_tells_nothing(tmp_path: Path) -> None:
    port, web_port = free_port(), free_port()

    def edit(config: dict[str, Any]) -> None:
        config["research"] = {
            "ae_title": "RESEARCH_QR", "port": port, "web": {"port": web_port},
            "access": [{"networks": ["127.0.0.0/8"], "projects": [config["project"]["name"]]}],
        }  # fmt: skip

    node = make_node(tmp_path / "node", edit=edit)
    asked = ResearchNode(node.folder, Zone(node.storage / "released"), port, web_port)
    try:
        node.start()
        assert "research" in node.family(), node.family()
        _send_canaries(node, tmp_path)
        ledger = node.storage / "released" / "ledger.jsonl"
        await_true(lambda: node.is_idle() and ledger.exists(), 180, "everything has its place")
        token = make_token(asked, "accept")
        await_true(lambda: b"0020000D" in fetch(asked, "/studies", token=token).body, 30, "found")
        told = _ask_everything(port, "ANYBODY")
        source = factories.ct_series(1, rows=64)[0].StudyInstanceUID
        told += [fetch(asked, path, token=token).everything
                 for path in ("/studies?includefield=all", "/series", "/instances", "/nothing",
                              f"/studies/{source}")]  # fmt: skip
        time.sleep(0.5)
        node.stop()
    finally:
        node.kill_all()
    hits = factories.grep_canaries([*told, node.log.encode(), asked.released], _needles())
    assert not hits, hits[:10]
    assert "Traceback" not in node.log
    record("research isolation", "searched answers and log", sum(map(len, told)) / 1e6, "MB")


def _send_canaries(node: Node, folder: Path) -> None:
    slices = factories.ct_series(3, rows=64)
    objects = [*slices, factories.text_sr(study_uid=factories.make_uid("elsewhere"))]
    paths = [factories.write(instance, folder / f"{number}.dcm")
             for number, instance in enumerate(objects)]  # fmt: skip
    sent = send(node.port, paths)
    assert set(sent.statuses.values()) == {0x0000}
