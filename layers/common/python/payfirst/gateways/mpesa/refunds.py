"""Paying back, and asking what became of it.

All of it is asynchronous: an acknowledgement now, the result as a notice later. Many merchants have no initiator, and
whether a partial reversal is honoured is not documented; where nothing can be sent, a person pays back by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from payfirst.domain.money import Money
from payfirst.gateways.base import Accepted, PushAnswer, Rejected, Unknown
from payfirst.gateways.lenient import text
from payfirst.gateways.mpesa.daraja import Daraja
from payfirst.gateways.mpesa.refusals import ErrorBody, Refusal, error_body, refusal
from payfirst.gateways.mpesa.terms import whole_shillings
from payfirst.gateways.tokens import TokenFailure
from payfirst.gateways.wire import Answered, Lost

MANUAL_REFUND: Final = "manual_refund_required"
_REMARKS_LENGTH: Final = 100
_MESSAGE: Final = "M-Pesa could not make the refund. The shop has been told and will see to it."
_NOT_SENT_TWICE: Final = "reference already used"


@dataclass(frozen=True, slots=True)
class ResultAddresses:
    """Where M-Pesa posts the result, and where it posts that it gave up; both hold a token."""

    result_url: str = field(repr=False)
    timeout_url: str = field(repr=False)


def reverse(
    daraja: Daraja,
    receipt: str,
    amount: Money,
    addresses: ResultAddresses,
    *,
    remarks: str,
    now: datetime,
    timeout_s: float,
) -> PushAnswer:
    """Ask for the payment with `receipt` to be reversed; ValueError unless `amount` is whole shillings.

    `Accepted.gateway_id` is the ConversationID, `merchant_request_id` the OriginatorConversationID. A second reversal
    of the same receipt is refused by M-Pesa, but never send one: after `Unknown` ask for the transaction's status.
    """
    body = {
        "Initiator": daraja.credentials.initiator_name,
        "SecurityCredential": daraja.credentials.security_credential,
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": str(whole_shillings(amount)),
        "ReceiverParty": daraja.credentials.shortcode,
        "RecieverIdentifierType": "11",  # misspelt by the API itself
        "ResultURL": addresses.result_url,
        "QueueTimeOutURL": addresses.timeout_url,
        "Remarks": _remarks(remarks),
        "Occasion": "",
    }
    return _request(daraja, "/mpesa/reversal/v1/request", body, now=now, timeout_s=timeout_s)


def ask_transaction(
    daraja: Daraja,
    addresses: ResultAddresses,
    *,
    conversation: str | None,
    remarks: str,
    now: datetime,
    timeout_s: float,
) -> PushAnswer:
    """Ask what became of the request that M-Pesa knows by the OriginatorConversationID `conversation`; ValueError without."""
    if conversation is None:
        raise ValueError("M-Pesa is asked by its conversation")
    body = {
        "Initiator": daraja.credentials.initiator_name,
        "SecurityCredential": daraja.credentials.security_credential,
        "CommandID": "TransactionStatusQuery",
        "OriginalConversationID": conversation,
        "PartyA": daraja.credentials.shortcode,
        "IdentifierType": "4",
        "ResultURL": addresses.result_url,
        "QueueTimeOutURL": addresses.timeout_url,
        "Remarks": _remarks(remarks),
        "Occasion": "",
    }
    return _request(daraja, "/mpesa/transactionstatus/v1/query", body, now=now, timeout_s=timeout_s)


def _request(daraja: Daraja, path: str, body: Mapping[str, Any], *, now: datetime, timeout_s: float) -> PushAnswer:
    if not daraja.credentials.initiator_name or not daraja.credentials.security_credential:
        return Rejected(MANUAL_REFUND, _MESSAGE, "no initiator is set up for this shortcode", retryable=False)
    answer = daraja.post(path, body, now=now, timeout_s=timeout_s)
    if isinstance(answer, Lost):
        return Unknown(answer.reason, answer.sent)
    if isinstance(answer, TokenFailure):
        return Unknown(f"never sent: no access token ({answer.reason})", sent=False, configuration=answer.configuration)
    return _acknowledged(answer)


def _acknowledged(answer: Answered) -> PushAnswer:
    body = answer.body or {}
    conversation_id = text(body.get("ConversationID"))
    if answer.is_success and text(body.get("ResponseCode")) == "0" and conversation_id:
        return Accepted(conversation_id, merchant_request_id=text(body.get("OriginatorConversationID")))
    return _refused(error_body(answer))


def _refused(error: ErrorBody) -> PushAnswer:
    kind = refusal(error)
    if kind is Refusal.DUPLICATE_REFERENCE:
        return Unknown(_NOT_SENT_TWICE)
    if kind in {Refusal.RATE, Refusal.TOKEN}:
        # Daraja's gate turned it away before any of its APIs saw it.
        is_ours = kind is Refusal.TOKEN
        return Unknown(f"not taken: {error.detail}", sent=False, configuration=is_ours, busy=not is_ours)
    if kind in {Refusal.INVALID_FIELD, Refusal.CONFIGURATION}:
        code = "refund_rejected" if kind is Refusal.INVALID_FIELD else "misconfigured"
        return Rejected(code, _MESSAGE, error.detail, retryable=False, configuration=True)
    return Unknown(f"maybe processed: answered {error.detail}")


def _remarks(words: str) -> str:
    """`words` within the API's 2 to 100 characters."""
    cut = " ".join(words.split())[:_REMARKS_LENGTH].strip()
    return cut if len(cut) > 1 else "Refund"
