"""WADO-RS: studies, series and instances as they were released, and their metadata.

References
----------
PS3.18 10.4: Retrieve Transaction; 10.4.1.1.1 (instance resources), 10.4.1.1.2 (metadata).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from updp_node.dicomweb.archive import Archive, Call, CallOf, Uid
from updp_node.dicomweb.bulk import send_parts
from updp_node.dicomweb.expand import expand
from updp_node.dicomweb.faults import WebError, fault_responses
from updp_node.dicomweb.metadata import write_metadata
from updp_node.dicomweb.multipart import Part, begin, gather, read_spans
from updp_node.dicomweb.negotiation import (
    DICOM,
    DICOM_JSON,
    EXPLICIT,
    JSON,
    LOSSY,
    MULTIPART,
    Offer,
    choose,
    is_expandable,
)
from updp_node.errors import InstanceError
from updp_node.storage.research_index import Stored

router = APIRouter(tags=["WADO-RS"])
_MODEL = {"type": "array", "items": {"type": "object"}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FAULTS = fault_responses(400, 401, 404, 406, 413, 503)
_OBJECTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "DICOM objects, one a part", "content": {MULTIPART: _BINARY}},
    **_FAULTS,
}
_OBJECT: dict[int | str, dict[str, Any]] = {
    200: {"description": "A DICOM object", "content": {MULTIPART: _BINARY, DICOM: _BINARY}},
    **_FAULTS,
}
_METADATA: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Metadata in the DICOM JSON model",
        "content": {DICOM_JSON: {"schema": _MODEL}, JSON: {"schema": _MODEL}},
    },
    **_FAULTS,
}


@router.get("/studies/{study}", responses=_OBJECTS, response_class=StreamingResponse)
def retrieve_study(call: CallOf, study: Uid) -> Response:
    """Retrieve the objects of a study."""
    return _send_objects(call, call.select(study))


@router.get(
    "/studies/{study}/series/{series}", responses=_OBJECTS, response_class=StreamingResponse
)
def retrieve_series(call: CallOf, study: Uid, series: Uid) -> Response:
    """Retrieve the objects of a series."""
    return _send_objects(call, call.select(study, series))


@router.get(
    "/studies/{study}/series/{series}/instances/{instance}",
    responses=_OBJECT, response_class=StreamingResponse,
)  # fmt: skip
def retrieve_instance(
    call: CallOf, study: Uid, series: Uid, instance: Uid,
) -> Response:  # fmt: skip
    """Retrieve an object: alone, or as the only part of a multipart message."""
    (stored,) = call.select(study, series, instance)[:1]
    offers = [*_offers(stored, MULTIPART), *_offers(stored, DICOM)]
    chosen = choose(call.request, offers)
    if chosen.media == MULTIPART:
        return _send_objects(call, [stored])
    pieces, size = _object(call.archive, stored, chosen.syntax)
    return StreamingResponse(
        pieces,
        media_type=f"{DICOM}; transfer-syntax={chosen.syntax}",
        headers={"Content-Length": str(size)},
    )


@router.get("/studies/{study}/metadata", responses=_METADATA, response_class=StreamingResponse)
def retrieve_metadata_of_study(call: CallOf, study: Uid) -> Response:
    """Retrieve the metadata of all instances of a study."""
    return _send_metadata(call, study)


@router.get(
    "/studies/{study}/series/{series}/metadata",
    responses=_METADATA, response_class=StreamingResponse,
)  # fmt: skip
def retrieve_metadata_of_series(call: CallOf, study: Uid, series: Uid) -> Response:
    """Retrieve the metadata of all instances of a series."""
    return _send_metadata(call, study, series)


@router.get(
    "/studies/{study}/series/{series}/instances/{instance}/metadata",
    responses=_METADATA, response_class=StreamingResponse,
)  # fmt: skip
def retrieve_metadata_of_instance(
    call: CallOf, study: Uid, series: Uid, instance: Uid,
) -> Response:  # fmt: skip
    """Retrieve the metadata of an instance."""
    return _send_metadata(call, study, series, instance)


def _offers(stored: Stored, media: str) -> list[Offer]:
    """An object as it is, and in Explicit VR Little Endian (the default, PS3.18 8.7.3)."""
    syntax = stored.transfer_syntax_uid
    inner = DICOM if media == MULTIPART else ""
    as_stored = Offer(media, inner, syntax, is_default=syntax == EXPLICIT or syntax in LOSSY)
    if syntax == EXPLICIT or not is_expandable(syntax):
        return [as_stored]
    return [as_stored, Offer(media, inner, EXPLICIT, is_default=not as_stored.is_default)]


def _object(archive: Archive, stored: Stored, syntax: str) -> tuple[Iterator[bytes], int]:
    """An object in a syntax: the file byte for byte, or expanded; and its size.

    Raises
    ------
    WebError
        406: it cannot be expanded.
    """
    file = archive.open(stored)
    if syntax == stored.transfer_syntax_uid:
        size = file.path.stat().st_size
        return read_spans(file.path, [(0, size)]), size
    try:
        return expand(file)
    except InstanceError as error:
        raise WebError(406, "an object cannot be sent in the transfer syntax asked for") from error


def _send_objects(call: Call, found: Sequence[Stored]) -> Response:
    """Objects one after the other, each in the syntax that is accepted for it."""
    kinds = {stored.transfer_syntax_uid: stored for stored in found}
    chosen = {
        syntax: choose(call.request, _offers(stored, MULTIPART)).syntax
        for syntax, stored in kinds.items()
    }

    def part(stored: Stored) -> Part:
        syntax = chosen[stored.transfer_syntax_uid]
        pieces, _ = _object(call.archive, stored, syntax)
        return Part(f"{DICOM}; transfer-syntax={syntax}", pieces, location=call.url_of(stored))

    call.request.state.count = len(found)
    return send_parts(map(part, found), DICOM)


def _send_metadata(call: Call, *uids: str) -> Response:
    """Metadata as one array, an instance at a time."""
    media_type = choose(call.request, [Offer(DICOM_JSON), Offer(JSON)]).media
    found = call.select(*uids)
    call.request.state.count = len(found)
    return StreamingResponse(begin(gather(_write_array(call, found))), media_type=media_type)


def _write_array(call: Call, found: Sequence[Stored]) -> Iterator[str]:
    yield "["
    for place, stored in enumerate(found):
        if place:
            yield ","
        yield from write_metadata(call.archive.open(stored), f"{call.url_of(stored)}/bulkdata")
    yield "]"
