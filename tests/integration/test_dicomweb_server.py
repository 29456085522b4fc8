"""DICOMweb over real sockets: a client that no one here wrote, certificates, generated requests."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import schemathesis
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from dicomweb_client.api import DICOMwebClient
from hypothesis import HealthCheck, given, settings
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless, RLELossless
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.factories import images
from tests.integration.web_zone import WebZone, path_of
from updp_node.config.research import Web
from updp_node.config.sections import Tls
from updp_node.dicomweb import server as server_module
from updp_node.dicomweb.server import WebServer
from updp_node.errors import NodeError


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> WebZone:
    zone = WebZone(tmp_path_factory.mktemp("released"))
    zone.add(images.chest_cr(rows=64, columns=48, study_uid="1.2.3"), images.ultrasound(3))
    zone.add(*images.ct_series(3, rows=32), syntax=RLELossless)
    zone.add(images.ultrasound(4, study_uid="1.2.4"), syntax=JPEGLSLossless)
    return zone


@pytest.fixture(scope="module")
def url(zone: WebZone) -> Iterator[str]:
    server = WebServer(zone.app(), Web(), port=0)
    server.start()
    yield "http://{}:{}".format(*server.address)
    server.stop()


@pytest.fixture(scope="module")
def token(zone: WebZone) -> str:
    return zone.token()


@pytest.fixture
def client(url: str, token: str) -> DICOMwebClient:
    return DICOMwebClient(url, headers={"Authorization": f"Bearer {token}"})


def test_dicomweb_client_searches_and_reads_metadata(client: DICOMwebClient, zone: WebZone):
    studies = client.search_for_studies(search_filters={"ModalitiesInStudy": "CT"})
    (study,) = {each["0020000D"]["Value"][0] for each in studies}
    (series,) = client.search_for_series(study, search_filters={"Modality": "CT"})
    uid = series["0020000E"]["Value"][0]
    assert len(client.search_for_instances(study, uid)) == 3
    assert len(client.retrieve_series_metadata(study, uid)) == 3
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def test_dicomweb_client_retrieves_objects_as_they_are(client: DICOMwebClient, zone: WebZone):
    for path in zone.paths.values():
        stored = dcmread(path)
        uids = stored.StudyInstanceUID, stored.SeriesInstanceUID, stored.SOPInstanceUID
        found = client.retrieve_instance(
            *uids, media_types=(("application/dicom", stored.file_meta.TransferSyntaxUID),)
        )
        assert found == stored
        assert found.file_meta.TransferSyntaxUID == stored.file_meta.TransferSyntaxUID
        native = client.retrieve_instance(*uids)
        assert np.array_equal(native.pixel_array, stored.pixel_array)


def test_dicomweb_client_retrieves_frames_and_pictures(client: DICOMwebClient, zone: WebZone):
    for path in zone.paths.values():
        stored = dcmread(path)
        uids = stored.StudyInstanceUID, stored.SeriesInstanceUID, stored.SOPInstanceUID
        frames = client.retrieve_instance_frames(
            *uids, [1], media_types=(("application/octet-stream", "1.2.840.10008.1.2.1"),)
        )
        first = stored.pixel_array if "NumberOfFrames" not in stored else stored.pixel_array[0]
        assert frames == [first.tobytes()]
        picture = client.retrieve_instance_rendered(*uids, media_types=("image/png",))
        assert picture.startswith(b"\x89PNG")
        picture = client.retrieve_instance_frames_rendered(*uids, [1], media_types=("image/jpeg",))
        assert picture.startswith(b"\xff\xd8")


def test_dicomweb_client_follows_bulk_data(client: DICOMwebClient, zone: WebZone):
    cr = zone.datasets[next(iter(zone.datasets))]
    metadata = client.retrieve_instance_metadata(
        cr.StudyInstanceUID, cr.SeriesInstanceUID, cr.SOPInstanceUID
    )
    assert client.retrieve_bulkdata(metadata["7FE00010"]["BulkDataURI"]) == [cr.PixelData]


def test_several_clients_are_served_at_once(url: str, token: str, zone: WebZone):
    paths = [path_of(each) for each in zone.datasets.values()]
    wanted = {path_of(each): zone.paths[uid].read_bytes() for uid, each in zone.datasets.items()}
    faults: list[str] = []

    def fetch() -> None:
        headers = {"Authorization": f"Bearer {token}",
                   "Accept": "application/dicom; transfer-syntax=*"}  # fmt: skip
        with httpx.Client(base_url=url, headers=headers) as client:
            faults.extend(path for path in paths * 3 if client.get(path).content != wanted[path])

    threads = [threading.Thread(target=fetch) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []


def test_a_head_that_never_ends_is_cut_off(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_module, "_HEAD_TIMEOUT_S", 0.3)
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as slow:
        slow.sendall(b"GET /studies HTTP/1.1\r\nHost: x\r\n")
        assert slow.recv(100) == b""


def test_a_malformed_host_is_refused(url: str, token: str):
    headers = {"Authorization": f"Bearer {token}", "Host": 'evil"><script>'}
    assert httpx.get(f"{url}/studies", headers=headers).status_code == 400


def test_a_client_certificate_stands_for_its_projects(
    zone: WebZone, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    authority = trustme.CA()
    own, known, stranger = (authority.issue_cert(name) for name in ("127.0.0.1", "a", "b"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    (tmp_path / "key.pem").chmod(0o600)
    der = x509.load_pem_x509_certificate(known.cert_chain_pems[0].bytes()).public_bytes(
        Encoding.DER
    )
    tls = Tls(certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem", ca=tmp_path / "ca.pem")
    rule = {"certificate_sha256": [hashlib.sha256(der).hexdigest()], "projects": ["alpha"]}
    web = Web.model_validate({"tls": tls, "access": [rule]})
    server = WebServer(zone.app(web), web, port=0)
    server.start()
    base = "https://{}:{}/studies".format(*server.address)
    try:
        for shown, status in ((known, 200), (stranger, 401)):
            context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            shown.configure_cert(context)
            with httpx.Client(verify=context) as client:
                assert client.get(base).status_code == status
                forged = {"X-Client-Certificate": "x", "Authorization": "Bearer x"}
                assert client.get(base, headers=forged).status_code == 401
        bare = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with httpx.Client(verify=bare) as client, pytest.raises(httpx.HTTPError):
            client.get(base)
        with pytest.raises(httpx.HTTPError):
            httpx.get(base.replace("https", "http"))
        assert "Traceback" not in capfd.readouterr().err
    finally:
        server.stop()


def test_the_server_ends_when_it_is_told_to(zone: WebZone):
    server = WebServer(zone.app(), Web(), port=0)
    server.start()
    url = "http://{}:{}/docs".format(*server.address)
    assert httpx.get(url).status_code == 200
    assert not server.wait(0)
    server.stop()
    assert server.wait(5)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_port_that_is_taken_is_told(zone: WebZone):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(NodeError, match="listen"):
        WebServer(zone.app(), Web(), port=taken.getsockname()[1])


def test_generated_requests_find_no_undocumented_answer(zone: WebZone, token: str, url: str):
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    cr = next(iter(zone.datasets.values()))
    known = {"study": cr.StudyInstanceUID, "series": cr.SeriesInstanceUID,
             "instance": cr.SOPInstanceUID}  # fmt: skip
    seen = []
    for operation in schema.get_all_operations():
        call(operation.ok(), token, known, seen, examples=6)
    assert len(seen) > 60
    assert {200, 400, 404} <= set(seen)


def call(
    operation, token: str, known: dict[str, str], seen: list[int], *, examples: int,
    mode: GenerationMode = GenerationMode.POSITIVE,
) -> None:  # fmt: skip
    """Send generated requests, every other one for an object that is there."""
    number = iter(range(10**9))

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def send(case) -> None:
        if next(number) % 2 and mode is GenerationMode.POSITIVE:
            case.path_parameters.update(
                {name: uid for name, uid in known.items() if name in case.path_parameters}
            )
        response = case.call_and_validate(
            headers={"Authorization": f"Bearer {token}"},
            excluded_checks=[positive_data_acceptance, negative_data_rejection],
        )
        seen.append(response.status_code)

    send()
