"""A gateway's own statement, as its portal exports it: which columns it has, and what one line says of money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, Protocol

from payfirst.domain.money import Currency

DONE: Final = frozenset({"completed", "success", "successful", "paymentsuccess", "settled"})
STATUS: Final = ("transactionstatus", "refundstatus", "paymentstatus", "status")
_SUM: Final = re.compile(r"(grand |sub)?-?totals?\b|opening|closing|balance|brought|carried|summary", re.IGNORECASE)


class CellError(Exception):
    """A line that cannot be read; the message names the column."""


class Row(Protocol):
    """One line below a header; cells by their columns' plain names: without dots, capitals and blanks.

    `shown` is how people know a column; CellError for what is empty or is not what it should be.
    """

    @property
    def cells(self) -> Mapping[str, str]: ...

    def text(self, *columns: str) -> str:
        """The first of the columns' cells that is not empty; empty where all of them are."""
        ...

    def named(self, shown: str, *columns: str) -> str:
        """Likewise, where something has to be there."""
        ...

    def minor(self, currency: Currency, shown: str, *columns: str) -> int:
        """The amount in minor units, below zero with a minus or in brackets; 0 where there is none."""
        ...

    def moment(self, zone: tzinfo, shown: str, *columns: str) -> datetime:
        """The instant, read by the clock of `zone` where it names none itself."""
        ...


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment, in minor units: its number (a receipt, or our reference), and the `account` that its push named."""

    number: str
    account: str
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Back:
    """An amount that went back: the number of the refund itself, and of the payment (`original`), empty if it names none."""

    number: str
    original: str
    amount: int
    at: datetime


Move = Paid | Back | int
"""What a line says: a payment, a refund, or some other amount."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says: of which kind, under which number, when, and its gateway's own number where there is another."""

    kind: str
    number: str
    at: datetime
    move: Move
    transaction: str = ""


class StatementForm:
    """What a gateway's files look like, in whatever layout.

    One column of each group of `needed` has to be there; `shown` is how people know them. `by_receipt` where lines name the
    gateway's own receipt, or the account that a push named, and not our reference.
    """

    shown: str
    needed: tuple[tuple[str, ...], ...]
    currency: Currency
    by_receipt: bool

    def read(self, row: Row) -> Said | None:
        """What a line says; None for one that counts for nothing. CellError for one that cannot be read."""
        raise NotImplementedError


def is_sum(row: Row, *columns: str) -> bool:
    """Whether it adds up or carries over other lines: it has no number of its own, or a word in its place, and says so."""
    number = row.text(*columns)
    return (not number or bool(_SUM.match(number))) and any(_SUM.match(cell) for cell in row.cells.values())


def plain_word(text: str) -> str:
    """`PAYMENT_SUCCESS` is `paymentsuccess`."""
    return re.sub(r"[^a-z]", "", text.casefold())
