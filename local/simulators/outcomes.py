"""What can become of a prompt or a pay page, and how each gateway words it.

The result codes are Daraja's published table; the texts of the callback and of the status query differ for the same code, as
they do there. PhonePe's words for a wrong PIN are its documentation's; the other failures follow their pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What the payer, or the network, does. `pending` leaves the payment open and says that it is being worked on."""

    PAY = "pay"
    CANCEL = "cancel"
    WRONG_PIN = "wrong_pin"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    TIMEOUT = "timeout"
    FAIL = "fail"
    PENDING = "pending"


class State(StrEnum):
    """How far a payment or a refund is; `CONFIRMED` is PhonePe's word for a refund in progress."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


MPESA_CODES: Final = {
    Outcome.PAY: "0",
    Outcome.CANCEL: "1032",
    Outcome.WRONG_PIN: "2001",
    Outcome.INSUFFICIENT_FUNDS: "1",
    Outcome.TIMEOUT: "1037",
    Outcome.FAIL: "1025",
}

_CALLBACK_TEXTS: Final = {
    "0": "The service request is processed successfully.",
    "1": "The balance is insufficient for the transaction.",
    "2": "The amount is less than the minimum allowed.",
    "3": "The amount is more than the maximum allowed.",
    "4": "The daily transfer limit would be exceeded.",
    "8": "The receiving account would exceed its maximum balance.",
    "17": "The transaction is limited by a rule.",
    "26": "System busy. Try again in a short while.",
    "1001": "Unable to lock subscriber, a transaction is already in process for the current subscriber",
    "1019": "Transaction has expired",
    "1025": "An error occurred while sending a push request",
    "1031": "Request cancelled by user",
    "1032": "Request cancelled by user",
    "1036": "SMSC ACK timeout.",
    "1037": "No response from user.",
    "2001": "The initiator information is invalid.",
    "2028": "The request is not permitted according to product assignment.",
    "4999": "The transaction is still under processing",
    "8006": "The security credential is locked.",
    "9999": "An error occurred while sending a push request",
    "SFC_IC0003": "The operator does not exist.",
}
_QUERY_TEXTS: Final = {
    "1": "The balance is insufficient for the transaction",
    "1037": "DS timeout user cannot be reached",
}


def callback_text(code: str) -> str:
    """How an STK callback describes the result `code`."""
    return _CALLBACK_TEXTS.get(code, "The request could not be completed.")


def query_text(code: str) -> str:
    """How the status query describes the result `code`."""
    return _QUERY_TEXTS.get(code, callback_text(code))


@dataclass(frozen=True, slots=True)
class PhonePeFailure:
    """PhonePe's account of a payment that failed."""

    error_code: str
    detailed_code: str
    source: str
    stage: str
    description: str


PHONEPE_FAILURES: Final = {
    Outcome.CANCEL: PhonePeFailure("TXN_CANCELLED", "ZA", "CUSTOMER", "AUTHENTICATION", "Payment was declined by the customer"),
    Outcome.WRONG_PIN: PhonePeFailure("INVALID_MPIN", "ZM", "CUSTOMER", "AUTHENTICATION", "Wrong MPIN was entered"),
    Outcome.INSUFFICIENT_FUNDS: PhonePeFailure(
        "INSUFFICIENT_FUNDS", "Z9", "CUSTOMER", "AUTHORIZATION", "The account has not enough money"
    ),
    Outcome.TIMEOUT: PhonePeFailure("TXN_EXPIRED", "U69", "CUSTOMER", "AUTHENTICATION", "The order expired before it was paid"),
    Outcome.FAIL: PhonePeFailure(
        "AUTHORIZATION_ERROR", "U30", "BANK", "AUTHORIZATION", "The bank could not complete the payment"
    ),
}
