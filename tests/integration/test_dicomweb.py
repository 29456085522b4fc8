"""DICOMweb as clients see it: searches, faults, access, the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient

from tests.factories import images
from tests.integration.web_zone import WebZone, held, make_mixed_zone, path_of, value
from updp_node.config.research import Web
from updp_node.log import configure_log

LONG = range(1025, 2**32 - 1)
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> WebZone:
    return make_mixed_zone(tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="module")
def client(zone: WebZone) -> Iterator[TestClient]:
    with TestClient(zone.app(), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {zone.token()}"
        yield client


def test_a_search_finds_the_studies_of_the_project_alone(client: TestClient, zone: WebZone):
    response = client.get("/studies")
    assert response.headers["content-type"] == "application/dicom+json"
    found = {value(each, "0020000D") for each in response.json()}
    expected = {
        str(each.StudyInstanceUID) for each in zone.datasets.values()
        if each.StudyInstanceUID != "1.2.9.9"
    }  # fmt: skip
    assert found == expected
    first = response.json()[0]
    assert value(first, "00081190").startswith("http://testserver/studies/")
    assert value(first, "00080056") == "ONLINE"
    assert list(first) == sorted(first)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("PatientID=OTHER1", 0),
        ("ModalitiesInStudy=CR", 1),
        ("00080061=CR", 1),
        ("StudyInstanceUID=1.2.3.5,1.2.3.6", 2),
        ("0020000D=1.2.3.5%5C1.2.3.6%5C1.2.9.9", 2),
        ("StudyInstanceUID=1.2.3.5&PatientName=*", 1),
        ("StudyInstanceUID=1.2.3.5&StudyDate=19000101-29991231", 1),
        ("StudyInstanceUID=1.2.3.5&StudyDate=19000101-19000102", 0),
        ("limit=2", 2),
        ("limit=0", 0),
        ("offset=100", 0),
    ],
)
def test_searches_match_as_the_standard_says(client: TestClient, query: str, count: int):
    response = client.get(f"/studies?{query}")
    assert response.status_code == 200
    assert len(response.json()) == count


def test_pages_make_the_whole_without_gap_or_repetition(client: TestClient):
    whole = [value(each, "00080018") for each in client.get("/instances").json()]
    paged = []
    for offset in range(0, len(whole) + 3, 3):
        page = client.get(f"/instances?limit=3&offset={offset}").json()
        paged += [value(each, "00080018") for each in page]
    assert paged == whole


def test_a_page_that_the_server_cut_says_so(zone: WebZone):
    with TestClient(zone.app(Web(max_page=2))) as client:
        client.headers["Authorization"] = f"Bearer {zone.token()}"
        response = client.get("/instances")
        assert len(response.json()) == 2
        assert response.headers["warning"].startswith("299")
        assert "warning" not in client.get("/instances?limit=2").headers


def test_fuzzy_matching_is_off_and_said_so(client: TestClient):
    assert "literal" in client.get("/studies?fuzzymatching=true").headers["warning"]
    assert "warning" not in client.get("/studies?fuzzymatching=false").headers


def test_includefield_adds_attributes_and_all_adds_every_one(client: TestClient):
    plain = client.get("/instances?limit=1").json()[0]
    more = client.get("/instances?limit=1&includefield=ImageType,00180060").json()[0]
    everything = client.get("/instances?limit=1&includefield=all").json()[0]
    assert set(more) - set(plain) == {"00080008", "00180060"}
    assert set(everything) > set(plain)


def test_series_of_a_study_are_found_with_their_counts(client: TestClient, zone: WebZone):
    ct = held(zone, keyword="Modality", value="CT")
    found = client.get(f"/studies/{ct.StudyInstanceUID}/series?Modality=CT").json()
    assert [value(each, "00201209") for each in found] == [4]


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=1&limit=2", "limit=1e3", "offset=x", "fuzzymatching=maybe",
        "NoSuchKeyword=1", "StudyDate=yesterday", "PatientID=a&PatientID=b",
        "StudyInstanceUID=../../etc/passwd", "PatientName=" + "*a" * 40, "Rows=x&limit=1",
        "a.b.c=1", "PatientName.PatientID=1", "%00=1", "RequestAttributesSequence=1",
        "includefield=" + ",".join(["PatientID"] * 300), "PatientID=" + "x" * 5000,
        "StudyInstanceUID=" + ",".join(["1.2"] * 2000),
    ],
)  # fmt: skip
def test_malformed_searches_are_refused_without_repeating_them(client: TestClient, query: str):
    response = client.get(f"/studies?{query}")
    assert response.status_code == 400
    assert set(response.json()) == {"error"}
    for text in ("passwd", "NoSuchKeyword", "yesterday", "Traceback"):
        assert text not in response.text


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/studies", "application/dicom+xml"),
        ("/studies", 'multipart/related; type="application/dicom+xml"'),
        ("/studies", "application/dicom+json;q=0"),
        ("CR", "image/jpeg"),
        ("CR", "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90"),
        ("CR/metadata", "text/html"),
        ("CR/frames/1", "image/jpeg"),
        ("CR/rendered", "image/gif"),
    ],
)
def test_what_cannot_be_sent_as_accepted_is_refused(
    client: TestClient, zone: WebZone, path: str, accept: str
):
    cr = held(zone, keyword="StudyInstanceUID", value="1.2.826.0.1.7")
    response = client.get(path.replace("CR", path_of(cr)), headers={"Accept": accept})
    assert response.status_code == 406


def test_another_projects_study_is_as_if_it_were_not_there(client: TestClient, zone: WebZone):
    hidden = held(zone, keyword="StudyInstanceUID", value="1.2.9.9")
    study, base = "/studies/1.2.9.9", path_of(hidden)
    for path in (study, base, f"{study}/metadata", f"{base}/metadata", f"{base}/frames/1",
                 f"{base}/rendered", f"{base}/bulkdata/7FE00010"):  # fmt: skip
        response = client.get(path)
        absent = client.get(path.replace("1.2.9.9", "1.2.9.8"))
        assert (response.status_code, response.content) == (404, absent.content)
    assert client.get("/studies?StudyInstanceUID=1.2.9.9").json() == []
    assert client.get("/studies/1.2.9.9/series").json() == []


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Basic dTpw", "Bearer", "Bearer " + "x" * 9000]
)
def test_without_a_valid_token_nothing_is_told(
    client: TestClient, zone: WebZone, header: str | None
):
    with TestClient(zone.app()) as stranger:
        headers = {} if header is None else {"Authorization": header}
        for path in ("/studies", "/studies/1.2.9.9", "/studies/1.2.9.9/metadata"):
            response = stranger.get(path, headers=headers)
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_token_is_refused_at_once(zone: WebZone):
    token = zone.token()
    with TestClient(zone.app()) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.get("/studies").status_code == 200
        zone.tokens.revoke(zone.tokens.list()[-1].id, now=2.0)
        assert client.get("/studies").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/studies/..%2f..%2fetc%2fpasswd", "/studies/%2e%2e/%2e%2e/etc/passwd", "/studies/1.2.3%00",
        "/studies/1.2'; drop table x", "/studies/" + "1" * 65, "/studies/1.2/series/../x",
        "/studies/1.2/series/1/instances/1/frames/0", "/studies/1/series/1/instances/1/frames/1-9",
        "/studies/1/series/1/instances/1/bulkdata/../../../../etc/passwd",
    ],
)  # fmt: skip
def test_path_tricks_lead_nowhere(client: TestClient, path: str):
    response = client.get(path)
    assert response.status_code in {400, 404}
    assert "root:" not in response.text


def test_only_reading_is_possible(client: TestClient):
    response = client.post("/studies")
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]


def test_a_damaged_file_is_told_without_details(zone: WebZone, tmp_path: Path):
    own = WebZone(tmp_path)
    dataset = images.chest_cr(rows=16, columns=16)
    own.add(dataset)
    path = own.paths[dataset.SOPInstanceUID]
    path.write_bytes(path.read_bytes()[:1500])
    with TestClient(own.app(), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {own.token()}"
        response = client.get(f"{path_of(dataset)}/frames/1")
        assert response.status_code == 500
        assert response.json() == {"error": "a stored object cannot be read"}


def test_the_log_holds_no_keys_and_no_values(
    client: TestClient, zone: WebZone, capsys: pytest.CaptureFixture[str]
):
    configure_log(console=False)
    try:
        client.get("/studies?PatientID=SECRETVALUE")
        client.get("/studies/1.2.3.5/metadata")
    finally:
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = [line for line in lines if line["event"] == "web-request"]
    assert [line["route"] for line in told] == ["search_studies", "retrieve_metadata_of_study"]
    assert told[1]["count"] == 1
    assert "SECRETVALUE" not in str(lines)
    assert "1.2.3.5" not in str(lines)


def test_the_page_reads_nothing_from_the_net(client: TestClient):
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert client.get("/openapi.json").json()["openapi"].startswith("3.")
