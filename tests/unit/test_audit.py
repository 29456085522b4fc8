"""The audit counts right, tells nobody, and changes nothing."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

import updp_node.verify
from tests import factories
from tests.factories.measurements import read_schema
from updp_node.audit import Characteristics, audit_node, measure_groups
from updp_node.audit.counts import GATE
from updp_node.cli import app
from updp_node.config import Config, load_config
from updp_node.errors import ConfigError
from updp_node.evaluation.figure import Figure
from updp_node.evaluation.report import write_report
from updp_node.initialize import initialize
from updp_node.storage.audit_index import AuditIndex
from updp_node.storage.description import describe
from updp_node.storage.ledger import LedgerEntry
from updp_node.storage.released_index import ReleasedIndex, ReleasedInstance
from updp_node.storage.research_engine import open_research_engine
from updp_node.storage.tables import (
    InstanceRow,
    QuarantineRow,
    ReleaseRow,
    RunRow,
    StudyRow,
    WorkRow,
)
from updp_node.zones import Zones

NOW = datetime.now(UTC)
OLD, NEW = (NOW - timedelta(days=40)).timestamp(), (NOW - timedelta(days=2)).timestamp()
SINCE = NOW - timedelta(days=10)
PROMPTS = (["adult", "no finding"], ["adult", "no finding"], ["adult", "edema"],
           ["adult", "edema"], ["child", "pneumothorax"], None)  # fmt: skip


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node with six patients released, the oldest two before `SINCE`, and two instances held."""
    folder = tmp_path_factory.mktemp("node")
    paths = initialize(folder, project="trial", now=NOW)
    zones = Zones.of(load_config(paths[0]))
    zones.prepare()
    _fill_identified(zones)
    _fill_released(zones)
    return paths[0]


def _fill_identified(zones: Zones) -> None:
    engine = zones.open_identified()
    with Session(engine) as session, session.begin():
        for number in range(len(PROMPTS)):
            session.add(_study(number))
        session.flush()
        session.add(
            RunRow(
                id="run-1",
                study_id="s0",
                route="chest",
                profile="p",
                state="done",
                profile_digest="d" * 64,
                started_at=OLD,
                ended_at=OLD,
                attempts=1,
            )
        )
        for number, prompt in enumerate(PROMPTS):
            at = OLD if number < 2 else NEW
            row = _instance(number, at, "done")
            session.add(row)
            session.flush()
            session.add(WorkRow(run_id="run-1", instance_id=row.id, outcome="released"))
            session.add(_release(number, row.id, at, prompt))
        for code, at in (("residual-identifier", OLD), ("residual-identifier", NEW),
                         ("no-route", NEW)):  # fmt: skip
            held = _instance(90 + len(code), at, "quarantined")
            session.add(held)
            session.flush()
            session.add(QuarantineRow(instance_id=held.id, code=code, detail="(0008,0090) 1",
                                      state="open", created_at=at))  # fmt: skip
    engine.dispose()


def _study(number: int) -> StudyRow:
    return StudyRow(id=f"s{number}", study_uid=f"1.2.{number}", last_arrival_at=OLD,
                    patient_sha256=f"{number:064}", generation=1)  # fmt: skip


def _instance(number: int, at: float, state: str) -> InstanceRow:
    return InstanceRow(
        state=state, sop_class_uid="1.2", sop_instance_uid=f"1.2.3.{number}", size_bytes=1,
        transfer_syntax_uid="1.2", calling_ae_title="PACS", association_id="a",
        sha256="0" * 64, received_at=at, study_id=f"s{number}" if number < 6 else None,
    )  # fmt: skip


def _release(number: int, instance_id: int, at: float, prompt: list[str] | None) -> ReleaseRow:
    return ReleaseRow(
        instance_id=instance_id, run_id="run-1", source_uid=f"1.2.3.{number}", generation=1,
        profile_digest="d" * 64, action="synthesize" if prompt else "none", prompt=prompt,
        sop_instance_uid=f"2.25.{number}", sop_class_uid="1.2", study_uid=f"2.25.1{number}",
        series_uid=f"2.25.2{number}", transfer_syntax_uid="1.2", file=f"files/{number}.dcm",
        sha256="0" * 64, released_at=at,
    )  # fmt: skip


def _fill_released(zones: Zones) -> None:
    """Four patients alike, one of another age, one of another age and device."""
    engine = zones.open_released()
    index = ReleasedIndex(engine, zones.released)
    for number in range(6):
        made = factories.chest_cr()
        made.SOPInstanceUID, made.PatientID = f"2.25.{number}", f"trial-PSEUDONYM{number}"
        made.PatientAge = "045Y" if number < 4 else f"0{number}0Y"
        made.PatientSex, made.ManufacturerModelName = "F", "X1" if number < 5 else "RARE MODEL"
        made.StudyDate = f"2026010{number + 1}"
        made.InstitutionName = made.InstitutionalDepartmentName = None
        path = zones.released / "files" / f"{number}.dcm"
        path.write_bytes(factories.encode(made))
        entry = LedgerEntry(str(made.SOPInstanceUID), "trial", f"files/{number}.dcm", "0" * 64,
                            time.time())  # fmt: skip
        index.add([ReleasedInstance(entry, describe(path))])
    engine.dispose()


@pytest.fixture(scope="module")
def config(config_file: Path) -> Config:
    return load_config(config_file)


def figures_of(config: Config, since: datetime | None = None) -> Mapping[str, Figure]:
    report = audit_node(config, since=since, now=NOW)
    return {figure.key: figure for figure in report.measurements.figures}


def test_counts_are_those_of_the_index(config: Config) -> None:
    found = figures_of(config)
    assert found["audit.received.done"].value == 6
    assert found["audit.received.quarantined"].value == 3
    assert found["audit.held.residual-identifier"].value == 2
    assert found["audit.held.no-route"].value == 1
    assert found["audit.released.synthesize"].value == 5
    assert found["audit.released.none"].value == 1
    assert found["audit.outcome.released"].value == 6
    assert found["audit.subjects.patients"].value == 6


def test_counts_since_a_date_leave_out_what_was_before(config: Config) -> None:
    found = figures_of(config, SINCE)
    assert found["audit.received.done"].value == 4
    assert found["audit.held.residual-identifier"].value == 1
    assert found["audit.subjects.studies"].value == 4
    assert found["audit.runs"].value is None


def test_the_gate_is_told_by_what_it_refused_of_all_it_saw(config: Config) -> None:
    gate = figures_of(config, SINCE)["audit.gate.refused"]
    assert gate.value == pytest.approx(1 / 5)  # no-route never reached the gate
    assert gate.detail == {"refused": 1, "passed": 4}


def test_patients_are_grouped_by_prompt_over_everything_released(config: Config) -> None:
    found = figures_of(config, SINCE)
    assert found["audit.k.prompt"].value == 1
    assert found["audit.k.prompt"].detail == {"groups": 3, "sizes of the smallest": "1, 2, 2"}
    assert found["audit.groups.prompt.1"].value == 1
    assert found["audit.groups.prompt.2"].value == 4


def test_patients_are_grouped_by_what_headers_retain(config: Config) -> None:
    found = figures_of(config)
    assert found["audit.k.age"].detail["sizes of the smallest"] == "1, 1, 4"
    assert found["audit.k.sex"].value == 6
    assert found["audit.k.device"].detail["sizes of the smallest"] == "1, 5"
    assert found["audit.k.dates"].value == 1
    assert found["audit.alone.dates"].value == 1.0
    assert found["audit.k.institution"].value is None
    assert "no released object" in found["audit.k.institution"].why
    together = found["audit.k.age-sex-device-institution"]
    assert together.detail["sizes of the smallest"] == "1, 1, 4"
    assert together.why == "kept of them: age, sex, device"


def test_patients_of_two_projects_are_never_in_one_group() -> None:
    made = factories.chest_cr()
    found = Characteristics()
    for project in ("a", "b"):
        found.add(project, made)
    sexes = {figure.key: figure for figure in measure_groups(found)}["audit.k.sex"]
    assert sexes.detail["groups"] == 2


def test_the_report_holds_no_patient_no_pseudonym_and_no_uid(
    config_file: Path, tmp_path: Path
) -> None:
    told = CliRunner().invoke(app, ["audit", str(config_file), "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    for name in ("report.json", "report.html"):
        content = (tmp_path / "out" / name).read_text("utf-8")
        for never in ("PSEUDONYM", "2.25.", "1.2.3.", "RARE MODEL", "045Y", "20260101",
                      "pneumothorax", "(0008,0090)", "f" * 64):  # fmt: skip
            assert never not in content, never


def test_an_audit_changes_no_byte_and_leaves_no_content(config: Config) -> None:
    root = config.storage.root
    before = _snapshot(root)
    figures_of(config)
    assert _snapshot(root) == before


def _snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file but those in which SQLite's readers hold their places, and empty ones."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.stat().st_size and not path.name.endswith("-shm")
    }


def test_an_audit_sees_what_a_running_node_has_just_committed(config: Config) -> None:
    engine = Zones.of(config).open_identified()
    with Session(engine) as session:
        session.add(row := _instance(77, OLD, "quarantined"))
        session.commit()  # in the write-ahead log; the connection stays open
        try:
            assert figures_of(config)["audit.received.quarantined"].value == 4
        finally:
            session.delete(row)
            session.commit()
    engine.dispose()


def test_the_connection_of_an_audit_cannot_write(config: Config) -> None:
    engine = open_research_engine(Zones.of(config).identified_url)
    index = AuditIndex(engine)
    assert index.instances()
    with Session(engine) as session:
        session.add(_instance(78, NEW, "done"))
        with pytest.raises(OperationalError):
            session.commit()
    engine.dispose()


def test_a_node_that_was_never_started_has_nothing_to_audit(tmp_path: Path) -> None:
    paths = initialize(tmp_path, project="trial", now=NOW)
    with pytest.raises(ConfigError, match="not been started"):
        audit_node(load_config(paths[0]), since=None, now=NOW)


def test_a_released_file_that_cannot_be_read_is_counted_and_in_no_group(config: Config) -> None:
    path = config.released / "files" / "5.dcm"
    content = path.read_bytes()
    try:
        path.write_bytes(b"damaged")
        found = figures_of(config)
    finally:
        path.write_bytes(content)
    assert found["audit.unreadable"].value == 1
    assert found["audit.objects"].value == 5


def test_the_page_shows_the_groups(config: Config, tmp_path: Path) -> None:
    paths = write_report(audit_node(config, since=None, now=NOW), tmp_path)
    record = json.loads(paths[0].read_text("utf-8"))
    jsonschema_rs.validate(read_schema(), record)
    assert record["kind"] == "audit"
    assert record["gate"] == {"outcome": "none", "limits": []}
    page = paths[1].read_text("utf-8")
    assert "Patients by the size of their group" in page
    assert "release gate" not in page
    assert str(config.storage.root) not in page


def test_every_code_that_counts_as_the_gates_is_raised_by_the_gate() -> None:
    folder = Path(updp_node.verify.__file__).parent
    source = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py")))
    composed = {"residual-uid", "residual-date"}  # f"residual-{kind}"
    assert not [code for code in GATE - composed if f'"{code}"' not in source]
    assert 'f"residual-{' in source
