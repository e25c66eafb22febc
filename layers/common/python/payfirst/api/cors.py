"""What browsers on other origins may do: pages of the shop's own origins call this API, with a token and without cookies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payfirst.api.errors import Reply
from payfirst.settings import settings

ASKED_BEFORE: Final = {
    "Access-Control-Allow-Methods": "GET,POST,DELETE",
    "Access-Control-Allow-Headers": "authorization,content-type,idempotency-key",
    "Access-Control-Max-Age": "600",
}


def readable_by(event: Mapping[str, Any], varies: str | None = None) -> dict[str, str]:
    """The headers that let the page which sent `event` read the answer; for one of an origin that is not the shop's, and where
    none is told, only that a cache may not keep for one origin what was answered to another.

    `varies` names the other request headers by which the answer differs.
    """
    vary = {"Vary": ", ".join(filter(None, [varies, "Origin"]))}
    origin = _header(event, "origin")
    if origin is None or origin not in settings().shop_origin:
        return vary
    exposed = "retry-after,x-amzn-requestid"
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": exposed, **vary}


def preflight(event: Mapping[str, Any]) -> Reply | None:
    """The answer to a browser that asks before it sends, the same for every path; None for any other request."""
    asks = event["requestContext"]["http"]["method"] == "OPTIONS" and _header(event, "access-control-request-method")
    allowed = "Access-Control-Allow-Origin" in readable_by(event)
    return Reply(204, "", ASKED_BEFORE) if asks and allowed else None


def _header(event: Mapping[str, Any], name: str) -> str | None:
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)
