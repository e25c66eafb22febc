"""The gateways' own statements, as their portals export them: CSV files, read into what was collected and what went back.

Names of columns are taken with and without dots, capitals and blanks, in any order; other columns are not looked at. A line
counts once, by its receipt, however many files hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ops.reconcile.statement_file import Row, StatementError, read_lines
from payfirst.domain.money import Currency
from payfirst.gateways.registry import GATEWAYS
from payfirst.gateways.statements import Back, CellError, Move, Paid, StatementForm

__all__ = ["Statement", "StatementError", "read_statements"]


def _forms() -> dict[str, StatementForm]:
    """What each gateway's files look like, by its word in small letters; without those that have none."""
    found = {gateway.terms.name.lower(): gateway.statement() for gateway in GATEWAYS}
    return {name: form for name, form in found.items() if form is not None}


@dataclass(slots=True)
class Statement:
    """What one gateway's files say together. `periods` are the times of each file's first and last line, in UTC.

    `unread` has a sentence for each line that could not be read; `others` are the amounts that are neither payments nor
    refunds, above zero if they came in.
    """

    gateway: str
    currency: Currency
    by_receipt: bool
    payments: tuple[Paid, ...] = ()
    refunds: tuple[Back, ...] = ()
    periods: tuple[tuple[datetime, datetime], ...] = ()
    unread: list[str] = field(default_factory=list)
    others: list[int] = field(default_factory=list)


def read_statements(paths: Sequence[Path]) -> list[Statement]:
    """The statements in the files, one for each gateway. StatementError for a file that is none, or that lists no money."""
    read: dict[str, _Reading] = {}
    forms = _forms()
    for path in paths:
        gateway = ""

        def knows(names: frozenset[str]) -> bool:
            nonlocal gateway
            found = next((name for name, form in forms.items() if all(names & set(group) for group in form.needed)), "")
            gateway = gateway or found
            return bool(found)

        lines = read_lines(path, knows)
        if lines is None:
            wanted = " nor ".join(form.shown for form in forms.values())
            raise StatementError(f"{path.name}: no line has all of the columns that are needed, neither {wanted}.")
        reading = read.setdefault(gateway, _Reading(gateway, forms[gateway]))
        reading.unread += lines.unread
        reading.add(lines.rows)
    return [reading.statement() for reading in read.values()]


@dataclass(slots=True)
class _Reading:
    """One gateway's files as they are read. `seen` holds each move by its own number, so that it counts once."""

    gateway: str
    form: StatementForm
    seen: dict[tuple[str, str, int], Move] = field(default_factory=dict)
    periods: list[tuple[datetime, datetime]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def add(self, rows: Sequence[Row]) -> None:
        """The rows of one more file."""
        times = []
        transactions: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            try:
                said = self.form.read(row)
            except CellError as error:
                self.unread.append(f"{row.place}, {error}")
                continue
            if said is not None:
                times.append(said.at)
                same = transactions.setdefault((said.kind, said.number), [])
                same += [said.transaction] if said.transaction not in same else []
                # The same payment in two reports is one; two transactions of one payment in one report are two.
                key, move = (said.kind, said.number, same.index(said.transaction)), said.move
                known = self.seen.setdefault(key, move)
                if _told(known)[:2] != _told(move)[:2]:
                    self.unread.append(f"{row.place}: {said.number} stands there once more, with another amount.")
                elif not _told(known)[2]:
                    self.seen[key] = move  # another layout may say more of it
        if times:
            self.periods.append((min(times), max(times)))

    def statement(self) -> Statement:
        moves = list(self.seen.values())
        payments = tuple(move for move in moves if isinstance(move, Paid))
        refunds = tuple(move for move in moves if isinstance(move, Back))
        if not (payments or refunds or self.unread):
            raise StatementError(f"The statement of {self.gateway} lists no payment and no refund.")
        others = [move for move in moves if isinstance(move, int)]
        form, periods = self.form, tuple(self.periods)
        return Statement(self.gateway, form.currency, form.by_receipt, payments, refunds, periods, self.unread, others)


def _told(move: Move) -> tuple[str, int, str]:
    """What a line says of money: its kind, its amount, and what it belongs to."""
    match move:
        case Paid():
            return "payment", move.amount, move.account
        case Back():
            return "refund", move.amount, move.original
        case _:
            return "other", move, ""
