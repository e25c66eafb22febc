"""The one place where errors become HTTP: the status by the error's class, the shape by the route's family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from payfirst.api.routes import Family
from payfirst.domain.errors import (
    CartEmptyError,
    GatewayRejectedError,
    InvalidInputError,
    MisconfiguredError,
    NotChargeableError,
    NotFoundError,
    PayFirstError,
    RefusedError,
    SessionExpiredError,
    TemporaryError,
    TooSoonError,
)


class UnauthorizedError(PayFirstError):
    """The claims that came with the request are not those of an ID token of this shop."""

    code = "UNAUTHORIZED"


class TooLargeError(PayFirstError):
    """The body is larger than any request needs."""

    code = "BODY_TOO_LARGE"


class MalformedError(PayFirstError):
    """The body is not a JSON object."""

    code = "MALFORMED_BODY"


class NoSuchRouteError(PayFirstError):
    """No route has this path."""

    code = "ROUTE_NOT_FOUND"


class MethodNotAllowedError(PayFirstError):
    """The path exists for other methods: `allowed`."""

    code = "METHOD_NOT_ALLOWED"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class RepeatConflictError(PayFirstError):
    """An `Idempotency-Key` was used for another body or query."""

    code = "IDEMPOTENCY_KEY_REUSED"


class StillRunningError(PayFirstError):
    """The first request with this `Idempotency-Key` has not been answered yet."""

    code = "REQUEST_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer before it is written: `body` is a pydantic model or what JSON can hold."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


_STATUS: Final[tuple[tuple[type[PayFirstError], int], ...]] = (
    (InvalidInputError, 400),
    (NotFoundError, 404),
    (NoSuchRouteError, 404),
    (SessionExpiredError, 400),
    (CartEmptyError, 400),
    (NotChargeableError, 400),
    (RefusedError, 409),
    (TooSoonError, 429),
    (TemporaryError, 503),
    (UnauthorizedError, 401),
    (TooLargeError, 413),
    (MalformedError, 400),
    (MethodNotAllowedError, 405),
    (RepeatConflictError, 422),
    (StillRunningError, 409),
)

_BAD_REQUEST_CODES: Final = frozenset(
    {
        "PROMO_UNKNOWN",
        "PROMO_EXPIRED",
        "PROMO_USED_UP",
        "PROMO_LIMIT_REACHED",
        "PROMO_BELOW_MINIMUM",
        "PROMO_NOT_APPLICABLE",
        "CART_FULL",
        "CANNOT_BE_PROVIDED",
        "SLOT_NOT_OFFERED",
        "SLOT_TOO_SOON",
        "SLOT_TOO_FAR",
    }
)
"""Refusals that are answered with 400: by the documents, and of slots that no rule lets be booked."""

_PROCESSING: Final = "Cart payment processing failed"
_GATEWAY: Final = "Payment processing failed"


def status_of(error: PayFirstError) -> int:
    """The HTTP status of `error`."""
    if isinstance(error, GatewayRejectedError):
        return 400 if error.field else 502
    if isinstance(error, RefusedError) and error.stable_code in _BAD_REQUEST_CODES:
        return 400
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def code_of(error: PayFirstError) -> str:
    """The stable code of `error`."""
    return error.stable_code if isinstance(error, InvalidInputError | RefusedError) else error.code


def reply_to(error: PayFirstError, family: Family, operation: str = "") -> Reply:
    """The answer for `error` in the shape of `family`; `operation` is the route's, where one matched."""
    shaped = _for_orders(error) if family in (Family.ORDERS, Family.NOTICE) else _for_bookings(error, operation)
    return Reply(status_of(error), shaped, _headers(error))


def _headers(error: PayFirstError) -> dict[str, str]:
    if isinstance(error, TooSoonError | TemporaryError):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, StillRunningError):
        return {"Retry-After": "1"}
    if isinstance(error, MethodNotAllowedError):
        return {"Allow": ", ".join(error.allowed)}
    return {}


def _details(error: PayFirstError) -> Mapping[str, Any]:
    return error.details if isinstance(error, RefusedError) else {}


def _fields(error: PayFirstError) -> dict[str, list[str]]:
    if isinstance(error, GatewayRejectedError) and error.field:
        return {error.field: [error.message]}
    fields: dict[str, list[str]] = {}
    for problem in error.problems if isinstance(error, InvalidInputError) else ():
        fields.setdefault(problem.field, []).append(problem.message)
    return fields


def _for_orders(error: PayFirstError) -> dict[str, Any]:
    """Document B: `{"status": "error", "message", "error_code"}`, with `errors` by field where fields are wrong."""
    fields = _fields(error)
    message = " ".join(f"{name}: {said}" for name, all_said in fields.items() for said in all_said) or error.message
    return {
        "status": "error",
        "message": message,
        "error_code": code_of(error),
        **({"errors": fields} if fields else {}),
        **_details(error),
    }


def _for_bookings(error: PayFirstError, operation: str) -> dict[str, Any]:
    """Document A: `{"field": ["message"]}` for wrong fields, else `{"error", "details"}`."""
    fields = _fields(error)
    if fields:
        return {**fields, "error_code": code_of(error)}
    code = {"error_code": code_of(error), **_details(error)}
    if isinstance(error, GatewayRejectedError):
        return {"error": _GATEWAY, "details": f"{error.gateway} payment failed: {error.detail}", **code}
    if operation.startswith("process_cart"):
        title = _GATEWAY if isinstance(error, MisconfiguredError | TooSoonError) else _PROCESSING
        return {"error": title, "details": error.message, **code}
    return {"error": error.message, "details": error.message, **code}
