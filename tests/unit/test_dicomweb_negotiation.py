"""Which representation is chosen for which Accept."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from updp_node.dicomweb.faults import WebError
from updp_node.dicomweb.negotiation import DICOM, EXPLICIT, MULTIPART, OCTETS, Offer, choose

J2K = "1.2.840.10008.1.2.4.90"
OBJECTS = [Offer(MULTIPART, DICOM, J2K, is_default=False), Offer(MULTIPART, DICOM, EXPLICIT)]
FRAMES = [Offer(MULTIPART, "image/jp2", J2K), Offer(MULTIPART, OCTETS, EXPLICIT)]


def request(*accept: str, query: str = "") -> Request:
    headers = [(b"accept", each.encode()) for each in accept]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("accept", "syntax"),
    [
        ("*/*", J2K),
        ("multipart/*", J2K),
        ("multipart/related", EXPLICIT),
        ('multipart/related; type="application/dicom"', EXPLICIT),
        ("multipart/related;type=application/dicom", EXPLICIT),
        ('multipart/related; type="application/dicom"; transfer-syntax=*', J2K),
        (f'multipart/related; type="application/dicom"; transfer-syntax={J2K}', J2K),
        (f'Multipart/Related; Type="Application/DICOM"; transfer-syntax="{J2K}"', J2K),
        (f'multipart/related; type="application/dicom"; transfer-syntax={J2K}; q=0.1, '
         'multipart/related; type="application/dicom"; q=0.9', EXPLICIT),
        (f'*/*;q=0.1, multipart/related; type="application/dicom"; transfer-syntax={J2K}', J2K),
        ("text/html, */*;q=0.1", J2K),
        (f'multipart/related; type="application/dicom"; transfer-syntax={J2K}; q=0, */*', EXPLICIT),
    ],
)  # fmt: skip
def test_objects_come_in_the_syntax_that_is_liked_best(accept: str, syntax: str):
    assert choose(request(accept), OBJECTS).syntax == syntax


@pytest.mark.parametrize(
    ("accept", "inner"),
    [
        ('multipart/related; type="application/octet-stream"', OCTETS),
        ('multipart/related; type="image/jp2"', "image/jp2"),
        ('multipart/related; type="image/jpeg", multipart/related; type="image/jp2";q=0.5',
         "image/jp2"),
        ('multipart/related; type="*/*"', "image/jp2"),
    ],
)  # fmt: skip
def test_frames_come_in_the_media_type_that_is_liked_best(accept: str, inner: str):
    assert choose(request(accept), FRAMES).inner == inner


def test_several_headers_are_one_and_the_parameter_is_before_them():
    both = request('multipart/related; type="image/jpeg"', "*/*")
    assert choose(both, FRAMES).inner == "image/jp2"
    query = "accept=multipart/related;%20type=%22application/octet-stream%22"
    assert (
        choose(request('multipart/related; type="image/jp2"', query=query), FRAMES).inner == OCTETS
    )


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("image/jpeg", 406), ("*/*;q=0", 406), ("multipart/related; type=\"text/xml\"", 406),
        ("nonsense", 400), ("*/*;q=2", 400), ("*/*;q=x", 400), ("a/b," * 100, 400),
        ("x" * 9000, 400), ('multipart/related; type="unclosed', 400),
    ],
)  # fmt: skip
def test_what_cannot_be_met_or_read_is_refused(accept: str, status: int):
    with pytest.raises(WebError) as refused:
        choose(request(accept), OBJECTS)
    assert refused.value.status == status
