"""QIDO-RS: searches for studies, series and instances.

References
----------
PS3.18 10.6: Search Transaction.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import StringConstraints

from updp_node.dicomweb.archive import Call, CallOf, Uid
from updp_node.dicomweb.faults import fault_responses
from updp_node.dicomweb.multipart import CHUNK_BYTES
from updp_node.dicomweb.negotiation import DICOM_JSON, JSON, Offer, choose
from updp_node.query import Level
from updp_node.query.levels import UNIQUE
from updp_node.query.web import read_search
from updp_node.storage.answers import Answer

router = APIRouter(tags=["QIDO-RS"])
_KEPT_BYTES = 4 << 20
_OFFERS = (Offer(DICOM_JSON), Offer(JSON))
_PATHS = {Level.STUDY: "studies", Level.SERIES: "series", Level.IMAGE: "instances"}
_MODEL = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": {"type": "object"}},
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The matches, in the DICOM JSON model; an empty list if there are none",
        "content": {DICOM_JSON: {"schema": _MODEL}, JSON: {"schema": _MODEL}},
    },
    **fault_responses(400, 401, 406, 503),
}
_CUT = '299 - "There are more results than are returned at once; use limit and offset"'
_LITERAL = '299 - "The fuzzymatching parameter is not supported; only literal matching was done"'
_IGNORED = '299 - "Some attributes or options are not supported and were ignored"'


IncludedField = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z0-9]{1,64}([.,][A-Za-z0-9]{1,64})*)?$")
]


async def _documented(
    limit: Annotated[str | None, Query(pattern="^[0-9]{1,9}$", description="Most results")] = None,
    offset: Annotated[
        str | None, Query(pattern="^[0-9]{1,9}$", description="Results to leave out")
    ] = None,
    includefield: Annotated[
        list[IncludedField] | None,
        Query(description="Attributes to return beside the usual ones: keywords, tags or `all`"),
    ] = None,
    fuzzymatching: Annotated[
        str | None, Query(pattern="^(true|false)$", description="Accepted, but not done")
    ] = None,
) -> None:
    """Options of searches; any attribute, as keyword or tag, is a parameter too."""


Options = Annotated[None, Depends(_documented)]
_ROUTE: dict[str, Any] = {"responses": _RESPONSES, "response_class": Response}


@router.get("/studies", **_ROUTE)
def search_studies(call: CallOf, _: Options) -> Response:
    """Search for studies."""
    return _search(call, Level.STUDY, {})


@router.get("/series", **_ROUTE)
def search_series(call: CallOf, _: Options) -> Response:
    """Search for series of all studies."""
    return _search(call, Level.SERIES, {})


@router.get("/instances", **_ROUTE)
def search_instances(call: CallOf, _: Options) -> Response:
    """Search for instances of all studies."""
    return _search(call, Level.IMAGE, {})


@router.get("/studies/{study}/series", **_ROUTE)
def search_series_of_study(call: CallOf, _: Options, study: Uid) -> Response:
    """Search for series of a study."""
    return _search(call, Level.SERIES, {Level.STUDY: study})


@router.get("/studies/{study}/instances", **_ROUTE)
def search_instances_of_study(call: CallOf, _: Options, study: Uid) -> Response:
    """Search for instances of a study."""
    return _search(call, Level.IMAGE, {Level.STUDY: study})


@router.get("/studies/{study}/series/{series}/instances", **_ROUTE)
def search_instances_of_series(
    call: CallOf, _: Options,
    study: Uid, series: Uid,
) -> Response:  # fmt: skip
    """Search for instances of a series."""
    fixed = {Level.STUDY: study, Level.SERIES: series}
    return _search(call, Level.IMAGE, fixed)


def _search(call: Call, level: Level, fixed: Mapping[Level, str]) -> Response:
    """Answer one search: a page of matches, and a warning where something was left out."""
    media_type = choose(call.request, _OFFERS).media
    params = call.request.query_params.multi_items()
    search = read_search(params, level, fixed, most=call.archive.settings.max_page)
    answers = call.archive.index.search(search.query, call.requester.projects)
    body = tempfile.SpooledTemporaryFile(_KEPT_BYTES)  # noqa: SIM115  # closed by what reads it
    count, has_more = _write_answers(body, answers, search.page, call.base_url, level)
    response = StreamingResponse(_read_back(body), media_type=media_type)
    for warning, applies in (
        (_CUT, search.is_cut and has_more),
        (_LITERAL, search.is_fuzzy),
        (_IGNORED, search.is_unsupported),
    ):
        if applies:
            response.headers.append("Warning", warning)
    call.request.state.count = count
    return response


def _complete(answer: dict[str, dict[str, Any]], base: str, level: Level) -> dict[str, Any]:
    """An answer with where its resource is, and that it is there; in order of tags."""
    url = base
    for above in (Level.STUDY, Level.SERIES, Level.IMAGE):
        if above <= level:
            value = answer[f"{UNIQUE[above]:08X}"].get("Value") or [""]
            url += f"/{_PATHS[above]}/{value[0]}"
    complete = {
        **answer,
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00081190": {"vr": "UR", "Value": [url]},
    }
    return dict(sorted(complete.items()))


def _write_answers(
    body: IO[bytes], answers: Iterator[Answer], page: int, base: str, level: Level
) -> tuple[int, bool]:
    """Write a page as an array; how many answers it has, and whether there were more.

    It is written before it is sent, so that no transaction waits for a slow client; a large
    page goes to an unnamed file.
    """
    count, has_more = 0, False
    body.write(b"[")
    with closing(answers):  # type: ignore[type-var]  # a generator
        for answer in answers:
            if count == page:
                has_more = True
                break
            text = json.dumps(
                _complete(answer, base, level), ensure_ascii=False, separators=(",", ":")
            )
            body.write(b"," * bool(count) + text.encode("utf-8"))
            count += 1
    body.write(b"]")
    return count, has_more


def _read_back(body: IO[bytes]) -> Iterator[bytes]:
    with body:
        body.seek(0)
        while piece := body.read(CHUNK_BYTES):
            yield piece
