"""The DICOMweb application.

References
----------
PS3.18 10: Studies Service and Resources; 8.9.1: Retrieve Capabilities (here: OpenAPI).
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from updp_node import __version__
from updp_node.config.research import Web
from updp_node.dicomweb import images, retrieve, search
from updp_node.dicomweb.archive import Archive, Index, TokenCheck
from updp_node.dicomweb.faults import add_fault_handlers
from updp_node.dicomweb.gate import Gate

_TITLE = "DICOMweb of the released zone"
_MOST_REQUESTS = 64
_SEND_TIMEOUT_S = 60.0
_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_STYLE = "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto}code{font-size:15px}"


def make_app(index: Index, tokens: TokenCheck, root: Path, settings: Web) -> FastAPI:
    """Put the application together.

    Parameters
    ----------
    index : Index
        `updp_node.storage.research_index.ResearchIndex`.
    tokens : TokenCheck
        `updp_node.storage.tokens.Tokens`.
    root : pathlib.Path
        The released zone.
    settings : updp_node.config.research.Web

    Returns
    -------
    fastapi.FastAPI
    """
    app = FastAPI(
        title=_TITLE, version=__version__, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.archive = Archive(index, tokens, root, settings)
    for router in (search.router, retrieve.router, images.router):
        app.include_router(router)
    add_fault_handlers(app)
    app.add_middleware(Gate, max_requests=_MOST_REQUESTS, send_timeout_s=_SEND_TIMEOUT_S)
    document = describe(app)

    @app.get("/openapi.json", include_in_schema=False)
    async def show_openapi() -> Any:
        return document

    @app.get("/", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    async def show_routes() -> HTMLResponse:
        return HTMLResponse(_page(document), headers=_POLICY)

    return app


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: what FastAPI makes, less the status that is never answered."""
    document = get_openapi(title=_TITLE, version=__version__, routes=app.routes)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document.get("components", {}).get("schemas", {}).pop(name, None)
    return document


def _page(document: dict[str, Any]) -> str:
    """The routes for people; reads nothing from the net."""
    rows = "".join(
        f"<dt><code>{escape(method.upper())} {escape(path)}</code></dt>"
        f"<dd>{escape(str(operation.get('description') or operation.get('summary', '')))}</dd>"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{_TITLE}</title>"
        f"<style>{_STYLE}</style><h1>{_TITLE}</h1>"
        "<p>Every route needs <code>Authorization: Bearer TOKEN</code> or a client certificate. "
        '<a href="openapi.json">OpenAPI document</a>.</p>'
        f"<dl>{rows}</dl></html>"
    )
