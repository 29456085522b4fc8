"""C-FIND over a million instances: time to the first answer, streaming, memory.

``python -m tests.benchmarks.find``: the node's research process, and Orthanc at the size that it
can load in ``--orthanc-minutes``. The result is appended to ``docs/benchmarks-find.md``.
"""

from __future__ import annotations

import argparse
import calendar
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydicom.dataset import Dataset

from tests.benchmarks.find_requester import Requester, Timing
from tests.benchmarks.find_zone import (
    PER_SERIES,
    PROJECT,
    SERIES,
    Study,
    encode_study,
    fill_index,
    make_study,
)
from tests.benchmarks.servers import ECHOSCU
from tests.contracts.peers import free_port

_RUNS = 30
_AIM_MS = 50
_STREAMED = 100_000
_RETURN = ("PatientName", "PatientID", "PatientBirthDate", "StudyTime", "AccessionNumber",
           "StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedSeries",
           "NumberOfStudyRelatedInstances", "StudyInstanceUID", "StudyDate")  # fmt: skip


def main() -> None:
    """Measure and append the tables."""
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        _tell(_heading(options) + _measure_node(folder, options.studies), options.output)
        if options.orthanc_minutes:
            _tell(_measure_orthanc(folder, options.orthanc_minutes), options.output)


def _tell(text: str, output: Path) -> None:
    print(text, flush=True)
    with output.open("a", encoding="utf-8") as file:
        file.write(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=20_000, help="of 50 instances each")
    parser.add_argument("--orthanc-minutes", type=float, default=10, help="0: without Orthanc")
    parser.add_argument("--folder", type=Path, help="where the databases are made")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks-find.md"))
    return parser.parse_args()


def _heading(options: argparse.Namespace) -> str:
    return (
        f"\n## {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, "
        f"{platform.machine()}\n\n"
        f"Study-level queries, Study Root, {len(_RETURN)} attributes, over one association by a "
        f"requester that only counts (`tests/benchmarks/find_requester.py`); {_RUNS} different "
        f"queries of each kind after one to warm up. Aim: first answer within {_AIM_MS} ms at "
        "one million instances.\n"
    )


def _measure_node(folder: Path, studies: int) -> str:
    released = folder / "released"
    released.mkdir()
    started = time.perf_counter()
    fill_index(released / "index.sqlite", studies)
    made_s, port = time.perf_counter() - started, free_port()
    size_mb = (released / "index.sqlite").stat().st_size / 1e6
    config = folder / "research.yaml"
    config.write_text(yaml.safe_dump({"research": {
        "ae_title": "UPDP", "port": port, "released": str(released), "max_answers": _STREAMED,
        "access": [{"networks": ["127.0.0.0/8"], "projects": [PROJECT]}],
    }}))  # fmt: skip
    command = [sys.executable, "-m", "updp_node", "serve", "--role", "research",
               "--config", str(config)]  # fmt: skip
    count = studies * SERIES * PER_SERIES
    title = (
        f"\n### updp_node, {count:,} instances of {studies:,} studies "
        f"(index {size_mb:.0f} MB, made in {made_s:.0f} s)\n"
    )
    with _served(command, port, folder / "node.log") as pid:
        return title + _table(pid, port, "UPDP", studies)


def _measure_orthanc(folder: Path, minutes: float) -> str:
    port, web_port = free_port(), free_port()
    settings = {
        "StorageDirectory": str(folder / "orthanc"), "IndexDirectory": str(folder / "orthanc"),
        "DicomPort": port, "DicomAet": "ORTHANC", "HttpPort": web_port,
        "DicomAlwaysAllowFind": True, "DicomAlwaysAllowEcho": True, "LimitFindResults": 0,
        "LimitFindInstances": 0, "AuthenticationEnabled": False, "DicomCheckCalledAet": False,
    }  # fmt: skip
    path = folder / "orthanc.json"
    path.write_text(json.dumps(settings))
    with _served(["Orthanc", str(path)], port, folder / "orthanc.log") as pid:
        studies = _load(web_port, minutes * 60)
        count = studies * SERIES * PER_SERIES
        version = json.loads(_get(web_port, "/system"))["Version"]
        title = (
            f"\n### Orthanc {version}, {count:,} instances of {studies:,} studies "
            f"(what it loaded over HTTP in {minutes:g} min)\n"
        )
        return title + _table(pid, port, "ORTHANC", studies)


def _table(pid: int, port: int, called: str, studies: int) -> str:
    requester = Requester(port, called=called)
    before_mb = _status_mb(pid, "VmRSS")
    lines = ["", "| query | first answer, median ms | slowest ms | all answers, median ms "
             "| answers, median |", "|---|---|---|---|---|"]  # fmt: skip
    for name in _QUESTIONS:
        times = [requester.find(_ask(name, number, studies)) for number in range(_RUNS + 1)][1:]
        lines.append(_row(name, times))
    between_mb = _status_mb(pid, "VmRSS")
    lines += [
        "",
        _stream(requester),
        f"Resident memory {before_mb:.0f} MB before, {between_mb:.0f} MB after the study-level "
        f"queries, {_status_mb(pid, 'VmRSS'):.0f} MB after streaming, at most "
        f"{_status_mb(pid, 'VmHWM'):.0f} MB.", "",
    ]  # fmt: skip
    return "\n".join(lines)


_QUESTIONS = (
    "Study Instance UID", "Patient ID", "name prefix", "name prefix, lower case", "one month",
    "one day and modality", "name that nobody has", "wild card amid a name",
)  # fmt: skip


def _ask(name: str, number: int, studies: int) -> Dataset:
    study = make_study((number * 7919 + 13) % studies)
    identifier = Dataset()
    identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = "STUDY"
    for keyword in _RETURN:
        setattr(identifier, keyword, "")
    for keyword, value in _keys(name, study).items():
        setattr(identifier, keyword, value)
    return identifier


def _keys(name: str, study: Study) -> dict[str, str]:
    family = study.name.split("^")[0]
    return {
        "Study Instance UID": {"StudyInstanceUID": study.uid},
        "Patient ID": {"PatientID": study.patient_id},
        "name prefix": {"PatientName": f"{family[:-1]}*"},
        "name prefix, lower case": {"PatientName": f"{family[:-1].lower()}*"},
        "one month": {"StudyDate": f"{study.date[:6]}01-{study.date[:6]}{_days(study.date)}"},
        "one day and modality": {"StudyDate": study.date, "ModalitiesInStudy": "CT"},
        "name that nobody has": {"PatientName": f"{family}xyz*"},
        "wild card amid a name": {"PatientName": f"*{family[2:]}*"},
    }[name]


def _days(date: str) -> int:
    return calendar.monthrange(int(date[:4]), int(date[4:6]))[1]


def _ask_images() -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "IMAGE"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "InstanceNumber",
                    "SOPClassUID"):  # fmt: skip
        setattr(identifier, keyword, "")
    identifier.Rows = None
    return identifier


def _stream(requester: Requester) -> str:
    try:
        streamed = requester.find(_ask_images())
    except TimeoutError:
        return "Answers at image level: given up after 300 s without a word."
    return (
        f"{streamed.answers:,} answers at image level in {streamed.total_s:.1f} s "
        f"({streamed.answers / streamed.total_s:,.0f}/s), first after "
        f"{streamed.first_s * 1000:.1f} ms, final status {streamed.status:#06x}."
    )


def _row(name: str, times: list[Timing]) -> str:
    firsts = [1000 * each.first_s for each in times]
    totals = [1000 * each.total_s for each in times]
    return (
        f"| {name} | {statistics.median(firsts):.1f} | {max(firsts):.1f} "
        f"| {statistics.median(totals):.1f} "
        f"| {statistics.median(each.answers for each in times):.0f} |"
    )


@contextmanager
def _served(command: list[str], port: int, log: Path) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output,
            env=os.environ | {"TCP_NODELAY": "1"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        echo = [ECHOSCU, "-to", "2", "-aet", "BENCH", "-aec", "UPDP", "127.0.0.1", str(port)]
        while subprocess.run(echo, capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no answer: {log.read_text()[-1000:]}")
            time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def _load(port: int, seconds: float, lanes: int = 2) -> int:
    """Upload whole studies until the time is over; returns how many are there."""
    until = time.monotonic() + seconds
    counter, lock = iter(range(10**9)), threading.Lock()
    done: list[int] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        while time.monotonic() < until:
            with lock:
                number = next(counter)
            for raw in encode_study(make_study(number)):
                connection.request("POST", "/instances", body=raw)
                connection.getresponse().read()
            done.append(number)

    threads = [threading.Thread(target=work) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    return connection.getresponse().read()


def _status_mb(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1e3


if __name__ == "__main__":
    main()
