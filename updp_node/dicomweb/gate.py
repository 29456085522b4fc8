"""What stands before every route: a limit, an account, and no trace of a failure outside.

References
----------
ASGI 3. PS3.15 A.5 of the audit: who, what kind of request, how it ended; never keys or values.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from updp_node.dicomweb.faults import answer_fault
from updp_node.log import get_logger

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"})
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)


class InterruptedAnswerError(RuntimeError):
    """An answer ended before its end; the connection is closed so that the client knows."""


class Gate:
    """Limits requests, logs one line for each, keeps failures to itself.

    Parameters
    ----------
    app : ASGI application
    max_requests : int
        Served at once; further ones get 503.
    send_timeout_s : float
        How long a client may leave a piece unread.
    """

    def __init__(self, app: ASGIApp, *, max_requests: int, send_timeout_s: float) -> None:
        self._app = app
        self._max_requests = max_requests
        self._send_timeout_s = send_timeout_s
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send, self._send_timeout_s)
        self._open += 1
        try:
            if self._open > self._max_requests:
                await _refuse(scope, receive, exchange.send)
            else:
                await self._app(scope, receive, exchange.send)
        except Exception as error:  # noqa: BLE001  # the border of a request: nothing leaves it
            await exchange.fail(error, receive)
        finally:
            self._open -= 1
            exchange.tell()


class _Exchange:
    """One request and what became of it."""

    def __init__(self, scope: Scope, send: Send, send_timeout_s: float) -> None:
        self._scope = scope
        self._send = send
        self._timeout_s = send_timeout_s
        self._began = time.monotonic()
        self._status = 0
        self._sent_bytes = 0
        self._is_complete = False
        scope.setdefault("state", {})

    async def send(self, message: Message) -> None:
        """Pass on a piece of the answer, and count it."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        elif message["type"] == "http.response.body":
            self._sent_bytes += len(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
        async with asyncio.timeout(self._timeout_s):
            await self._send(message)

    async def fail(self, error: Exception, receive: Receive) -> None:
        """Say that something went wrong, and nothing more."""
        kind = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        get_logger().error("web-request-failed", error_type=type(kind).__name__)
        if self._status:
            raise InterruptedAnswerError("the answer was interrupted") from None
        response = answer_fault(500, "the request could not be served")
        await response(self._scope, receive, self.send)

    def tell(self) -> None:
        """Write the line of this request."""
        state: dict[str, Any] = self._scope["state"]
        route = self._scope.get("route")
        client = self._scope.get("client") or ("",)
        method = self._scope["method"]
        get_logger().info(
            "web-request",
            method=method if method in _METHODS else "OTHER",
            route=getattr(route, "name", None) or "none",
            status=self._status,
            reason="complete" if self._is_complete else "interrupted",
            count=state.get("count"),
            size_bytes=self._sent_bytes,
            peer_address=client[0],
            token_id=state.get("token_id"),
            projects=state.get("projects"),
            duration_s=round(time.monotonic() - self._began, 4),
        )


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    response = answer_fault(503, "too many requests at this moment", {"Retry-After": "2"})
    await response(scope, receive, send)
