"""The index of the released zone: written, read, made again."""

import fcntl
import json
import sqlite3
import threading
import time

import pytest
from pydicom import Dataset

from tests import factories
from updp_node.errors import SpoolError
from updp_node.publication import rebuild
from updp_node.query import Level, Model, Selection
from updp_node.query.identifier import read_query
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.description import describe
from updp_node.storage.ledger import Ledger, LedgerEntry
from updp_node.storage.released_index import ReleasedIndex, ReleasedInstance
from updp_node.storage.research_engine import open_research_engine
from updp_node.storage.research_index import ResearchIndex
from updp_node.storage.tokens import Tokens

A = frozenset({"A"})


@pytest.fixture
def zone(tmp_path):
    migrate(sqlite_url(tmp_path / "index.sqlite"), "released")
    return tmp_path


@pytest.fixture
def index(zone):
    return ReleasedIndex(open_engine(sqlite_url(zone / "index.sqlite")), zone)


@pytest.fixture
def research(zone, index):
    return ResearchIndex(open_research_engine(sqlite_url(zone / "index.sqlite")))


def release(zone, index, *, project="A", supersedes=None, at=None, **attributes):
    made = factories.chest_cr()
    made.SOPInstanceUID = attributes.pop("uid")
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    path = zone / "files" / "00" / f"{made.SOPInstanceUID}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(factories.encode(made))
    entry = LedgerEntry(
        str(made.SOPInstanceUID), project, str(path.relative_to(zone)), "0" * 64,
        at or time.time(), supersedes,
    )  # fmt: skip
    index.add([ReleasedInstance(entry, describe(path))])
    return made


def ask(research, level, projects=A, **keys):
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    return list(
        research.search(read_query(identifier, Model.PATIENT_ROOT, relational=True), projects)
    )


def test_one_answer_for_each_entity_of_the_level(zone, index, research):
    release(zone, index, uid="1.1")
    release(zone, index, uid="1.2")
    release(zone, index, uid="1.3", SeriesInstanceUID="7.1")
    assert len(ask(research, "PATIENT")) == 1
    assert len(ask(research, "STUDY")) == 1
    assert len(ask(research, "SERIES")) == 2
    assert len(ask(research, "IMAGE")) == 3


def test_counts_are_of_what_can_be_found(zone, index, research):
    release(zone, index, uid="1.1")
    release(zone, index, uid="1.2", supersedes="1.1")
    release(zone, index, uid="1.3", SeriesInstanceUID="7.1", Modality="SR")
    [answer] = ask(
        research, "STUDY", NumberOfStudyRelatedSeries=None, NumberOfStudyRelatedInstances=None,
        ModalitiesInStudy=None,
    )  # fmt: skip
    assert answer["00201206"]["Value"] == [2]
    assert answer["00201208"]["Value"] == [2]
    assert answer["00080061"]["Value"] == ["CR", "SR"]


def test_a_superseded_instance_is_found_only_by_its_name(zone, index, research):
    release(zone, index, uid="1.1")
    release(zone, index, uid="1.2", supersedes="1.1")
    assert [each["00080018"]["Value"] for each in ask(research, "IMAGE")] == [["1.2"]]
    assert len(ask(research, "IMAGE", SOPInstanceUID="1.1")) == 1
    chosen = research.select(Selection(Level.IMAGE, instance_uids=("1.1",)), A)
    assert [each.sop_instance_uid for each in chosen] == ["1.1"]
    everything = release(zone, index, uid="1.3")
    found = research.select(Selection(Level.STUDY, study_uids=(everything.StudyInstanceUID,)), A)
    assert [each.sop_instance_uid for each in found] == ["1.2", "1.3"]


def test_another_project_sees_nothing(zone, index, research):
    made = release(zone, index, uid="1.1")
    other = frozenset({"B"})
    for level in ("PATIENT", "STUDY", "SERIES", "IMAGE"):
        assert not ask(research, level, other)
        assert not ask(research, level, frozenset())
    selection = Selection(Level.STUDY, study_uids=(str(made.StudyInstanceUID),))
    assert not list(research.select(selection, other))
    assert not research.stored_syntaxes(other)


def test_a_modality_of_the_study_is_asked_at_every_level(zone, index, research):
    release(zone, index, uid="1.1")
    for level in ("STUDY", "SERIES", "IMAGE"):
        assert len(ask(research, level, ModalitiesInStudy="C*")) == 1
        assert not ask(research, level, ModalitiesInStudy="MR")


def test_names_are_found_without_case_and_accents(zone, index, research):
    release(zone, index, uid="1.1", PatientName="Müller^Änne", SpecificCharacterSet="ISO_IR 192")
    assert ask(research, "PATIENT", PatientName="muller*")
    assert ask(research, "PATIENT", PatientName="*ANNE")
    assert not ask(research, "PATIENT", PatientName="miller*")


def test_an_index_is_made_again_from_ledger_and_files(zone, index, research):
    release(zone, index, uid="1.1", at=1.0)
    release(zone, index, uid="1.2", supersedes="1.1", at=2.0)
    (zone / "files" / "00" / "9.9.dcm").write_bytes(b"nobody released this")
    before = ask(research, "IMAGE", SOPClassUID=None, PatientName=None)
    with sqlite3.connect(zone / "index.sqlite") as connection:
        connection.execute("DELETE FROM released_instances")
    assert not ask(research, "IMAGE")
    done = []
    found = rebuild(index, zone, done.append, check_content=False)
    assert (found.indexed, found.damaged, found.unnamed) == (2, 0, 1)
    assert sum(done) == 2
    assert ask(research, "IMAGE", SOPClassUID=None, PatientName=None) == before


def test_a_rebuild_that_dies_leaves_the_index_as_it_was(zone, index, research):
    release(zone, index, uid="1.1")

    def die(batch):
        assert len(ask(research, "IMAGE")) == 1  # researchers go on finding
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.replace(die)
    assert len(ask(research, "IMAGE")) == 1


def test_an_append_waits_for_another_writer_of_the_ledger(tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.append([LedgerEntry("1.1", "A", "f", "0", 1.0)])
    line = path.read_bytes()
    last = [LedgerEntry("1.3", "A", "f", "0", 3.0)]
    appending = threading.Thread(target=ledger.append, args=(last,))
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        appending.start()
        appending.join(0.3)
        assert path.read_bytes() == line  # it waits
        other.write(line.replace(b"1.1", b"1.2"))
        other.flush()
    appending.join(10)
    assert [each.sop_instance_uid for each in ledger.read()] == ["1.1", "1.2", "1.3"]


def test_a_rebuild_tells_what_is_damaged(zone, index):
    release(zone, index, uid="1.1")
    release(zone, index, uid="1.2")
    (zone / "files" / "00" / "1.1.dcm").unlink()
    found = rebuild(index, zone, lambda _: None, check_content=True)
    assert (found.indexed, found.damaged) == (0, 2)  # 1.2 is not what the digest says


def test_rows_of_an_index_before_the_levels_come_back_by_a_rebuild(tmp_path):
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    import updp_node.storage.database as database  # noqa: PLC0415

    url = sqlite_url(tmp_path / "index.sqlite")
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS / "released"))
    config.set_main_option("sqlalchemy.url", url)
    command.upgrade(config, "0001")
    made = factories.chest_cr()
    path = tmp_path / "files" / "00" / "x.dcm"
    path.parent.mkdir(parents=True)
    path.write_bytes(factories.encode(made))
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute(
            "INSERT INTO released_instances VALUES (?,?,?,?,?,?,?,?,?,?)",
            (str(made.SOPInstanceUID), "c", "s", "t", "x", "A", "files/00/x.dcm", "0", 1.0, None),
        )
    migrate(url, "released")
    index = ReleasedIndex(open_engine(url), tmp_path)
    assert index.count_unread() == 1
    assert rebuild(index, tmp_path, lambda _: None, check_content=False).indexed == 1
    assert index.count_unread() == 0


def test_the_research_engine_cannot_write(zone, index):
    engine = open_research_engine(sqlite_url(zone / "index.sqlite"))
    with pytest.raises(Exception, match="readonly"), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM released_instances")


def test_a_ledger_survives_a_line_that_a_crash_cut(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    entry = LedgerEntry("1.1", "A", "files/x", "0", 1.0)
    ledger.append([entry])
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write('{"sop_instance_uid": "1.')
    assert list(ledger.read()) == [entry]
    ledger.append([LedgerEntry("1.2", "A", "files/y", "0", 2.0)])
    assert [each.sop_instance_uid for each in ledger.read()] == ["1.1", "1.2"]


def test_a_damaged_ledger_is_told_with_its_line(tmp_path):
    (tmp_path / "ledger.jsonl").write_text(json.dumps({"x": 1}) + "\n")
    with pytest.raises(SpoolError, match="line 1"):
        list(Ledger(tmp_path / "ledger.jsonl").read())


def test_a_token_opens_its_project_until_it_is_revoked_or_expires(zone, index):
    tokens = Tokens(open_engine(sqlite_url(zone / "index.sqlite")))
    token = tokens.add("A", "alice", now=100.0, expires_at=200.0)
    [listed] = tokens.list()
    checked = tokens.check(token, now=150.0)
    assert checked is not None
    assert checked.project == "A"
    assert tokens.check(token, now=200.0) is None
    assert tokens.check("updp_wrong", now=150.0) is None
    tokens.revoke(listed.id, now=160.0)
    assert tokens.check(token, now=161.0) is None
    content = (zone / "index.sqlite").read_bytes() + (zone / "index.sqlite-wal").read_bytes()
    assert token.encode() not in content


def test_a_study_without_a_date_is_found_by_any_date(zone, index, research):
    release(zone, index, uid="1.1", StudyDate="", PatientName="", Modality="")
    assert ask(research, "STUDY", StudyDate="20200101-", PatientName="SOMEBODY*")
    assert ask(research, "SERIES", Modality="MR")


def test_a_sequence_comes_back_with_its_matching_items_alone(zone, index, research):
    codes = []
    for value in ("A1", "B2"):
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "99X", value
        codes.append(code)
    release(zone, index, uid="1.1", ProcedureCodeSequence=codes)
    wanted = Dataset()
    wanted.CodeValue = "B*"
    [answer] = ask(research, "STUDY", ProcedureCodeSequence=[wanted])
    assert answer["00081032"]["Value"] == [{"00080100": {"vr": "SH", "Value": ["B2"]}}]


def test_dates_and_times_are_combined_only_where_the_ranges_have_one_form(zone, index, research):
    release(zone, index, uid="1.1", StudyDate="20200102", StudyTime="080000")
    for time_range, expected in (("1000-1200", 1), ("1000-", 0)):
        identifier = Dataset()
        identifier.QueryRetrieveLevel = "STUDY"
        identifier.StudyDate, identifier.StudyTime = "20200101-20200103", time_range
        query = read_query(identifier, Model.STUDY_ROOT, combined_datetime=True)
        assert len(list(research.search(query, A))) == expected
