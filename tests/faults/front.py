"""The way into the real Lambda handlers: the events that API Gateway, SQS and the schedules send, and what is answered."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, cast

from functions.bookings import app as bookings
from functions.carts import app as carts
from functions.catalogue import app as catalogue
from functions.create_session import app as create_session
from functions.deliver_events import app as deliver_events
from functions.expire_sessions import app as expire_sessions
from functions.initiate_payment import app as initiate_payment
from functions.operators import app as operators
from functions.read_payments import app as read_payments
from functions.reconcile_payments import app as reconcile_payments
from functions.site import app as site
from functions.webhook import app as webhook
from local.host import application
from local.host.events import HttpRequest, make_event
from local.host.routing import Match
from payfirst.api.routes import ROUTES
from payfirst.domain.errors import PayFirstError
from payfirst.domain.session import Customer
from tests.issuer import bearer

MODULES: Final[Mapping[str, Any]] = {
    module.__name__.split(".")[1]: module
    for module in (
        bookings,
        carts,
        catalogue,
        create_session,
        deliver_events,
        expire_sessions,
        initiate_payment,
        operators,
        read_payments,
        reconcile_payments,
        site,
        webhook,
    )
}
"""The functions' modules, by function."""

ISSUER, AUDIENCE = "https://issuer.example", "shop"
CRASHED: Final = 500
REFUSED: Final = 400


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands to a handler; the function always has 25 seconds left."""

    function_name: str = "payfirst"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:payfirst"
    aws_request_id: str = "request"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 25_000


class AnsweredError(PayFirstError):
    """The API refused: `status` and `body` as they were answered, `code` where the body has one."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body
        self.code = str(body.get("error_code") or body.get("code") or status)  # type: ignore[misc]


class CrashedError(AssertionError):
    """The API answered 500: something was raised that no caller may see."""


ahead: ContextVar[timedelta] = ContextVar("ahead", default=timedelta(0))
"""How far this actor's clock is ahead of the world's."""


@contextmanager
def later(by: timedelta) -> Iterator[None]:
    """This actor's functions begin `by` later than the world's clock says."""
    token = ahead.set(by)
    try:
        yield
    finally:
        ahead.reset(token)


# Powertools keeps the event of the one request that a container has at a time in a class. Threads that race share that
# class, so each has it to itself until its request is read, which is before the first call to anything.
_entrance: Final = threading.Lock()
_inside: Final = threading.local()


def come_in() -> None:
    """The event of this thread has been read: the next one may come."""
    if getattr(_inside, "waiting", False):
        _inside.waiting = False
        _entrance.release()


def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """What `function`'s handler answers."""
    _entrance.acquire()
    _inside.waiting = True
    try:
        return cast("dict[str, Any]", MODULES[function].handler(event, Context()))
    finally:
        come_in()


def http(
    method: str,
    path: str,
    now: datetime,
    *,
    customer: Customer | None = None,
    body: Mapping[str, Any] | bytes | None = None,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    groups: Sequence[str] = (),
) -> tuple[int, Any]:
    """The status and the JSON body that the API answers; AnsweredError from 400 on, CrashedError for 500."""
    function, match = _routed(method, path.rstrip("/"))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    claims = None if customer is None else _claims(customer)
    token = bearer({**claims, "cognito:groups": groups}) if claims else {}
    given = {"host": "shop.example", "content-type": "application/json", **token, **(headers or {})}
    request = HttpRequest(method, path, query, tuple(given.items()), raw, "192.0.2.1", 443, "HTTP/1.1", "request", now)
    verified = claims and claims | {"cognito:groups": ",".join(groups)}
    answer = call(function, make_event(request, match, verified))
    status, text = int(answer["statusCode"]), answer.get("body") or ""
    found = json.loads(text) if text else None
    if status == CRASHED:
        raise CrashedError(f"{method} {path}: {text}")
    if status >= REFUSED:
        raise AnsweredError(status, found if isinstance(found, dict) else {})
    return status, found


def _claims(customer: Customer) -> dict[str, str]:
    claims = {"sub": customer.sub, "iss": ISSUER, "aud": AUDIENCE, "token_use": "id", "user_id": str(customer.user_id or "")}
    more = {"email": customer.email, "email_verified": "true", "name": customer.name}
    return claims | {name: value for name, value in more.items() if value}


@cache
def _patterns() -> list[tuple[re.Pattern[str], Any]]:
    return [(re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)), route) for route in ROUTES]


def _routed(method: str, path: str) -> tuple[str, Match]:
    for pattern, route in _patterns():
        found = pattern.fullmatch(path)
        if found is not None and route.method == method:
            behind = application.Route(method, route.path, route.function, needs_token=not route.public)
            return route.function, Match(behind, found.groupdict())
    raise LookupError(f"there is no route {method} {path}")


def queue_batch(refs: Sequence[str]) -> list[str]:
    """One batch of the settle queue; answers the messages that come again."""
    records = [{"messageId": str(number), "body": ref, "eventSource": "aws:sqs"} for number, ref in enumerate(refs)]
    failed = call("reconcile_payments", {"Records": records})["batchItemFailures"]
    return [refs[int(failure["itemIdentifier"])] for failure in failed]


def stream(written: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One batch of the table's stream about `written`; answers the run's report."""
    place = [{"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}} for item in written]
    return call("deliver_events", {"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": each}} for each in place]})


def schedule(function: str) -> dict[str, Any]:
    """One run of a schedule; answers the run's report."""
    return call(function, {"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}})
