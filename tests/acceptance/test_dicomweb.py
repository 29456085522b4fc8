"""DICOMweb at size: a multi-frame of 1 GB in little memory, and many generated requests."""

from __future__ import annotations

import hashlib
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import schemathesis
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless, generate_uid
from schemathesis import GenerationMode

from tests.acceptance.figures import record
from tests.factories import images
from tests.factories.canary import encode
from tests.integration.test_dicomweb_server import call
from tests.integration.web_zone import WebZone, path_of

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
FRAMES, SIDE = 512, 1024  # 16 bits: 1 GiB
MOST_MIB = 200


@dataclass
class Served:
    zone: WebZone
    process: subprocess.Popen[bytes]
    url: str
    headers: dict[str, str]

    @property
    def peak_mib(self) -> float:
        """Largest resident set since the start, or since `forget_peak`."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(each for each in text.splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def write_native(zone: WebZone) -> Path:
    """A multi-frame object of 1 GiB; every frame begins with its number."""
    dataset = images.chest_cr(rows=SIDE, columns=SIDE)
    dataset.NumberOfFrames = FRAMES
    dataset.SOPInstanceUID = generate_uid()
    content = encode(dataset)
    start = content.rindex(b"\xe0\x7f\x10\x00OW\0\0")
    path = zone.root / "files" / "native.dcm"
    frame = np.random.default_rng(1).integers(0, 4096, SIDE * SIDE, np.uint16).tobytes()
    with path.open("wb") as file:
        file.write(content[: start + 8] + struct.pack("<I", FRAMES * len(frame)))
        for number in range(FRAMES):
            file.write(struct.pack("<I", number) + frame[4:])
    return path


def write_encapsulated(zone: WebZone) -> Path:
    """Compressed frames of 2 MiB in two fragments each, without any offset table."""
    dataset = images.chest_cr(rows=SIDE, columns=SIDE)
    dataset.SOPInstanceUID = generate_uid()
    dataset.NumberOfFrames = FRAMES
    content = encode(dataset)
    start = content.rindex(b"\xe0\x7f\x10\x00OW\0\0")
    head = content[:start].replace(b"1.2.840.10008.1.2.1\0", JPEGLSLossless.encode(), 1)
    grown = struct.unpack_from("<I", head, 140)[0] + len(JPEGLSLossless) - 20
    head = bytearray(head)
    struct.pack_into("<I", head, 140, grown)
    at = head.index(JPEGLSLossless.encode())
    struct.pack_into("<H", head, at - 2, len(JPEGLSLossless))
    piece = np.random.default_rng(2).integers(1, 250, 1 << 20, np.uint8).tobytes()
    path = zone.root / "files" / "encapsulated.dcm"
    with path.open("wb") as file:
        file.write(bytes(head) + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff")
        file.write(struct.pack("<HHI", 0xFFFE, 0xE000, 0))
        for number in range(FRAMES):
            for first in (b"\xff\xd8\xff\xf7", struct.pack("<I", number)):
                file.write(struct.pack("<HHI", 0xFFFE, 0xE000, 1 << 20) + first + piece[4:])
        file.write(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    return path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    zone = WebZone(tmp_path_factory.mktemp("released"))
    zone.add(images.chest_cr(rows=64, columns=48, study_uid="1.2.3"), images.ultrasound(3))
    for write in (write_native, write_encapsulated):
        zone.add_path(write(zone))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.web_process", str(zone.root), str(port)],
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {zone.token()}"}
    for _ in range(200):
        try:
            httpx.get(f"{url}/studies", headers=headers)
            break
        except httpx.ConnectError:
            time.sleep(0.1)
    yield Served(zone, process, url, headers)
    process.terminate()
    process.wait(20)
    for path in zone.root.glob("files/*.dcm"):
        path.unlink()


def fetch(served: Served, path: str, accept: str) -> tuple[str, int, float]:
    """Digest, size and duration of a streamed answer."""
    digest, size, began = hashlib.sha256(), 0, time.monotonic()
    headers = {**served.headers, "Accept": accept}
    with httpx.stream("GET", served.url + path, headers=headers, timeout=300) as answer:
        assert answer.status_code == 200, answer.read()
        for piece in answer.iter_raw(1 << 20):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size, time.monotonic() - began


@pytest.mark.parametrize("name", ["native", "encapsulated"])
def test_a_multi_frame_of_1_gb_is_sent_in_less_than_200_mb(served: Served, name: str):
    path = served.zone.root / "files" / f"{name}.dcm"
    stored = dcmread(path, stop_before_pixels=True)
    base = path_of(stored)
    served.forget_peak()
    digest, size, took_s = fetch(served, base, "application/dicom; transfer-syntax=*")
    with path.open("rb") as file:
        assert digest == hashlib.file_digest(file, "sha256").hexdigest()
    assert size == path.stat().st_size > 1 << 30
    whole_mib = served.peak_mib
    fetch(served, base, 'multipart/related; type="application/dicom"; transfer-syntax=*')
    fetch(served, f"{base}/metadata", "application/dicom+json")
    _, bulk, bulk_s = fetch(served, f"{base}/bulkdata/7FE00010", "*/*")
    assert bulk >= FRAMES * SIDE * SIDE * 2 - FRAMES * 2
    numbers = ",".join(map(str, range(1, FRAMES + 1)))
    fetch(served, f"{base}/frames/{numbers}", "*/*")
    record("dicomweb", f"1 GB {name} object: peak memory", round(whole_mib), "MiB")
    record("dicomweb", f"1 GB {name} object: speed", round(size / took_s / 1e6), "MB/s")
    record("dicomweb", f"1 GB {name}: bulk data: speed", round(bulk / bulk_s / 1e6), "MB/s")
    record("dicomweb", f"1 GB {name}: peak of all", round(served.peak_mib), "MiB")
    assert served.peak_mib < MOST_MIB


def test_a_single_frame_of_1_gb_comes_without_reading_the_rest(served: Served):
    stored = dcmread(served.zone.root / "files" / "native.dcm", stop_before_pixels=True)
    began = time.monotonic()
    octets = {**served.headers, "Accept": "application/octet-stream"}
    answer = httpx.get(f"{served.url}{path_of(stored)}/frames/500", headers=octets)
    assert struct.unpack_from("<I", answer.content) == (499,)
    assert len(answer.content) == SIDE * SIDE * 2
    encapsulated = dcmread(served.zone.root / "files" / "encapsulated.dcm", stop_before_pixels=True)
    answer = httpx.get(f"{served.url}{path_of(encapsulated)}/frames/500",
                       headers={**served.headers, "Accept": "image/jls"})  # fmt: skip
    assert len(answer.content) == 2 << 20
    assert struct.unpack_from("<I", answer.content, 1 << 20) == (499,)
    record("dicomweb", "two frames out of 1 GB", round(time.monotonic() - began, 3), "s")


def test_many_clients_at_once_stay_in_memory(served: Served):
    stored = dcmread(served.zone.root / "files" / "native.dcm", stop_before_pixels=True)
    served.forget_peak()
    headers = {**served.headers, "Accept": "application/dicom; transfer-syntax=*"}
    streams = []
    for _ in range(20):  # that many begin, read a little and then nothing more
        client = httpx.Client(timeout=30)
        answer = client.send(
            client.build_request("GET", served.url + path_of(stored), headers=headers), stream=True
        )
        next(answer.iter_raw(1 << 16))
        streams.append((client, answer))
    picture = httpx.get(f"{served.url}{path_of(stored)}/frames/7/rendered", headers=served.headers,
                        timeout=30)  # fmt: skip
    assert picture.status_code == 200
    for client, answer in streams:
        answer.close()
        client.close()
    record("dicomweb", "twenty slow clients: peak memory", round(served.peak_mib), "MiB")
    assert served.peak_mib < MOST_MIB


def test_many_generated_requests_find_no_5xx(served: Served):
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    first = next(iter(served.zone.datasets.values()))
    known = {"study": str(first.StudyInstanceUID), "series": str(first.SeriesInstanceUID),
             "instance": str(first.SOPInstanceUID)}  # fmt: skip
    token = served.headers["Authorization"].removeprefix("Bearer ")
    seen: list[int] = []
    for operation in schema.get_all_operations():
        for mode in GenerationMode:
            call(operation.ok(), token, known, seen, examples=25, mode=mode)
    record("dicomweb", "generated requests", len(seen), "")
    assert max(seen) < 500


def test_schemathesis_itself_finds_nothing(served: Served, tmp_path: Path):
    checks = ("not_a_server_error,status_code_conformance,content_type_conformance,"
              "response_schema_conformance,ignored_auth,unsupported_method")  # fmt: skip
    found = subprocess.run(
        [str(Path(sys.executable).parent / "st"), "run", f"{served.url}/openapi.json",
         "-H", f"Authorization: {served.headers['Authorization']}", "--checks", checks,
         "--max-examples", "15", "--generation-deterministic"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-4000:]
