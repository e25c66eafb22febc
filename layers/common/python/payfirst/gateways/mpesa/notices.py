"""Reading what M-Pesa posts to us. A notice is a hint from anybody until its token and its ids have been compared."""

from __future__ import annotations

from collections.abc import Mapping

from payfirst.domain.money import Currency
from payfirst.gateways.base import Captured, Claim, Declined, Pending
from payfirst.gateways.lenient import json_object, listed, mapping, money_of_major, text
from payfirst.gateways.mpesa.results import STILL_PROCESSING, SUCCESS, declined_by


def read_stk_notice(raw: bytes) -> Claim | None:
    """What the result of an STK push in `raw` claims, or `None` when it is not the body of one; never an exception."""
    callback = mapping(mapping((json_object(raw) or {}).get("Body")).get("stkCallback"))
    checkout_request_id = text(callback.get("CheckoutRequestID"))
    result_code = text(callback.get("ResultCode"))
    if checkout_request_id is None or result_code is None:
        return None
    values = named_values(mapping(callback.get("CallbackMetadata")).get("Item"), "Name")
    return Claim(checkout_request_id, text(callback.get("MerchantRequestID")), _answer(result_code, values))


def _answer(result_code: str, values: Mapping[str, object]) -> Captured | Declined | Pending:
    if result_code == SUCCESS:
        return Captured(money_of_major(values.get("Amount"), Currency.KES), text(values.get("MpesaReceiptNumber")))
    return Pending() if result_code == STILL_PROCESSING else declined_by(result_code)


def named_values(items: object, name_key: str) -> dict[str, object]:
    """The values of `[{name_key: …, "Value": …}]`; of a name that comes twice, the first one with a value."""
    values: dict[str, object] = {}
    for item in listed(items):
        name, value = text(mapping(item).get(name_key)), mapping(item).get("Value")
        if name is not None and value is not None:
            values.setdefault(name, value)
    return values
