"""PhonePe's statements: its business dashboard's, whose times are India's.

The settlement report has `PaymentType`, `MerchantReferenceId`, `Amount` and `TransactionDate`, the transaction report
`Transaction Type`, `Merchant Order Id`, `Merchant Reference Id`, `Total Transaction Amount`, `Transaction Date` and
`Transaction Status`, and the refund report `Merchant Refund Id`, `Original Merchant Order Id`, `Refund Amount`, `Refund Date`
and `Refund Status`.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.money import Currency
from payfirst.domain.refund import parts_of_refund_id
from payfirst.gateways.statements import DONE, STATUS, Back, CellError, Paid, Row, Said, StatementForm, is_sum, plain_word

KIND: Final = ("paymenttype", "transactiontype")
REFUND_NUMBERS: Final = ("merchantrefundid", "merchantreferenceid", "merchanttransactionid")
NUMBERS: Final = ("merchantorderid", "originalmerchantorderid", *REFUND_NUMBERS)
AMOUNT: Final = ("totaltransactionamount", "transactionamount", "refundamount", "amount")
DATE: Final = ("transactiondate", "refunddate", "date", "creationdate")
THEIR_NUMBER: Final = ("phonepereferenceid", "phonepetransactionreferenceid", "providerreferenceid")
_OURS: Final = re.compile(r"MT[0-9a-f]{13}")
_ZONE: Final = ZoneInfo("Asia/Kolkata")


class PhonePeStatement(StatementForm):
    """Lines name our own references."""

    shown = "PhonePe's (PaymentType, MerchantReferenceId, Amount, TransactionDate)"
    needed = ((*KIND, "merchantrefundid"), NUMBERS, AMOUNT, DATE)
    currency = Currency.INR
    by_receipt = False

    def read(self, row: Row) -> Said | None:
        if is_sum(row, *NUMBERS):
            return None
        if row.text(*STATUS) and plain_word(row.text(*STATUS)) not in DONE:
            return None
        kind = plain_word(row.text(*KIND)) or ("refund" if row.text("merchantrefundid") else "")
        number = row.named("MerchantReferenceId", *NUMBERS)
        at = row.moment(_ZONE, "TransactionDate", *DATE).astimezone(UTC)
        row.named("Amount", *AMOUNT)
        amount = row.minor(self.currency, "Amount", *AMOUNT)
        ours = next((text for text in (row.text(column) for column in NUMBERS) if _OURS.fullmatch(text)), "")
        if kind in ("refund", "reversal"):
            refund = row.text(*REFUND_NUMBERS) or number
            named = parts_of_refund_id(refund)
            return Said("refund", refund, at, Back(refund, named[0] if named else ours or refund, abs(amount), at))
        if kind != "payment":
            raise CellError(f"column PaymentType: {row.text(*KIND)!r} is neither PAYMENT nor REFUND.")
        if amount < 0:
            raise CellError("column Amount: a payment is below zero.")
        return Said("payment", ours or number, at, Paid(ours or number, "", amount, at), row.text(*THEIR_NUMBER))
