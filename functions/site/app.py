"""The pages, the API reference, the sign of life, and the answer to every unknown path; no right to anything."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from payfirst.api.app import Handler, build_app
from payfirst.api.errors import NoSuchRouteError, Reply, reply_to
from payfirst.api.request import Request
from payfirst.api.resources import public_origin
from payfirst.api.routes import Family
from payfirst.settings import settings

if TYPE_CHECKING:
    from payfirst.api.pages import Pages
    from payfirst.api.reference.page import Reference
    from payfirst.gateways.declaration import CheckoutScript


@cache
def _description() -> str:
    """The API's description as `payfirst openapi` wrote it."""
    return files("payfirst.api.reference").joinpath("openapi.json").read_text(encoding="utf-8")


@cache
def _reference() -> Reference:
    from payfirst.api.reference.page import Reference  # noqa: PLC0415 - templates are loaded for who reads the page, once

    return Reference(json.loads(_description()))


@cache
def _pages() -> Pages:
    from payfirst.api.pages import Pages  # noqa: PLC0415 - `/health` and unknown paths need no templates

    return Pages(Path(__file__).parent)


def health(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /health`: the API and its code answer. It says nothing about the table or the gateways, which it may not touch."""
    return Reply(200, {"status": "ok"})


def openapi(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /openapi.json`"""
    return Reply(200, _description(), {"Content-Type": "application/json", "Cache-Control": "public, max-age=300"})


def docs(request: Request, operation: str | None = None) -> Reply:
    """`GET /docs`, and the page of one operation: the description for people, in English."""
    from payfirst.api.pages import headers  # noqa: PLC0415 - as above

    sign_in, base = settings().sign_in_page, urlsplit(public_origin(request)).path
    body = _reference().page(operation, _pages().addresses(base), doors=sign_in.startswith("/"))
    if body is None:
        return lost(request) or reply_to(NoSuchRouteError("Not found"), Family.ORDERS)
    kept = {name: value for name, value in headers(sign_in).items() if name != "Vary"}
    return Reply(200, body, {**kept, "Cache-Control": "public, max-age=300"})


def page(name: str) -> Handler:
    """What answers on a page: its shell, whose script reads the rest of the path; the page of an operation; or an asset."""
    others: dict[str, Handler] = {"docs": docs, "asset": _asset}
    return others.get(name, lambda request, **_: _shell(request, name))


def paid(request: Request) -> Reply:
    """`GET /paid`, `POST /paid`: where PhonePe sends the browser back."""
    return _shell(request, "paid")


def lost(request: Request) -> Reply | None:
    """A page that says so, for a browser at an address that there is not; None for who calls the API."""
    read = request.event["requestContext"]["http"]["method"] in ("GET", "HEAD")
    below = request.event["rawPath"].split("/")[1]
    if not read or below in ("api", "cb", "assets") or "text/html" not in (request.header("accept") or ""):
        return None
    reply = _shell(request, "lost")
    return Reply(404, reply.body, {**reply.headers, "Vary": "Accept, Accept-Language"})


def _shell(request: Request, template: str) -> Reply:
    from payfirst.api.pages import chosen_language, headers  # noqa: PLC0415 - as above

    language = chosen_language(request.parameter("lang"), request.header("accept-language"))
    sign_in = settings().sign_in_page
    base = urlsplit(public_origin(request)).path
    body = _pages().shell(template, language, base=base, doors=sign_in.startswith("/"))
    return Reply(200, body, headers(sign_in, _scripts() if template == "shop" else ()))


def _scripts() -> list[CheckoutScript]:
    """What shows gateways' pages within the one where payments begin."""
    from payfirst.gateways.registry import GATEWAYS  # noqa: PLC0415 - as above

    return [script for gateway in GATEWAYS if (script := gateway.checkout_script())]


def _asset(request: Request, name: str) -> Reply:  # noqa: ARG001 - a handler's form
    found = _pages().asset(name)
    if found is None:
        raise NoSuchRouteError("Not found")
    asset, kept = found
    return Reply(200, asset.text, {"Content-Type": asset.type, "Cache-Control": kept, "X-Content-Type-Options": "nosniff"})


handler = build_app(
    "site",
    {"health": health, "openapi": openapi, "docs": docs, "paid": paid, "paid_posted": paid},
    page=page,
    lost=lost,
)
