"""Reading the results that M-Pesa posts for reversals, payouts (B2C) and transaction status requests.

All three come in one envelope, `{"Result": {…}}`, to the `ResultURL` of the request. If M-Pesa gave up on a request it
posts to `QueueTimeOutURL` instead; what happened is then not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Declined, Refunded
from payfirst.gateways.lenient import detail, json_object, mapping, money_of_major, text
from payfirst.gateways.mpesa.notices import named_values
from payfirst.gateways.mpesa.results import SUCCESS, Meaning

_MERCHANT_SIDE: Final = "M-Pesa could not make the refund. The shop has been told and will see to it."


def _ours(code: str, *, retryable: bool = False) -> Meaning:
    return Meaning(code, _MERCHANT_SIDE, retryable, configuration=True)


ALREADY_REVERSED: Final = "already_reversed"

REFUND_RESULTS: Final[dict[str, Meaning]] = {
    "1": _ours("merchant_funds", retryable=True),
    "11": _ours("merchant_account"),
    "21": _ours("initiator_not_allowed"),
    "2001": _ours("initiator_refused"),
    "2006": _ours("merchant_account"),
    "2028": _ours("misconfigured"),
    "8006": _ours("initiator_locked"),
    # Not by itself proof that this refund was made: the transaction status says what became of the payment.
    "R000001": Meaning(ALREADY_REVERSED, "This payment has already been paid back.", retryable=False),
    "R000002": Meaning("original_unknown", _MERCHANT_SIDE, retryable=False),
}
_UNRECOGNISED: Final = Meaning("unrecognised", _MERCHANT_SIDE, retryable=False)


@dataclass(frozen=True, slots=True)
class ResultNotice:
    """The result of a reversal, a payout or a transaction status request.

    `conversation_id` and `originator_conversation_id` are those of the request's acknowledgement. `transaction_id` is the
    receipt of the new transaction, `original_receipt` that of the payment that was reversed, `receipt` and `status` what a
    transaction status request asked about. Names and numbers of people stay out of the repr.
    """

    result_code: str
    result_description: str
    conversation_id: str | None
    originator_conversation_id: str | None
    transaction_id: str | None
    amount: Money | None
    original_receipt: str | None
    receipt: str | None
    status: str | None
    values: Mapping[str, object] = field(repr=False, hash=False)

    @property
    def refund_answer(self) -> Refunded | Declined:
        """What the notice claims of a reversal or a payout; an undocumented code is never final."""
        if self.result_code == SUCCESS:
            return Refunded(self.amount, self.transaction_id)
        meaning = REFUND_RESULTS.get(self.result_code.upper())
        return _UNRECOGNISED.declined(final=False) if meaning is None else meaning.declined()


@dataclass(frozen=True, slots=True)
class TimeoutNotice:
    """M-Pesa gave up on the request with these ids before it knew a result."""

    conversation_id: str | None
    originator_conversation_id: str | None


def read_result_notice(raw: bytes) -> ResultNotice | None:
    """The result in `raw`, or `None` when it is not one; never an exception."""
    result = mapping((json_object(raw) or {}).get("Result"))
    result_code = text(result.get("ResultCode"))
    conversation_id, originator = _conversation(result)
    if result_code is None or (conversation_id is None and originator is None):
        return None
    values = named_values(mapping(result.get("ResultParameters")).get("ResultParameter"), "Key")
    stated_amount = values.get("Amount", values.get("TransactionAmount"))
    return ResultNotice(
        result_code=result_code,
        result_description=detail(result.get("ResultDesc")),
        conversation_id=conversation_id,
        originator_conversation_id=originator,
        transaction_id=text(result.get("TransactionID")),
        amount=money_of_major(stated_amount, Currency.KES),
        original_receipt=text(values.get("OriginalTransactionID")),
        receipt=text(values.get("ReceiptNo")) or text(values.get("TransactionReceipt")),
        status=text(values.get("TransactionStatus")),
        values=values,
    )


def read_timeout_notice(raw: bytes) -> TimeoutNotice | None:
    """The ids in a body posted to `QueueTimeOutURL`, with or without the envelope; `None` when it names no request."""
    body = json_object(raw) or {}
    conversation_id, originator = _conversation(mapping(body.get("Result")) or body)
    if conversation_id is None and originator is None:
        return None
    return TimeoutNotice(conversation_id, originator)


def _conversation(result: Mapping[str, Any]) -> tuple[str | None, str | None]:
    originator = result.get("OriginatorConversationID", result.get("OriginalConversationID"))
    return text(result.get("ConversationID")), text(originator)
