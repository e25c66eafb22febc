"""What an STK result code means: our word, a sentence for the customer, and who can do something about it.

Only the code decides. The same failure is worded differently by the notice and by the query, and older texts carry
prefixes such as `[STK_CB - ]`. The codes are those of Safaricom's documentation and of public write-ups of real calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from payfirst.gateways.base import Declined

SUCCESS: Final = "0"
STILL_PROCESSING: Final = "4999"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of one failure: `retryable` if the same customer may try again, `configuration` if we must mend it."""

    code: str
    message: str
    retryable: bool
    configuration: bool = False

    def declined(self, *, final: bool = True) -> Declined:
        """The meaning as the answer to a check of an attempt."""
        return Declined(self.code, self.message, self.retryable, self.configuration, final)


_SORRY: Final = "This shop cannot take M-Pesa payments at the moment."

UNRECOGNISED: Final = Meaning(
    "unrecognised",
    "M-Pesa did not complete this payment. Please look at your M-Pesa messages before you try again.",
    retryable=False,
)

_MISCONFIGURED: Final = Meaning("misconfigured", _SORRY, retryable=False, configuration=True)
_PUSH_ERROR: Final = Meaning(
    "push_error", "M-Pesa could not send the payment request to your phone. Please try again.", retryable=True
)
_CANCELLED: Final = Meaning(
    "cancelled", "The payment request was cancelled or not answered in time. You can try again.", retryable=True
)
_UNREACHABLE: Final = Meaning(
    "unreachable",
    "Your phone could not be reached, or the request was not answered. Check that it is on and try again.",
    retryable=True,
)

STK_RESULTS: Final[dict[str, Meaning]] = {
    "1": Meaning(
        "insufficient_funds",
        "There is not enough money in your M-Pesa account. Top it up and try again.",
        retryable=True,
    ),
    "2": Meaning("limit", "The amount is below the least that M-Pesa can take.", retryable=False),
    "3": Meaning("limit", "The amount is above the most that M-Pesa takes in one payment.", retryable=False),
    "4": Meaning("limit", "This payment would pass your daily M-Pesa limit. Try another number, or tomorrow.", retryable=True),
    "8": Meaning("limit", _SORRY, retryable=False, configuration=True),
    "17": Meaning(
        "retry_later",
        "M-Pesa has just had the same payment from you. Wait two minutes before you try again.",
        retryable=True,
    ),
    "26": Meaning("gateway_busy", "M-Pesa is busy. Please try again in a few minutes.", retryable=True),
    "1001": Meaning(
        "subscriber_busy",
        "Another M-Pesa request is open on your phone. Finish it, wait a minute and try again.",
        retryable=True,
    ),
    "1019": Meaning("expired", "The payment request ran out before it was answered. You can try again.", retryable=True),
    "1025": _PUSH_ERROR,
    "9999": _PUSH_ERROR,
    "1031": _CANCELLED,
    "1032": _CANCELLED,
    "1036": _UNREACHABLE,
    "1037": _UNREACHABLE,
    "2001": Meaning("wrong_pin", "The M-Pesa PIN was wrong. Please try again with the right PIN.", retryable=True),
    "2002": _MISCONFIGURED,
    "2028": _MISCONFIGURED,
    "SFC_IC0003": _MISCONFIGURED,
    "8006": Meaning(
        "customer_locked",
        "Your M-Pesa account is locked. Call Safaricom on 100 to unlock it, or pay from another number.",
        retryable=False,
    ),
}


def declined_by(result_code: str) -> Declined:
    """What a result code other than success says; an undocumented one is never final."""
    meaning = STK_RESULTS.get(result_code.upper())
    return UNRECOGNISED.declined(final=False) if meaning is None else meaning.declined()
