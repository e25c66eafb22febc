"""The gateways' own statements, as their portals export them: CSV files, read into what was collected and what went back.

M-Pesa (the organisation portal's account statement; times are Nairobi's). Lines above the header are passed over. Read are
`Receipt No.`, `Completion Time`, `Details`, `Transaction Status`, `Paid In`, `Withdrawn` and, where they are there,
`Linked Transaction ID` and `A/C No.`; only lines that are `Completed` count. A line with `Paid In` is a payment. A withdrawal
that is linked to a payment's receipt, or whose details name it in a reversal, is money that went back.

PhonePe (the settlement report of its business dashboard; times are India's). Read are `PaymentType` (PAYMENT or REFUND),
`MerchantReferenceId`, `Amount` and `TransactionDate`; refunds may be negative.

Other columns may be there in any order and are not looked at.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.money import Currency, Money
from payfirst.domain.refund import parts_of_refund_id

MPESA, PHONEPE = "mpesa", "phonepe"
ZONES: Final = {MPESA: ZoneInfo("Africa/Nairobi"), PHONEPE: ZoneInfo("Asia/Kolkata")}
_CURRENCIES: Final = {MPESA: Currency.KES, PHONEPE: Currency.INR}
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    MPESA: ("Receipt No.", "Completion Time", "Details", "Transaction Status", "Paid In", "Withdrawn"),
    PHONEPE: ("PaymentType", "MerchantReferenceId", "Amount", "TransactionDate"),
}
LINKED, ACCOUNT = "Linked Transaction ID", "A/C No."
MOST_LINES_ABOVE: Final = 30
"""Where a header may stand at the latest: portals write the organisation and the period above it."""

_DATES: Final = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y")
_TIMES: Final = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S")
_RECEIPT: Final = re.compile(r"\b[A-Z0-9]{10}\b")


class StatementError(Exception):
    """A file that cannot be read as a statement; the message names the file, the line and the column."""


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment of a statement, in minor units: its number (M-Pesa's receipt, or our reference for PhonePe), and `account`.

    `refunded` is what the same statement says went back of it.
    """

    number: str
    account: str
    amount: int
    at: datetime
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """What one gateway's files say together: the payments that it collected, and the time of the first and the last, in UTC."""

    gateway: str
    currency: Currency
    payments: tuple[Paid, ...]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class _Row:
    """One line below the header."""

    file: str
    number: int
    cells: Mapping[str, str]
    gateway: str

    def fail(self, column: str, why: str) -> StatementError:
        return StatementError(f"{self.file}, line {self.number}, column {column}: {why}")

    def text(self, column: str) -> str:
        return self.cells.get(column, "").strip()

    def named(self, column: str) -> str:
        if not self.text(column):
            raise self.fail(column, "it is empty.")
        return self.text(column)

    def minor(self, column: str) -> int:
        """The amount in minor units, without its sign; 0 where there is none."""
        text = self.text(column).replace(",", "")
        try:
            return Money.of(abs(Decimal(text or "0")), _CURRENCIES[self.gateway]).minor
        except (InvalidOperation, OverflowError, ValueError) as error:
            raise self.fail(column, f"{self.text(column)!r} is no amount in {_CURRENCIES[self.gateway]}.") from error

    def moment(self, column: str) -> datetime:
        for form in (f"{date}{clock}" for date in _DATES for clock in _TIMES):
            try:
                at = datetime.strptime(self.text(column), form)  # noqa: DTZ007 - the zone is the gateway's own
            except ValueError:
                continue
            return at.replace(tzinfo=ZONES[self.gateway]).astimezone(UTC)
        raise self.fail(column, f"{self.text(column)!r} is no time; 2024-01-15 10:30:45 or 15-01-2024 10:30:45 is expected.")


def read_statements(paths: Sequence[Path]) -> list[Statement]:
    """The statements in the files, one for each gateway; a line that two files share counts once.

    StatementError for a file that is no statement, or when a gateway's files list no payment.
    """
    rows: dict[str, dict[tuple[str, ...], _Row]] = {}
    for path in paths:
        gateway, found = _read(path)
        new = {tuple(row.cells.values()): row for row in found}
        rows.setdefault(gateway, {}).update(new)
    return [_statement(gateway, list(each.values())) for gateway, each in rows.items()]


def _read(path: Path) -> tuple[str, list[_Row]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StatementError(f"{path} cannot be read: {error}.") from error
    return _rows(path.name, text.splitlines())


def _statement(gateway: str, rows: Sequence[_Row]) -> Statement:
    payments = list(_mpesa(rows) if gateway == MPESA else _phonepe(rows))
    if not payments:
        raise StatementError(f"The statement of {gateway} lists no payment.")
    times = [payment.at for payment in payments]
    return Statement(gateway, _CURRENCIES[gateway], tuple(payments), min(times), max(times))


def _rows(file: str, lines: Sequence[str]) -> tuple[str, list[_Row]]:
    reader = csv.reader(lines, strict=True)
    found: tuple[str, list[str]] | None = None
    rows: list[_Row] = []
    try:
        for cells in reader:
            if found is not None:
                gateway, header = found
                if any(cell.strip() for cell in cells):
                    rows.append(_Row(file, reader.line_num, dict(zip(header, cells, strict=False)), gateway))
            elif reader.line_num > MOST_LINES_ABOVE:
                break
            else:
                header = [cell.strip() for cell in cells]
                found = next(((name, header) for name, needed in NEEDED.items() if set(needed) <= set(header)), None)
    except csv.Error as error:
        raise StatementError(f"{file}, line {reader.line_num}: it is no CSV: {error}.") from error
    if found is None:
        wanted = " nor ".join(f"{name}'s ({', '.join(needed)})" for name, needed in NEEDED.items())
        raise StatementError(f"{file}: no line has all of the columns that are needed, neither {wanted}.")
    return found[0], rows


def _mpesa(rows: Sequence[_Row]) -> Iterator[Paid]:
    done = [row for row in rows if row.named("Transaction Status").lower() == "completed"]
    paid = [row for row in done if row.minor("Paid In")]
    receipts = {row.named("Receipt No.") for row in paid}
    returned = dict.fromkeys(receipts, 0)
    for row in done:
        original = _reversed(row)
        if row.minor("Withdrawn") and original in receipts:
            returned[original] += row.minor("Withdrawn")
    for row in paid:
        number = row.named("Receipt No.")
        yield Paid(number, row.text(ACCOUNT), row.minor("Paid In"), row.moment("Completion Time"), returned[number])


def _reversed(row: _Row) -> str:
    """The receipt that a withdrawal gives back; empty for any other line."""
    if row.text(LINKED):
        return row.text(LINKED)
    if "revers" not in row.text("Details").lower():
        return ""
    return next((word for word in _RECEIPT.findall(row.text("Details")) if word != row.text("Receipt No.")), "")


def _phonepe(rows: Sequence[_Row]) -> Iterator[Paid]:
    returned: dict[str, int] = {}
    paid: list[_Row] = []
    for row in rows:
        kind = row.named("PaymentType").upper()
        if kind not in ("PAYMENT", "REFUND"):
            raise row.fail("PaymentType", f"{row.text('PaymentType')!r} is neither PAYMENT nor REFUND.")
        row.named("Amount")
        if kind == "PAYMENT":
            paid.append(row)
            continue
        refund = row.named("MerchantReferenceId")
        ours = parts_of_refund_id(refund)
        original = ours[0] if ours else refund
        returned[original] = returned.get(original, 0) + row.minor("Amount")
    for row in paid:
        ref = row.named("MerchantReferenceId")
        yield Paid(ref, "", row.minor("Amount"), row.moment("TransactionDate"), returned.get(ref, 0))
