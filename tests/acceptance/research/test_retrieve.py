"""C-MOVE and C-GET by DCMTK and Orthanc: what arrives is what was released, bit for bit."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.acceptance.figures import record
from tests.acceptance.research.asking import get
from tests.acceptance.research.orthanc import running_orthanc
from tests.acceptance.research.process import AE_TITLE, ResearchNode, write_identifier
from tests.acceptance.research.retrieving import (
    FOLDER_PORT,
    NOBODY,
    ORTHANC,
    STORESCP,
    assert_identical,
    by_uid,
)
from tests.contracts.peers import storescp
from tests.integration.receiving import data_set_bytes
from tests.oracle_query import Information, Instance
from tests.oracle_query.information import UNIQUE

_BIG_BYTES = 100_000_000


def _released(information: Information, project: str = "alpha") -> list[Instance]:
    """What a requester of a project may have, without the one big instance."""
    return [
        each
        for each in information.instances
        if each.project == project and not each.superseded
        and each.file.stat().st_size < _BIG_BYTES
    ]  # fmt: skip


def _selection(level: str, instance: Instance) -> Dataset:
    """Unique keys down to a level."""
    names = ("PATIENT", "STUDY", "SERIES", "IMAGE")
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in zip(UNIQUE[: names.index(level) + 1], instance.names, strict=False):
        setattr(identifier, keyword, value)
    return identifier


def _below(instances: list[Instance], instance: Instance, level: str) -> list[str]:
    depth = ("PATIENT", "STUDY", "SERIES", "IMAGE").index(level) + 1
    return [each.uid for each in instances if each.names[:depth] == instance.names[:depth]]


def _dcmtk(program: str, *arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [f"/usr/bin/{program}", *map(str, arguments)], check=False, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"TCP_NODELAY": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _move(
    research: ResearchNode, identifier: Dataset, folder: Path, *more: object,
    target: str = STORESCP, calling: str = "REQ_A",
) -> str:  # fmt: skip
    question = folder / "move.dcm"
    write_identifier(identifier, question)
    _, told = _dcmtk("movescu", "-d", "-P", "-aet", calling, "-aec", AE_TITLE, "-aem", target,
                     *more, "127.0.0.1", research.port, question)  # fmt: skip
    research.told.append(told)
    return told


def _get(research: ResearchNode, identifier: Dataset, folder: Path, *more: object) -> str:
    question = folder.parent / f"{folder.name}.dcm"
    folder.mkdir()
    write_identifier(identifier, question)
    _, told = _dcmtk("getscu", "-d", "-P", "+B", "-aet", "REQ_A", "-aec", AE_TITLE, "-od", folder,
                     *more, "127.0.0.1", research.port, question)  # fmt: skip
    research.told.append(told)
    return told


def _last_status(told: str) -> int:
    """The status of the last response that DCMTK's debug output shows."""
    return int(re.findall(r"DIMSE Status\s*: 0x([0-9a-f]{4})", told)[-1], 16)


def _count(told: str, kind: str) -> int:
    found = re.findall(rf"{kind} Suboperations\s*: (\d+)", told)
    return int(found[-1]) if found else 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", ["PATIENT", "STUDY", "SERIES", "IMAGE"])
def test_moved_data_sets_are_those_that_were_released(
    research: ResearchNode, information: Information, tmp_path: Path, level: str
) -> None:
    instances = _released(information)
    moved = 0
    for number, chosen in enumerate(instances[:: len(instances) // 12]):
        with storescp(tmp_path / f"in{number}", port=FOLDER_PORT) as peer:
            told = _move(research, _selection(level, chosen), tmp_path)
            wanted = _below(instances, chosen, level)
            released = {each.uid: each.file for each in instances}
            assert _last_status(told) == 0x0000, told[-3000:]
            assert _count(told, "Completed") == len(wanted)
            assert_identical(by_uid(peer.folder), released, wanted)
            moved += len(wanted)
    record("research retrieval", f"instances moved at {level} level, identical", moved, "")


@pytest.mark.timeout(300)
def test_every_transfer_syntax_arrives_as_it_was_released(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    instances = _released(information)
    by_syntax: dict[str, Instance] = {}
    for each in instances:
        by_syntax.setdefault(str(each.header.file_meta.TransferSyntaxUID), each)
    assert len(by_syntax) >= 10
    with storescp(tmp_path / "in", port=FOLDER_PORT) as peer:
        for chosen in by_syntax.values():
            told = _move(research, _selection("IMAGE", chosen), tmp_path)
            assert _last_status(told) == 0x0000, (chosen.header.file_meta, told[-3000:])
        released = {each.uid: each.file for each in instances}
        assert_identical(by_uid(peer.folder), released, [each.uid for each in by_syntax.values()])


def test_what_a_destination_does_not_accept_is_decoded_for_it(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    """A storescp that takes nothing but implicit little endian."""
    chosen = _one_in(information, "JPEG Lossless", "RLE Lossless", "JPEG-LS Lossless",
                     "JPEG 2000 Image Compression (L")  # fmt: skip
    with storescp(tmp_path / "in", port=FOLDER_PORT, options=("+xi",)) as peer:
        for each in chosen:
            told = _move(research, _selection("IMAGE", each), tmp_path)
            assert _last_status(told) == 0x0000, told[-3000:]
        got = by_uid(peer.folder)
        assert set(got) == {each.uid for each in chosen}
        for each in chosen:
            assert _pixels(got[each.uid]) == _pixels(each.file)


def _one_in(information: Information, *names: str) -> list[Instance]:
    found = []
    for name in names:
        of_syntax = [
            each for each in _released(information)
            if each.header.file_meta.TransferSyntaxUID.name.startswith(name)
        ]  # fmt: skip
        assert of_syntax, name
        found.append(of_syntax[0])
    return found


def _pixels(path: Path) -> bytes:
    return pydicom.dcmread(path).pixel_array.tobytes()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", ["STUDY", "SERIES", "IMAGE"])
def test_data_sets_got_on_the_same_association_are_those_that_were_released(
    research: ResearchNode, information: Information, tmp_path: Path, level: str
) -> None:
    """getscu proposes one syntax for all classes: explicit little endian is asked for here."""
    syntax = "1.2.840.10008.1.2.1"
    instances = _released(information)
    native = [
        each for each in instances if each.header.file_meta.TransferSyntaxUID == syntax
        and all(other.header.file_meta.TransferSyntaxUID == syntax
                for other in instances if other.names[:2] == each.names[:2])
    ]  # fmt: skip
    released = {each.uid: each.file for each in instances}
    for number, chosen in enumerate(native[:: len(native) // 10]):
        folder = tmp_path / f"got{number}"
        told = _get(research, _selection(level, chosen), folder, "+xe")
        assert _last_status(told) == 0x0000, told[-3000:]
        assert_identical(by_uid(folder), released, _below(instances, chosen, level))


@pytest.mark.parametrize(
    ("name", "option"),
    [("JPEG Lossless", "+xs"), ("RLE Lossless", "+xr"), ("JPEG-LS Lossless", "+xt")],
)
def test_compressed_pixels_are_got_whichever_syntax_of_a_context_is_accepted(
    research: ResearchNode, information: Information, tmp_path: Path, name: str, option: str
) -> None:
    """getscu proposes the compressed syntax and uncompressed ones in one context."""
    (chosen,) = _one_in(information, name)
    told = _get(research, _selection("IMAGE", chosen), tmp_path / "got", option)
    assert _last_status(told) == 0x0000, told[-3000:]
    assert _pixels(by_uid(tmp_path / "got")[chosen.uid]) == _pixels(chosen.file)


@pytest.mark.timeout(300)
def test_every_transfer_syntax_is_got_as_it_was_released(
    research: ResearchNode, information: Information
) -> None:
    """One context for each class and syntax, so that the stored one is accepted."""
    instances = _released(information)
    by_syntax = {str(each.header.file_meta.TransferSyntaxUID): each for each in instances}
    for syntax, chosen in by_syntax.items():
        contexts = {(str(each.header.SOPClassUID), str(each.header.file_meta.TransferSyntaxUID))
                    for each in instances if each.names[:2] == chosen.names[:2]}  # fmt: skip
        status, got = get(research.port, _selection("STUDY", chosen), contexts)
        assert status == 0x0000, syntax
        wanted = {each.uid: each for each in instances if each.names[:2] == chosen.names[:2]}
        assert got.keys() == wanted.keys()
        for uid, (accepted, raw) in got.items():
            assert accepted == wanted[uid].header.file_meta.TransferSyntaxUID
            assert raw == data_set_bytes(wanted[uid].file), uid


def test_an_instance_whose_class_has_no_context_is_a_failed_sub_operation(
    research: ResearchNode, information: Information
) -> None:
    chosen = _released(information)[0]
    status, got = get(research.port, _selection("IMAGE", chosen),
                      {("1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.1.2")})  # fmt: skip
    assert not got
    assert status in (0xA702, 0xB000), hex(status)


@pytest.mark.timeout(300)
def test_an_instance_of_150_mb_is_moved_with_little_memory(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    (big,) = [each for each in information.instances if each.file.stat().st_size > _BIG_BYTES]
    before = research.rss_mb()
    with storescp(tmp_path / "in", port=FOLDER_PORT) as peer:
        told = _move(research, _selection("IMAGE", big), tmp_path)
        assert _last_status(told) == 0x0000, told[-3000:]
        assert_identical(by_uid(peer.folder), {big.uid: big.file}, [big.uid])
    record("research retrieval", "memory grown while 157 MB are moved",
           round(research.rss_mb() - before, 1), "MB")  # fmt: skip
    assert research.peak_mb() < before + 60


def test_a_superseded_generation_is_not_retrieved_with_its_study(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    older = next(each for each in information.instances
                 if each.superseded and each.project == "alpha")  # fmt: skip
    with storescp(tmp_path / "in", port=FOLDER_PORT) as peer:
        told = _move(research, _selection("STUDY", older), tmp_path)
        assert _last_status(told) == 0x0000
        assert older.uid not in by_uid(peer.folder)


def test_a_destination_that_is_unknown_is_refused(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    told = _move(research, _selection("STUDY", _released(information)[0]), tmp_path,
                 target="UNHEARD_OF")  # fmt: skip
    assert _last_status(told) == 0xA801, told[-2000:]


def test_a_destination_where_nobody_listens_fails_every_sub_operation(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    chosen = _released(information)[0]
    told = _move(research, _selection("STUDY", chosen), tmp_path, target=NOBODY)
    wanted = _below(_released(information), chosen, "STUDY")
    assert _last_status(told) in (0xA702, 0xB000, 0xC000), told[-2000:]
    assert _count(told, "Failed") == len(wanted), told[-2000:]


@pytest.mark.timeout(300)
def test_orthanc_queries_and_retrieves(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    instances = _released(information)
    studies = list(dict.fromkeys(each.names[1] for each in instances))[:8]
    with running_orthanc(tmp_path / "orthanc", research.port) as orthanc:
        found = orthanc.query("Study", {"StudyInstanceUID": "", "PatientName": "", "StudyDate": ""})
        everything = {each.names[1] for each in information.instances
                      if each.project == "alpha" and not each.superseded}  # fmt: skip
        assert {each["0020,000d"] for each in found} == everything
        for study in studies:
            orthanc.retrieve("Study", {"StudyInstanceUID": study}, target=ORTHANC)
        got = orthanc.files(tmp_path / "files")
        wanted = [each.uid for each in instances if each.names[1] in studies]
        assert set(got) == set(wanted)
        released = {each.uid: each.file for each in instances}
        for uid in wanted:  # Orthanc writes what it received anew: lengths of sequences differ
            assert pydicom.dcmread(got[uid]) == pydicom.dcmread(released[uid])
    record("research retrieval", "instances retrieved by Orthanc, equal", len(wanted), "")
