"""WADO-RS: frames, rendered pictures and bulk data.

References
----------
PS3.18 10.4.1.1.3 (rendered), 10.4.1.1.4 (thumbnails), 10.4.1.1.5 (bulk data), 10.4.1.1.6
(frames).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response, StreamingResponse

from updp_node.dicomweb.archive import Call, CallOf, Uid
from updp_node.dicomweb.bulk import find_bulk, read_path, send_parts
from updp_node.dicomweb.faults import WebError, fault_responses, not_found
from updp_node.dicomweb.multipart import Part, read_spans
from updp_node.dicomweb.negotiation import (
    EXPLICIT,
    MULTIPART,
    OCTETS,
    Offer,
    choose,
    frame_media_type,
    is_expandable,
)
from updp_node.dicomweb.pixels import Image, find_frames, read_image
from updp_node.dicomweb.render import decode_frame, frame_bytes, render, require_frame
from updp_node.dicomweb.view import View, Viewport, read_view
from updp_node.research.files import StoredFile
from updp_node.storage.research_index import Stored

router = APIRouter(tags=["WADO-RS"])
_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"
_LIST = r"^[0-9]{1,9}(,[0-9]{1,9})*$"
_NUMBER = r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?"
_WINDOW = rf"^{_NUMBER},{_NUMBER}(,(linear|linear-exact|sigmoid|LINEAR|LINEAR_EXACT|SIGMOID))?$"
_VIEWPORT = rf"^[0-9]{{1,4}},[0-9]{{1,4}}(,({_NUMBER})?,({_NUMBER})?,({_NUMBER})?,({_NUMBER})?)?$"
_QUALITY = r"^[0-9]{1,3}$"
_BULK_PATH = r"^[0-9A-Fa-f]{8}(/[0-9]{1,9}/[0-9A-Fa-f]{8}){0,31}$"
_MOST_FRAMES = 10_000
_MOST_RENDERED = 100
_MOST_PICTURES = 1000
_THUMBNAIL = 128
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_PICTURES = ("image/jpeg", "image/png")
_FAULTS = fault_responses(400, 401, 404, 406, 413, 503)
_FRAMES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Frames, one a part; a single frame may be sent alone",
        "content": {
            name: _BINARY
            for name in (
                MULTIPART, OCTETS, "image/jpeg", "image/jls", "image/jp2", "image/jpx",
                "image/jphc", "image/dicom-rle", "video/mpeg", "video/mp4",
            )
        },
    },
    **_FAULTS,
}  # fmt: skip
_RENDERED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A picture; several frames are parts of a message",
        "content": {name: _BINARY for name in (*_PICTURES, MULTIPART)},
    },
    **_FAULTS,
}
_PICTURES_OF: dict[int | str, dict[str, Any]] = {
    200: {"description": "Pictures, one a part", "content": {MULTIPART: _BINARY}},
    **_FAULTS,
}
_BULK: dict[int | str, dict[str, Any]] = {
    200: {"description": "The value", "content": {OCTETS: _BINARY, MULTIPART: _BINARY}},
    **_FAULTS,
}
FrameList = Annotated[str, PathParameter(pattern=_LIST, description="Frames, from 1")]
BulkPath = Annotated[str, PathParameter(pattern=_BULK_PATH, description="Tags and item numbers")]


async def _view(
    window: Annotated[
        str | None,
        Query(description="centre,width,function", pattern=_WINDOW, examples=["40,400,linear"]),
    ] = None,
    viewport: Annotated[
        str | None,
        Query(
            description="width,height[,left,top,width,height]",
            pattern=_VIEWPORT,
            examples=["512,512"],
        ),
    ] = None,
    quality: Annotated[
        str | None, Query(description="1 to 100", pattern=_QUALITY, examples=["90"])
    ] = None,
) -> View:
    """Parameters of rendered resources."""
    return read_view(window, viewport, quality)


ViewOf = Annotated[View, Depends(_view)]


def _stored(call: CallOf, study: Uid, series: Uid, instance: Uid) -> StoredFile:
    """The file of the instance that a path names."""
    return call.archive.open(call.select(study, series, instance)[0])


StoredOf = Annotated[StoredFile, Depends(_stored)]


@router.get(f"{_INSTANCE}/frames/{{frames}}", responses=_FRAMES, response_class=StreamingResponse)
def retrieve_frames(request: Request, stored: StoredOf, frames: FrameList) -> Response:
    """Retrieve frames as they are stored, or decoded."""
    numbers = _read_numbers(frames, _MOST_FRAMES)
    image = _require_image(stored)
    for number in numbers:
        require_frame(image, number)
    chosen = choose(request, _frame_offers(image, alone=len(numbers) == 1))
    media_type = chosen.inner or chosen.media
    content_type = f"{media_type}; transfer-syntax={chosen.syntax}"
    pieces = _read_frames(image, numbers, chosen)
    request.state.count = len(numbers)
    if chosen.media != MULTIPART:
        return StreamingResponse(next(pieces), media_type=content_type)
    return send_parts((Part(content_type, each) for each in pieces), media_type)


@router.get("/studies/{study}/rendered", responses=_PICTURES_OF, response_class=StreamingResponse)
def retrieve_rendered_study(call: CallOf, view: ViewOf, study: Uid) -> Response:
    """Retrieve a picture of each image of a study."""
    return _send_pictures(call, view, call.select(study))


@router.get(
    "/studies/{study}/series/{series}/rendered",
    responses=_PICTURES_OF,
    response_class=StreamingResponse,
)
def retrieve_rendered_series(call: CallOf, view: ViewOf, study: Uid, series: Uid) -> Response:
    """Retrieve a picture of each image of a series."""
    return _send_pictures(call, view, call.select(study, series))


@router.get(f"{_INSTANCE}/rendered", responses=_RENDERED, response_class=Response)
def retrieve_rendered_instance(request: Request, stored: StoredOf, view: ViewOf) -> Response:
    """Retrieve a picture of the instance: of its first frame."""
    media_type = choose(request, [Offer(name) for name in _PICTURES]).media
    return Response(render(stored, 1, view, media_type), media_type=media_type)


@router.get(f"{_INSTANCE}/thumbnail", responses=_RENDERED, response_class=Response)
def retrieve_thumbnail(request: Request, stored: StoredOf) -> Response:
    """Retrieve a small picture of the instance."""
    media_type = choose(request, [Offer(name) for name in _PICTURES]).media
    view = View(viewport=Viewport(_THUMBNAIL, _THUMBNAIL))
    return Response(render(stored, 1, view, media_type), media_type=media_type)


@router.get(f"{_INSTANCE}/frames/{{frames}}/rendered", responses=_RENDERED, response_class=Response)
def retrieve_rendered_frames(
    request: Request, stored: StoredOf, view: ViewOf, frames: FrameList
) -> Response:
    """Retrieve pictures of frames."""
    numbers = _read_numbers(frames, _MOST_RENDERED)
    offers = [Offer(MULTIPART, name) for name in _PICTURES]
    if len(numbers) == 1:
        offers = [Offer(name) for name in _PICTURES] + offers
    chosen = choose(request, offers)
    if chosen.media != MULTIPART:
        return Response(render(stored, numbers[0], view, chosen.media), media_type=chosen.media)
    first = render(stored, numbers[0], view, chosen.inner)
    image = _require_image(stored)
    for number in numbers:
        require_frame(image, number)
    rest = (render(stored, number, view, chosen.inner) for number in numbers[1:])
    parts = (Part(chosen.inner, [picture]) for picture in chain([first], rest))
    return send_parts(parts, chosen.inner)


@router.get(f"{_INSTANCE}/bulkdata/{{path:path}}", responses=_BULK, response_class=Response)
def retrieve_bulk_data(request: Request, stored: StoredOf, path: BulkPath) -> Response:
    """Retrieve a long value that metadata name by its URI."""
    spans = find_bulk(stored, read_path(path))
    if spans is None:
        raise not_found()
    media_type = OCTETS
    if spans.is_encapsulated:
        media_type = frame_media_type(stored.transfer_syntax_uid, is_encapsulated=True)
    offers = [Offer(MULTIPART, media_type, stored.transfer_syntax_uid)]
    if not spans.is_encapsulated:
        offers.insert(0, Offer(OCTETS))
    chosen = choose(request, offers)
    if chosen.media == MULTIPART:
        parts = (Part(media_type, read_spans(stored.path, each)) for each in spans.parts)
        return send_parts(parts, media_type)
    (alone,) = spans.parts
    size = sum(length for _, length in alone)
    return StreamingResponse(
        read_spans(stored.path, alone), media_type=OCTETS, headers={"Content-Length": str(size)}
    )


def _send_pictures(call: Call, view: View, found: Sequence[Stored]) -> Response:
    """The first frame of every instance that is an image."""
    inner = choose(call.request, [Offer(MULTIPART, name) for name in _PICTURES]).inner
    if len(found) > _MOST_PICTURES:
        raise WebError(413, "too many instances; retrieve the pictures one by one")

    def parts() -> Iterator[Part]:
        for stored in found:
            file = call.archive.open(stored)
            if read_image(file) is not None:
                picture = render(file, 1, view, inner)
                yield Part(inner, [picture], location=f"{call.url_of(stored)}/rendered")

    made = parts()
    first = next(made, None)
    if first is None:
        raise WebError(406, "there is no image to show")
    return send_parts(chain([first], made), inner)


def _read_numbers(text: str, most: int) -> list[int]:
    if len(text) > 10 * most or not re.fullmatch(_LIST, text):
        raise WebError(400, "frames are numbers from 1, joined by commas; or there are too many")
    numbers = [int(each) for each in text.split(",")]
    if len(numbers) > most or 0 in numbers:
        raise WebError(400, "frames are numbers from 1, joined by commas; or there are too many")
    return numbers


def _require_image(stored: StoredFile) -> Image:
    image = read_image(stored)
    if image is None:
        raise WebError(404, "the instance has no frames")
    return image


def _frame_offers(image: Image, *, alone: bool) -> list[Offer]:
    """Frames as stored; compressed ones also decoded, where a decoder is there."""
    syntax = image.stored.transfer_syntax_uid if image.is_encapsulated else EXPLICIT
    media_type = frame_media_type(syntax, is_encapsulated=image.is_encapsulated)
    kinds = [(media_type, syntax)]
    if media_type != OCTETS and is_expandable(syntax):
        kinds.append((OCTETS, EXPLICIT))
    offers = [Offer(MULTIPART, *kind) for kind in kinds]
    return offers + [Offer(media, "", syntax) for media, syntax in kinds] if alone else offers


def _read_frames(image: Image, numbers: Sequence[int], chosen: Offer) -> Iterator[Iterator[bytes]]:
    """The pieces of each frame."""
    path = image.stored.path
    if image.is_encapsulated and chosen.syntax == EXPLICIT:
        for number in numbers:
            yield iter([decode_frame(image, number).tobytes()])
    elif image.is_encapsulated or image.frame_bits % 8 == 0:
        for spans in find_frames(image, numbers):
            yield read_spans(path, spans)
    else:
        for number in numbers:
            yield iter([frame_bytes(image, number)])
