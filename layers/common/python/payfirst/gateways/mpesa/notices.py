"""Reading what M-Pesa posts to us. A notice is a hint from anybody until its token and its ids have been compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Captured, Declined, Pending
from payfirst.gateways.lenient import detail, json_object, listed, mapping, money_of_major, text
from payfirst.gateways.mpesa.results import STILL_PROCESSING, SUCCESS, declined_by

_NAIROBI: Final = ZoneInfo("Africa/Nairobi")


@dataclass(frozen=True, slots=True)
class StkNotice:
    """The result of an STK push as M-Pesa posts it.

    `paid_at` is UTC. `phone` is what M-Pesa says of the payer, at times masked: information only. `amount`, `receipt`,
    `paid_at` and `phone` are `None` in a failure and wherever the body has no readable value.
    """

    checkout_request_id: str = field(repr=False)
    merchant_request_id: str | None
    result_code: str
    result_description: str
    amount: Money | None = None
    receipt: str | None = None
    paid_at: datetime | None = None
    phone: str | None = field(default=None, repr=False)

    @property
    def answer(self) -> Captured | Declined | Pending:
        """What the notice claims, in the words of a look at the attempt; whether it is true is for others to check."""
        if self.result_code == SUCCESS:
            return Captured(self.amount, self.receipt)
        return Pending() if self.result_code == STILL_PROCESSING else declined_by(self.result_code)


def read_stk_notice(raw: bytes) -> StkNotice | None:
    """The notice in `raw`, or `None` when it is not the body of an STK result; never an exception."""
    callback = mapping(mapping((json_object(raw) or {}).get("Body")).get("stkCallback"))
    checkout_request_id = text(callback.get("CheckoutRequestID"))
    result_code = text(callback.get("ResultCode"))
    if checkout_request_id is None or result_code is None:
        return None
    values = named_values(mapping(callback.get("CallbackMetadata")).get("Item"), "Name")
    return StkNotice(
        checkout_request_id,
        text(callback.get("MerchantRequestID")),
        result_code,
        detail(callback.get("ResultDesc")),
        amount=money_of_major(values.get("Amount"), Currency.KES),
        receipt=text(values.get("MpesaReceiptNumber")),
        paid_at=nairobi_instant(values.get("TransactionDate")),
        phone=text(values.get("PhoneNumber")),
    )


def named_values(items: object, name_key: str) -> dict[str, object]:
    """The values of `[{name_key: …, "Value": …}]`; of a name that comes twice, the first one with a value."""
    values: dict[str, object] = {}
    for item in listed(items):
        name, value = text(mapping(item).get(name_key)), mapping(item).get("Value")
        if name is not None and value is not None:
            values.setdefault(name, value)
    return values


def nairobi_instant(value: object) -> datetime | None:
    """The instant of `20191219102115` or `06.07.2024 22:48:52`, both Nairobi time, in UTC; `None` for anything else."""
    written = text(value) or ""
    for form in ("%Y%m%d%H%M%S", "%d.%m.%Y %H:%M:%S"):
        try:
            return datetime.strptime(written, form).replace(tzinfo=_NAIROBI).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None
