"""WADO-RS as clients see it: objects, metadata, frames, pictures, bulk data."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from tests.integration.web_zone import WebZone, held, make_mixed_zone, parts_of, path_of

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


def test_objects_are_sent_byte_for_byte(client: TestClient, zone: WebZone):
    for uid, dataset in zone.datasets.items():
        if dataset.StudyInstanceUID == "1.2.9.9":
            continue
        response = client.get(path_of(dataset), headers={"Accept": "application/dicom; "
                                                         "transfer-syntax=*"})  # fmt: skip
        assert response.status_code == 200
        assert response.content == zone.paths[uid].read_bytes()
        assert int(response.headers["content-length"]) == len(response.content)


def test_a_study_comes_as_parts_of_one_message(client: TestClient, zone: WebZone):
    ct = held(zone, keyword="Modality", value="CT")
    accept = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
    for path in (f"/studies/{ct.StudyInstanceUID}",
                 f"/studies/{ct.StudyInstanceUID}/series/{ct.SeriesInstanceUID}"):  # fmt: skip
        parts = parts_of(client.get(path, headers=accept))
        found = sorted(body for _, body in parts)
        wanted = sorted(
            zone.paths[uid].read_bytes() for uid, each in zone.datasets.items()
            if each.StudyInstanceUID == ct.StudyInstanceUID
            and (path.count("/") == 2 or each.SeriesInstanceUID == ct.SeriesInstanceUID)
        )  # fmt: skip
        assert found == wanted
        assert any(RLELossless in kind for kind, _ in parts)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_who_names_no_syntax_gets_explicit_little_endian(
    client: TestClient, zone: WebZone, syntax: str
):
    uid, path = next(
        (uid, path) for uid, path in zone.paths.items()
        if dcmread(path).file_meta.TransferSyntaxUID == syntax
    )  # fmt: skip
    dataset = zone.datasets[uid]
    response = client.get(path_of(dataset), headers={"Accept": "application/dicom"})
    assert response.status_code == 200
    assert len(response.content) == int(response.headers["content-length"])
    found, stored = dcmread(io.BytesIO(response.content)), dcmread(path)
    assert found.file_meta.TransferSyntaxUID == EXPLICIT
    assert np.array_equal(found.pixel_array, stored.pixel_array)
    del found.PixelData, stored.PixelData
    assert found == stored


def test_metadata_are_those_of_the_files(client: TestClient, zone: WebZone):
    for uid, path in zone.paths.items():
        stored = dcmread(path)
        sizes = {int(each.tag): each.length for each in stored.values() if each.is_raw}
        if stored.StudyInstanceUID == "1.2.9.9":
            continue
        (found,) = client.get(f"{path_of(stored)}/metadata").json()
        for element in stored:
            tag = f"{int(element.tag):08X}"
            if element.keyword == "PixelData" or sizes.get(int(element.tag), 0) in LONG:
                continue
            if element.keyword == "SpecificCharacterSet":
                assert found[tag]["Value"] == ["ISO_IR 192"]
            else:
                expected = element.to_json_dict(None, 0)
                assert normal(found[tag]) == normal(expected), (uid, element.keyword)
        if "PixelData" in stored:
            assert found["7FE00010"]["BulkDataURI"].endswith("/bulkdata/7FE00010")


def normal(element):
    """DICOM JSON without the freedoms that the standard leaves."""
    if isinstance(element, dict):
        return {key: normal(each) for key, each in element.items() if each not in ([], [None])}
    if isinstance(element, list):
        return [normal(each) for each in element]
    return element or None if isinstance(element, str) else element


def test_metadata_of_a_study_are_one_array(client: TestClient, zone: WebZone):
    ct = held(zone, keyword="Modality", value="CT")
    found = client.get(f"/studies/{ct.StudyInstanceUID}/series/{ct.SeriesInstanceUID}/metadata")
    assert len(found.json()) == 4


def test_native_frames_are_cut_out_of_the_pixel_data(client: TestClient, zone: WebZone):
    stored = next(dcmread(path) for path in zone.paths.values() if "NumberOfFrames" in dcmread(path)
                  and dcmread(path).file_meta.TransferSyntaxUID == EXPLICIT)  # fmt: skip
    response = client.get(f"{path_of(stored)}/frames/3,1")
    array = stored.pixel_array
    assert [body for _, body in parts_of(response)] == [array[2].tobytes(), array[0].tobytes()]
    assert parts_of(response)[0][0].startswith("application/octet-stream")


def test_compressed_frames_come_as_stored_or_decoded(client: TestClient, zone: WebZone):
    path = next(path for path in zone.paths.values()
                if dcmread(path).file_meta.TransferSyntaxUID == JPEGLSLossless)  # fmt: skip
    stored = dcmread(path)
    as_stored = client.get(f"{path_of(stored)}/frames/2")
    ((kind, body),) = parts_of(as_stored)
    assert kind == f"image/jls; transfer-syntax={JPEGLSLossless}"
    assert body.startswith(b"\xff\xd8")
    octets = {"Accept": 'multipart/related; type="application/octet-stream"'}
    ((_, raw),) = parts_of(client.get(f"{path_of(stored)}/frames/2", headers=octets))
    assert raw == stored.pixel_array[1].tobytes()


def test_pictures_are_rendered_in_size_and_kind(client: TestClient, zone: WebZone):
    for stored in map(dcmread, zone.paths.values()):
        if "PixelData" not in stored or stored.StudyInstanceUID == "1.2.9.9":
            continue
        picture = client.get(f"{path_of(stored)}/rendered")
        assert picture.headers["content-type"] == "image/jpeg"
        size = (int(stored.Columns), int(stored.Rows))
        assert Image.open(io.BytesIO(picture.content)).size == size
        png = client.get(f"{path_of(stored)}/frames/1/rendered?viewport=20,20",
                         headers={"Accept": "image/png"})  # fmt: skip
        assert max(Image.open(io.BytesIO(png.content)).size) == 20
    assert client.get(f"{path_of(stored)}/thumbnail").status_code in {200, 404}


def test_a_window_changes_what_is_seen(client: TestClient, zone: WebZone):
    cr = held(zone, keyword="StudyInstanceUID", value="1.2.826.0.1.7")
    accept = {"Accept": "image/png"}
    picture = client.get(f"{path_of(cr)}/rendered?window=1000,1,linear-exact", headers=accept)
    found = np.asarray(Image.open(io.BytesIO(picture.content)))
    pixels = dcmread(zone.paths[cr.SOPInstanceUID]).pixel_array
    assert np.array_equal(found == 255, pixels >= 1001)
    assert np.array_equal(found == 0, pixels <= 999)


@pytest.mark.parametrize(
    "query",
    ["window=1", "window=a,b", "window=1,0", "window=1,2,cubic", "viewport=1", "quality=101",
     "viewport=0,0", "viewport=99999,1", "quality=0", "quality=x", "window=nan,1",
     "window=1e99,1", "viewport=10,10,-1,0,5,5", "viewport=10,10,9999,0,5,5"],
)  # fmt: skip
def test_malformed_parameters_of_pictures_are_refused(
    client: TestClient, zone: WebZone, query: str
):
    cr = held(zone, keyword="StudyInstanceUID", value="1.2.826.0.1.7")
    assert client.get(f"{path_of(cr)}/rendered?{query}").status_code == 400


def test_bulk_data_are_the_bytes_of_the_value(client: TestClient, zone: WebZone):
    cr = held(zone, keyword="StudyInstanceUID", value="1.2.826.0.1.7")
    (metadata,) = client.get(f"{path_of(cr)}/metadata").json()
    uri = metadata["7FE00010"]["BulkDataURI"].removeprefix("http://testserver")
    assert client.get(uri, headers={"Accept": "application/octet-stream"}).content == cr.PixelData
    assert client.get(f"{path_of(cr)}/bulkdata/00100010").status_code == 404
    assert client.get(f"{path_of(cr)}/bulkdata/x").status_code == 400


def test_frames_that_are_not_there_are_not_found(client: TestClient, zone: WebZone):
    cr = held(zone, keyword="StudyInstanceUID", value="1.2.826.0.1.7")
    sr = held(zone, keyword="Modality", value="SR")
    assert client.get(f"{path_of(cr)}/frames/2").status_code == 404
    assert client.get(f"{path_of(cr)}/frames/2/rendered").status_code == 404
    assert client.get(f"{path_of(sr)}/frames/1").status_code == 404
    assert client.get(f"{path_of(sr)}/rendered").status_code == 406


def test_pictures_of_a_series_and_a_study_are_parts(client: TestClient, zone: WebZone):
    ct = held(zone, keyword="Modality", value="CT")
    for path in (
        f"/studies/{ct.StudyInstanceUID}/series/{ct.SeriesInstanceUID}/rendered",
        f"/studies/{ct.StudyInstanceUID}/rendered?quality=50",
    ):
        parts = parts_of(client.get(path))
        assert len(parts) >= 4
        assert all(Image.open(io.BytesIO(body)).format == "JPEG" for _, body in parts)
    assert client.get("/studies/1.2.3.7/rendered").status_code == 406
