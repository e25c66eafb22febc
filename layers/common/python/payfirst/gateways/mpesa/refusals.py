"""What an error body of Daraja means, by its `errorCode`; the HTTP status alone says too little.

A dead token comes as 404, a busy phone as 500, and `500.001.1001` has three meanings that only its text tells apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from payfirst.gateways.base import Rejected
from payfirst.gateways.lenient import LONGEST_TEXT, detail, mapping, text
from payfirst.gateways.wire import Answered

_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = range(500, 600)
_TOKEN_CODES: Final = frozenset({"404.001.03", "404.001.04", "400.003.01", "401.003.01"})
_RATE_CODES: Final = frozenset({"500.003.02", "500.003.03"})
_NOT_WORDS: Final = re.compile(r"[^a-z]")


class Refusal(Enum):
    """The kinds of error body."""

    TOKEN = auto()
    INVALID_FIELD = auto()
    SUBSCRIBER_BUSY = auto()
    STILL_PROCESSING = auto()
    NO_SUCH_TRANSACTION = auto()
    DUPLICATE_REFERENCE = auto()
    RATE = auto()
    CONFIGURATION = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error as Daraja or the Apigee in front of it states it; `words` is the message in letters only, lower case."""

    status: int
    code: str
    message: str
    words: str

    @property
    def detail(self) -> str:
        """The gateway's own words for the log, behind the code that they belong to."""
        return detail(f"{self.code or self.status} {self.message}")


def error_body(answer: Answered) -> ErrorBody:
    """The error in `answer`; its parts are empty where the body has none."""
    body = answer.body or {}
    fault = mapping(body.get("fault"))
    message = text(body.get("errorMessage"), LONGEST_TEXT) or text(fault.get("faultstring"), LONGEST_TEXT) or ""
    return ErrorBody(answer.status, text(body.get("errorCode")) or "", message, _NOT_WORDS.sub("", message.lower()))


def refusal(error: ErrorBody) -> Refusal:
    """Which kind of error this is; UNCLEAR for everything after which the request may have been processed."""
    if "apiproduct" in error.words:
        return Refusal.CONFIGURATION  # the app lacks the product: another token would be refused as well
    if error.code in _TOKEN_CODES or error.status == _UNAUTHORIZED:
        return Refusal.TOKEN
    if error.code in _RATE_CODES or error.status == _TOO_MANY or "spikearrest" in error.words:
        return Refusal.RATE
    if not error.code:
        return Refusal.UNCLEAR
    return _by_code(error)


def _by_code(error: ErrorBody) -> Refusal:
    if error.code == "400.002.02":
        return Refusal.INVALID_FIELD
    if error.code == "500.001.1001":
        return _by_words(error.words)
    if error.code == "500.002.1001" and "duplicate" in error.words:
        return Refusal.DUPLICATE_REFERENCE
    if error.code.startswith("4"):
        return Refusal.CONFIGURATION
    return Refusal.UNCLEAR


def _by_words(words: str) -> Refusal:
    if "locksubscriber" in words:
        return Refusal.SUBSCRIBER_BUSY
    if "beingprocessed" in words:
        return Refusal.STILL_PROCESSING
    if "merchant" in words or "credentials" in words:
        return Refusal.CONFIGURATION
    if "transaction" in words and "notexist" in words:
        return Refusal.NO_SUCH_TRANSACTION
    return Refusal.UNCLEAR


def rejected(error: ErrorBody) -> Rejected | None:
    """The definite "no" that this error is for a request that moves money, or `None` if it is not definite."""
    kind = refusal(error)
    if kind is Refusal.INVALID_FIELD:
        return _invalid_field(error)
    if kind is Refusal.SUBSCRIBER_BUSY:
        return Rejected(
            "subscriber_busy",
            "Another M-Pesa request is open on your phone. Finish it, wait a minute and try again.",
            error.detail,
            retryable=True,
        )
    if kind is Refusal.RATE:
        return Rejected("gateway_busy", "M-Pesa is busy. Please try again in a few minutes.", error.detail, retryable=True)
    if kind is Refusal.TOKEN:
        return misconfigured(error.detail, code="token_refused")
    return misconfigured(error.detail) if kind is Refusal.CONFIGURATION else None


def misconfigured(reason: str, *, code: str = "misconfigured") -> Rejected:
    """A refusal that only an operator can mend."""
    message = "This shop cannot take M-Pesa payments at the moment. You have not been charged."
    return Rejected(code, message, reason, retryable=False, configuration=True)


def _invalid_field(error: ErrorBody) -> Rejected:
    if "phonenumber" in error.words or "partya" in error.words:
        message = "M-Pesa does not accept this phone number. Please give a Safaricom number such as 0712345678."
        return Rejected("invalid_phone", message, error.detail, retryable=True, field="phone_number")
    if "amount" in error.words:
        message = "M-Pesa does not accept this amount."
        return Rejected("invalid_amount", message, error.detail, retryable=False, field="amount")
    return misconfigured(error.detail)
