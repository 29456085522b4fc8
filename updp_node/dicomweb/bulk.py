"""Long values by their path: where they lie in the file.

References
----------
PS3.18 10.4.1.1.5: Bulkdata Resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastapi.responses import StreamingResponse

from updp_node.dicomweb.elements import PIXEL_DATA, Kind, Path, Walk, leads_to, read_fragments
from updp_node.dicomweb.faults import WebError
from updp_node.dicomweb.metadata import is_bulk
from updp_node.dicomweb.multipart import Part, Span, begin, join_parts, new_boundary
from updp_node.dicomweb.negotiation import MULTIPART
from updp_node.dicomweb.pixels import find_frames, read_image
from updp_node.research.files import StoredFile

_STEP = (re.compile(r"[0-9A-Fa-f]{8}"), re.compile(r"[1-9][0-9]{0,8}"))
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Bulk:
    """Where a long value lies.

    Attributes
    ----------
    parts : iterable of list of (int, int)
        Stretches of the file, for each part of a message.
    is_encapsulated : bool
        The parts are compressed frames.
    """

    parts: Iterable[list[Span]]
    is_encapsulated: bool


def read_path(text: str) -> Path:
    """Read a path as metadata write it.

    Raises
    ------
    WebError
        400: it is none.
    """
    steps = text.split("/", 2 * _DEEPEST)
    if len(steps) % 2 == 0 or not all(
        _STEP[place % 2].fullmatch(step) for place, step in enumerate(steps)
    ):
        raise WebError(400, "a bulk data path is tags and item numbers in turn")
    return tuple(int(step, 16 if place % 2 == 0 else 10) for place, step in enumerate(steps))


def find_bulk(stored: StoredFile, path: Path) -> Bulk | None:
    """Find a value.

    Parameters
    ----------
    stored : StoredFile
    path : tuple of int

    Returns
    -------
    Bulk or None
        None: the object has no such long value.

    Raises
    ------
    InstanceError
        ``released-file-unreadable``.
    """
    with stored.path.open("rb", buffering=1 << 16) as file:
        walk = Walk(
            file, stored.transfer_syntax_uid, stored.data_offset, stored.data_size,
            into=leads_to([path]),
        )  # fmt: skip
        for event in walk:
            if event.path != path or event.kind not in {Kind.VALUE, Kind.FRAGMENTS}:
                continue
            if event.kind is Kind.FRAGMENTS:
                return Bulk(_encapsulated(stored, path, event.offset), is_encapsulated=True)
            return Bulk([[(event.offset, event.length)]], False) if is_bulk(event) else None
    return None


def _encapsulated(stored: StoredFile, path: Path, offset: int) -> Iterator[list[Span]]:
    """The frames of the pixel data; of an icon, all fragments as its one frame."""
    image = read_image(stored) if len(path) == 1 and path[0] in PIXEL_DATA else None
    if image is not None:
        yield from find_frames(image, range(1, image.frames + 1))
        return
    with stored.path.open("rb") as file:
        yield list(read_fragments(file, offset))[1:]


def send_parts(parts: Iterable[Part], inner: str) -> StreamingResponse:
    """A multipart response; what is wrong with its first part is still told by a status."""
    boundary = new_boundary()
    begun = begin(parts)
    return StreamingResponse(
        join_parts(begun, boundary), media_type=f'{MULTIPART}; type="{inner}"; boundary={boundary}'
    )
