"""M-Pesa's statement: the organisation portal's, whose times are Nairobi's.

Its layout of today has `Receipt No.`, `Completion Time`, `Details`, `Transaction Status`, `Paid In`, `Withdrawn`,
`Linked Transaction ID` and `A/C No.`, the older one `Receipt`, `Date`, `Details`, `Status`, `Withdrawn`, `Paid In` and
`Transaction Party Details`. Only lines that are `Completed` count. `Paid In` is a payment, unless it is named a transfer. A
withdrawal that is linked to a receipt and is no charge, or that is named a reversal, is money that went back. All else
(charges, transfers to a bank) is summed up.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.money import Currency
from payfirst.gateways.mpesa.terms import ZONE
from payfirst.gateways.statements import DONE, STATUS, Back, Paid, Row, Said, StatementForm, is_sum, plain_word

RECEIPT: Final = ("receiptno", "receiptnumber", "receipt")
COMPLETED: Final = ("completiontime", "date")
ACCOUNT: Final = ("acno", "accountno", "accountnumber", "transactionpartydetails")
_A_RECEIPT: Final = re.compile(r"\b(?=[A-Z]*[0-9])[A-Z0-9]{10}\b")
_NAMED_ACCOUNT: Final = re.compile(r"\bAcc\.? ?([A-Za-z0-9]+)")
_TRANSFER: Final = re.compile(r"revers|funds? received|transfer|settle|bank|deposit", re.IGNORECASE)


class MpesaStatement(StatementForm):
    """Lines name receipts, and the account that a push named."""

    shown = "M-Pesa's (Receipt No., Completion Time, Details, Transaction Status, Paid In, Withdrawn)"
    needed = (RECEIPT, COMPLETED, ("details",), STATUS, ("paidin",), ("withdrawn",))
    currency = Currency.KES
    by_receipt = True

    def read(self, row: Row) -> Said | None:
        if is_sum(row, *RECEIPT):
            return None
        status = row.named("Transaction Status", *STATUS)
        if plain_word(status) not in DONE:
            return None
        receipt = row.named("Receipt No.", *RECEIPT).replace(" ", "").upper()
        at = row.moment(ZoneInfo(ZONE), "Completion Time", *COMPLETED).astimezone(UTC)
        paid, withdrawn = row.minor(self.currency, "Paid In", "paidin"), row.minor(self.currency, "Withdrawn", "withdrawn")
        amount = paid if paid > 0 else -abs(paid or withdrawn)
        said = f"{row.text('details')} {row.text('reasontype', 'transactiontype')}"
        account = row.text(*ACCOUNT) or next(iter(_NAMED_ACCOUNT.findall(row.text("details"))), "")
        if amount > 0 and not (_TRANSFER.search(said) and not account):
            return Said("payment", receipt, at, Paid(receipt, account, amount, at))
        if amount < 0 and _goes_back(row, said):
            return Said("refund", receipt, at, Back(receipt, _original(row, receipt), -amount, at))
        return Said(said, receipt, at, amount)


def _goes_back(row: Row, said: str) -> bool:
    return "charge" not in said.lower() and ("revers" in said.lower() or bool(row.text("linkedtransactionid")))


def _original(row: Row, receipt: str) -> str:
    """The receipt of the payment that a withdrawal gives back."""
    linked = row.text("linkedtransactionid").replace(" ", "").upper()
    named = _A_RECEIPT.findall(row.text("details").upper())
    return linked or next((word for word in named if word != receipt), "")
