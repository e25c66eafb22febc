"""Requests as the events in which API Gateway and the schedules hand them to a function."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from benchmarks.walk import Ask
from local.host.application import Route
from local.host.events import HttpRequest, make_event
from local.host.routing import Match
from payfirst.api.routes import ROUTES

SCHEDULED = {"version": "0", "source": "payfirst.tick", "detail-type": "Scheduled Event", "detail": {}}
"""By hand, so that it leaves nothing to the table's stream, which nobody reads here."""


@cache
def _routed(method: str, path: str) -> tuple[Any, Mapping[str, str]]:
    for route in ROUTES:
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path), path.rstrip("/"))
        if found is not None and route.method == method:
            return route, found.groupdict()
    raise LookupError(f"there is no route {method} {path}")


def event_of(ask: Ask, issuer: str, audience: str) -> tuple[str, dict[str, Any]]:
    """The function that takes a request, by its folder, and the event that it gets."""
    if not ask.method:
        return ask.path, SCHEDULED
    route, parameters = _routed(ask.method, ask.path)
    claims = None if ask.customer is None else ask.customer.claims(issuer, audience)
    given = {"host": "shop.example", "content-type": "application/json", **(ask.headers or {})}
    if claims is not None:
        given["authorization"] = "Bearer " + _token({**claims, "cognito:groups": ["operators"]} if route.operators else claims)
        claims = {**claims, "cognito:groups": "operators"} if route.operators else claims
    raw = b"" if ask.body is None else json.dumps(ask.body).encode()
    now = datetime.now(UTC)
    request = HttpRequest(
        ask.method, ask.path, ask.query, tuple(given.items()), raw, "192.0.2.1", 443, "HTTP/1.1", "request", now
    )
    behind = Route(ask.method, route.path, route.function, needs_token=not route.public)
    return route.function, make_event(request, Match(behind, dict(parameters)), claims)


def _token(claims: Mapping[str, Any]) -> str:
    """A token in its three parts; nobody here looks at the signature, which API Gateway has verified."""
    parts = ({"alg": "RS256"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".signature"
