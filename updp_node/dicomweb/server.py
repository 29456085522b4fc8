"""The HTTP server: uvicorn with our TLS, the client's certificate, and deadlines.

References
----------
PS3.15 B.12: BCP 195 TLS. RFC 9112 (HTTP/1.1).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from updp_node.config.research import Web
from updp_node.errors import NodeError
from updp_node.log import get_logger

_BACKLOG = 128
_MOST_CONNECTIONS = 200
_HEAD_TIMEOUT_S = 15.0
_KEEP_ALIVE_S = 30
_STOP_S = 5
_LONGEST_HEAD = 80 * 1024  # a search may name a thousand UIDs


class Protocol(H11Protocol):
    """Hands the client's certificate to the application; a request has to come in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note who is connected."""
        super().connection_made(transport)
        shown = transport.get_extra_info("ssl_object")
        der = None if shown is None else shown.getpeercert(binary_form=True)
        self.app_state = {**self.app_state, "client_certificate": der}
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that has begun has to end in time."""
        self._forget_deadline()
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget_deadline()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._deadline = self.loop.call_later(_HEAD_TIMEOUT_S, self.transport.close)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class WebServer:
    """Serves an application in a thread of its own.

    Parameters
    ----------
    app : fastapi.FastAPI
    settings : updp_node.config.research.Web
    port : int, optional
        Instead of the configured one; 0 takes any that is free.

    Raises
    ------
    ConfigError
        Certificates cannot be used.
    NodeError
        The address is taken or cannot be used.
    """

    def __init__(self, app: FastAPI, settings: Web, *, port: int | None = None) -> None:
        self._socket = _listen(settings.host, settings.port if port is None else port)
        self._server = uvicorn.Server(_configure(app, settings))
        self._thread = threading.Thread(target=self._run, name="dicomweb", daemon=True)
        self._ended = threading.Event()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()
        get_logger().info("web-listening", address=self.address[0], port=self.address[1])

    def stop(self) -> None:
        """Serve what is under way for a few seconds more, then end."""
        self._server.should_exit = True
        self._thread.join(_STOP_S + 5)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; whether it came."""
        return self._ended.wait(timeout_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._socket.close()
            self._ended.set()

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_tell_failure)
        await self._server.serve(sockets=[self._socket])


def _tell_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell what no request can answer for, in place of a traceback with its texts."""
    error = context.get("exception")
    get_logger().warning("web-connection-failed", error_type=type(error).__name__)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise NodeError(f"web: cannot listen: {error.strerror or type(error).__name__}") from error


def _configure(app: FastAPI, settings: Web) -> uvicorn.Config:
    context = _context(settings)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)  # it would print paths and tracebacks
        library.handlers = [logging.NullHandler()]
        library.propagate = False
    config = uvicorn.Config(
        app, http=Protocol, ws="none", lifespan="off", loop="asyncio", interface="asgi3",
        log_config=None, access_log=False, proxy_headers=False, server_header=False,
        limit_concurrency=_MOST_CONNECTIONS, timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_STOP_S, h11_max_incomplete_event_size=_LONGEST_HEAD,
    )  # fmt: skip
    config.load()
    config.ssl = context
    return config


def _context(settings: Web) -> ssl.SSLContext | None:
    """TLS: client certificates are asked for where a CA for them is given."""
    if settings.tls is None:
        return None
    asks = settings.tls.ca is not None
    context = settings.tls.settings().server_context(asks)
    if asks and not settings.tls.require_client_certificate:
        context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context
