"""What is answered when a request cannot be served: a status and a static sentence.

A text never repeats anything of the request.

References
----------
PS3.18 8.5: Status Codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from updp_node.errors import InstanceError
from updp_node.log import get_logger
from updp_node.query import QueryError

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="dicomweb"'}
_TEXTS = {
    400: "the request is malformed",
    404: "there is no such resource",
    405: "this resource can only be read",
}


class Fault(BaseModel):
    """The body of every answer that is none."""

    error: str


class WebError(Exception):
    """A request that is not served.

    Parameters
    ----------
    status : int
        HTTP status code.
    reason : str
        Static text.
    headers : mapping, optional
    """

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


def unauthorized(reason: str) -> WebError:
    """401, with the challenge that tells how to do better (RFC 6750 3)."""
    return WebError(401, reason, _CHALLENGE)


def not_found() -> WebError:
    """404: not there, or not for this requester to know of."""
    return WebError(404, "there is no such resource, or it is not of your projects")


def answer_fault(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Any:
    """The response of a fault."""
    return JSONResponse({"error": reason}, status_code=status, headers=dict(headers or {}))


def add_fault_handlers(app: FastAPI) -> None:
    """Answer every kind of fault in one form."""

    @app.exception_handler(WebError)
    def _on_web_error(_: Request, error: WebError) -> Any:
        return answer_fault(error.status, error.reason, error.headers)

    @app.exception_handler(QueryError)
    def _on_query_error(_: Request, error: QueryError) -> Any:
        where = "" if error.tag is None else f" ({error.tag >> 16:04X},{error.tag & 0xFFFF:04X})"
        return answer_fault(400, error.reason + where)

    @app.exception_handler(RequestValidationError)
    def _on_validation(_: Request, __: RequestValidationError) -> Any:
        return answer_fault(400, _TEXTS[400])

    @app.exception_handler(HTTPException)
    def _on_http(_: Request, error: HTTPException) -> Any:
        reason = _TEXTS.get(error.status_code, "the request cannot be served")
        return answer_fault(error.status_code, reason, error.headers)

    @app.exception_handler(InstanceError)
    def _on_instance(_: Request, error: InstanceError) -> Any:
        get_logger().error("web-instance-unreadable", code=error.code)
        return answer_fault(500, "a stored object cannot be read")


def fault_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The entries of the OpenAPI document for faults."""
    texts = {
        400: "A parameter is malformed or out of range",
        401: "No valid bearer token or client certificate",
        404: "Not there, or not of the requester's projects",
        406: "No acceptable media type or transfer syntax",
        413: "More than is answered at once",
        431: "A header field is too long",
        503: "Too many requests at this moment",
    }
    return {
        status: {"model": Fault, "description": texts[status]} for status in sorted({*statuses})
    }
