"""Reading the results that M-Pesa posts for reversals and transaction status requests.

Both come in one envelope, `{"Result": {…}}`, to the `ResultURL` of the request. If M-Pesa gave up on a request it posts to
`QueueTimeOutURL` instead; what happened is then not known.
"""

from __future__ import annotations

from typing import Final

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Declined, RefundClaim, Refunded
from payfirst.gateways.lenient import json_object, mapping, money_of_major, text
from payfirst.gateways.mpesa.notices import named_values
from payfirst.gateways.mpesa.results import SUCCESS, Meaning

_MERCHANT_SIDE: Final = "M-Pesa could not make the refund. The shop has been told and will see to it."


def _ours(code: str, *, retryable: bool = False) -> Meaning:
    return Meaning(code, _MERCHANT_SIDE, retryable, configuration=True)


ALREADY_REVERSED: Final = Meaning("already_reversed", "This payment has already been paid back.", retryable=False)

REFUND_RESULTS: Final[dict[str, Meaning]] = {
    "1": _ours("merchant_funds", retryable=True),
    "11": _ours("merchant_account"),
    "21": _ours("initiator_not_allowed"),
    "2001": _ours("initiator_refused"),
    "2006": _ours("merchant_account"),
    "2028": _ours("misconfigured"),
    "8006": _ours("initiator_locked"),
    # Not by itself proof that this refund was made: the transaction status says what became of the payment.
    "R000001": ALREADY_REVERSED,
    "R000002": Meaning("original_unknown", _MERCHANT_SIDE, retryable=False),
}
_UNRECOGNISED: Final = Meaning("unrecognised", _MERCHANT_SIDE, retryable=False)


def read_result_notice(raw: bytes) -> RefundClaim | None:
    """What the result in `raw` claims of a reversal, or `None` when it is not one; never an exception."""
    result = mapping((json_object(raw) or {}).get("Result"))
    result_code = text(result.get("ResultCode"))
    originator = result.get("OriginatorConversationID", result.get("OriginalConversationID"))
    if result_code is None or (text(result.get("ConversationID")) is None and text(originator) is None):
        return None
    values = named_values(mapping(result.get("ResultParameters")).get("ResultParameter"), "Key")
    stated_amount = money_of_major(values.get("Amount", values.get("TransactionAmount")), Currency.KES)
    return RefundClaim(
        _answer(result_code, stated_amount, text(result.get("TransactionID"))),
        original_receipt=text(values.get("OriginalTransactionID")),
        status=text(values.get("TransactionStatus")),
    )


def _answer(result_code: str, amount: Money | None, receipt: str | None) -> Refunded | Declined:
    if result_code == SUCCESS:
        return Refunded(amount, receipt)
    meaning = REFUND_RESULTS.get(result_code.upper())
    # An undocumented code is never final; nor is "already reversed", which says rather that something went back.
    return (meaning or _UNRECOGNISED).declined(final=meaning is not None and meaning is not ALREADY_REVERSED)
