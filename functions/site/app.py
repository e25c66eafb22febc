"""The API reference, the sign of life, and the answer to every unknown path; no right to anything."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.request import Request
from payfirst.api.return_page import return_page

HTML_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "public, max-age=300",
}


@cache
def _description() -> str:
    """The API's description as `payfirst openapi` wrote it."""
    return files("payfirst.api.reference").joinpath("openapi.json").read_text(encoding="utf-8")


@cache
def _page() -> str:
    from payfirst.api.reference.page import render  # noqa: PLC0415 - templates are loaded for who reads the page, once

    return render(json.loads(_description()))


def health(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /health`: the API and its code answer. It says nothing about the table or the gateways, which it may not touch."""
    return Reply(200, {"status": "ok"})


def openapi(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /openapi.json`"""
    return Reply(200, _description(), {"Content-Type": "application/json", "Cache-Control": "public, max-age=300"})


def docs(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /docs`"""
    return Reply(200, _page(), HTML_HEADERS)


def paid(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /paid`, `POST /paid`: where PhonePe sends the browser back."""
    return Reply(200, return_page(), HTML_HEADERS)


handler = build_app("site", {"health": health, "openapi": openapi, "docs": docs, "paid": paid, "paid_posted": paid})
