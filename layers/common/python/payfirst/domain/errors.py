"""The one tree of errors that a caller may see; each has a stable code and a sentence that says what would do.

PayFirstError
├── InvalidInputError        a field of the request is wrong                      400
├── NotFoundError            unknown, or somebody else's                          404
├── RefusedError             the request is fine, the state says no               400 or 409, by code
│   ├── SessionExpiredError  SESSION_EXPIRED                                      400
│   ├── CartEmptyError       CART_EMPTY                                           400
│   ├── NotChargeableError   AMOUNT_NOT_CHARGEABLE                                400
│   ├── PaymentInProgressError  PAYMENT_IN_PROGRESS, with the open attempt        409
│   └── PriceChangedError    PRICE_CHANGED, with the lines                        409
├── TooSoonError             PHONE_BUSY, with the seconds to wait                 429
│   └── FairUseError         TOO_MANY_REQUESTS, until the next hour               429
├── GatewayRejectedError     the gateway said no before any money moved           400 or 502
└── TemporaryError           try the same request again                           503
    ├── ContentionError      other writers were faster until the time was up
    └── MisconfiguredError   an operator has to mend a setting or a secret
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar


class PayFirstError(Exception):
    """An error with a stable `code` and a `message` for the caller."""

    code: ClassVar[str] = "ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, named as whoever asks gave it: to a use case `county_id`, in a body
    `delivery_details.county_id`."""

    field: str
    message: str


class InvalidInputError(PayFirstError):
    """One or more fields of the request are wrong; nothing was stored."""

    code = "INVALID_INPUT"

    def __init__(self, *problems: FieldProblem, code: str = "INVALID_INPUT") -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems
        self.stable_code = code

    def inside(self, where: str) -> InvalidInputError:
        """The same, for whom these fields stand inside the field `where`."""
        named = (replace(problem, field=f"{where}.{problem.field}") for problem in self.problems)
        return InvalidInputError(*named, code=self.stable_code)


class NotFoundError(PayFirstError):
    """Nothing that the caller may see stands at this id."""

    code = "NOT_FOUND"


class RefusedError(PayFirstError):
    """The state of what was asked for does not allow it; `details` are facts for the answer."""

    code = "REFUSED"

    def __init__(self, message: str, *, code: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.stable_code = code or self.code
        self.details: Mapping[str, Any] = details or {}


class SessionExpiredError(RefusedError):
    """The session is past `expires_at`."""

    code = "SESSION_EXPIRED"


class CartEmptyError(RefusedError):
    """There is nothing in the cart to pay for."""

    code = "CART_EMPTY"


class NotChargeableError(RefusedError):
    """The total is outside what its gateway can collect."""

    code = "AMOUNT_NOT_CHARGEABLE"


class PaymentInProgressError(RefusedError):
    """An attempt is open; `ref` is its reference."""

    code = "PAYMENT_IN_PROGRESS"

    def __init__(self, message: str, *, ref: str) -> None:
        super().__init__(message)
        self.ref = ref


class PriceChangedError(RefusedError):
    """A price differs from the one that the cart shows; `details["lines"]` says which and how."""

    code = "PRICE_CHANGED"


class TooSoonError(PayFirstError):
    """The phone has an open prompt, or the pace for it is exceeded."""

    code = "PHONE_BUSY"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class FairUseError(TooSoonError):
    """A customer or a phone has asked for as much as an hour allows."""

    code = "TOO_MANY_REQUESTS"


class GatewayRejectedError(PayFirstError):
    """The gateway refused; `detail` are its own words, `gateway` is its name, `field` the field that is to blame, if one is."""

    code = "GATEWAY_REJECTED"

    def __init__(self, message: str, *, detail: str, gateway: str, field: str | None = None) -> None:
        super().__init__(message)
        self.gateway = gateway
        self.detail = detail
        self.field = field


class TemporaryError(PayFirstError):
    """Nothing is wrong with the request; the same one may be sent again."""

    code = "TRY_AGAIN"
    retry_after_seconds: ClassVar[int] = 1


class ContentionError(TemporaryError):
    """Other writers were faster until this call's time was up."""

    code = "BUSY"


class MisconfiguredError(TemporaryError):
    """A setting or a secret of the shop is missing or wrong; an operator has to mend it."""

    code = "MISCONFIGURED"
    retry_after_seconds = 60
