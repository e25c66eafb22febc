"""The simulators' own book: what was asked, what was decided, which money moved, who was told.

The rules that money depends on are the database's: a reference, a receipt and an open prompt on a phone are unique, and a
payment leaves `PENDING` in one conditional update, so that it is decided once however many ask at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from local.simulators.database import Database
from local.simulators.outcomes import State
from local.simulators.records import MPESA, Attempt, Notice, Refund


class DuplicateReferenceError(Exception):
    """The reference was used before."""


class PromptOpenError(Exception):
    """That phone already shows a prompt."""


class DuplicateReceiptError(Exception):
    """The receipt that was drawn is taken; draw another."""


class AlreadyDecidedError(Exception):
    """The payment or refund has ended; nothing was changed."""


class TooMuchError(Exception):
    """More would be paid back than was captured."""


def _insert(record: Attempt | Refund | Notice, table: str) -> tuple[str, dict[str, Any]]:
    names = [field.name for field in fields(record) if field.name != "seq"]
    columns, values = ", ".join(names), ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {table} ({columns}) VALUES ({values})", asdict(record)  # noqa: S608 - names are our own fields


def _attempt(row: sqlite3.Row) -> Attempt:
    values = dict(row)
    return Attempt(**values | {"state": State(values["state"]), "working": bool(values["working"])})


def _refund(row: sqlite3.Row) -> Refund:
    values = dict(row)
    return Refund(**values | {"state": State(values["state"])})


def _notice(row: sqlite3.Row) -> Notice:
    values = dict(row)
    return Notice(**values | {"forged_header": bool(values["forged_header"])})


class Ledger(Database):
    """Payments, refunds and notices."""

    # Attempts

    def open_attempt(self, attempt: Attempt) -> Attempt:
        """Store a new payment; PromptOpenError or DuplicateReferenceError when it may not be opened."""
        statement, values = _insert(attempt, "attempts")
        with self.transaction() as db:
            if attempt.gateway == MPESA and self.rows(
                "SELECT 1 FROM attempts WHERE gateway = 'mpesa' AND state = 'PENDING' AND phone = ?", attempt.phone
            ):
                raise PromptOpenError
            try:
                seq = db.execute(statement, values).lastrowid
            except sqlite3.IntegrityError as exc:
                raise DuplicateReferenceError(attempt.ref) from exc
        return _attempt(self.rows("SELECT * FROM attempts WHERE seq = ?", seq)[0])

    def attempt(self, gateway: str, ref: str) -> Attempt | None:
        """The payment with this reference."""
        rows = self.rows("SELECT * FROM attempts WHERE gateway = ? AND ref = ?", gateway, ref)
        return _attempt(rows[0]) if rows else None

    def attempt_by_page(self, page_token: str) -> Attempt | None:
        """The PhonePe order whose pay page has this token."""
        rows = self.rows("SELECT * FROM attempts WHERE page_token = ? AND page_token <> ''", page_token)
        return _attempt(rows[0]) if rows else None

    def attempt_by_receipt(self, gateway: str, receipt: str) -> Attempt | None:
        """The payment that this receipt was given for."""
        rows = self.rows("SELECT * FROM attempts WHERE gateway = ? AND receipt = ?", gateway, receipt)
        return _attempt(rows[0]) if rows else None

    def attempts(self, *, state: State | None = None, limit: int = -1) -> list[Attempt]:
        """Payments, newest first; a negative `limit` means all."""
        where, values = ("WHERE state = ?", [state]) if state else ("", [])
        rows = self.rows(f"SELECT * FROM attempts {where} ORDER BY seq DESC LIMIT ?", *values, limit)  # noqa: S608
        return [_attempt(row) for row in rows]

    def another_receipt(self, attempt: Attempt) -> str | None:
        """The newest receipt that belongs to some other payment of the same gateway."""
        rows = self.rows(
            "SELECT receipt FROM attempts WHERE gateway = ? AND ref <> ? AND receipt IS NOT NULL ORDER BY seq DESC LIMIT 1",
            attempt.gateway,
            attempt.ref,
        )
        return str(rows[0]["receipt"]) if rows else None

    def set_plan(self, attempt: Attempt, *, working: bool, plan: str | None) -> None:
        """Note on an open payment what is to become of it; AlreadyDecidedError when it has ended."""
        with self.transaction() as db:
            changed = db.execute(
                "UPDATE attempts SET working = ?, plan = ? WHERE seq = ? AND state = 'PENDING'",
                (working, plan, attempt.seq),
            ).rowcount
            if not changed:
                raise AlreadyDecidedError(attempt.ref)

    def close_attempt(self, attempt: Attempt, notices: Iterable[Notice]) -> list[Notice]:
        """Give an open payment the end that `attempt` describes and store its notices, all or nothing.

        AlreadyDecidedError when it has ended before; DuplicateReceiptError when its receipt is taken.
        """
        with self.transaction() as db:
            try:
                changed = db.execute(
                    "UPDATE attempts SET state = ?, outcome = ?, result_code = ?, receipt = ?, decided_at = ?, working = 0,"
                    " plan = NULL WHERE seq = ? AND state = 'PENDING'",
                    (
                        attempt.state,
                        attempt.outcome,
                        attempt.result_code,
                        attempt.receipt,
                        attempt.decided_at,
                        attempt.seq,
                    ),
                ).rowcount
            except sqlite3.IntegrityError as exc:
                raise DuplicateReceiptError from exc
            if not changed:
                raise AlreadyDecidedError(attempt.ref)
            return [self._add_notice(db, notice) for notice in notices]

    # Refunds

    def open_refund(self, refund: Refund, *, captured: int | None) -> Refund:
        """Store money to be sent. `captured` is the most that its payment can give back in all, `None` for what can only fail.

        DuplicateReferenceError when the reference was used, TooMuchError when what is refunded or open leaves too little.
        """
        statement, values = _insert(refund, "refunds")
        with self.transaction() as db:
            if self.rows("SELECT 1 FROM refunds WHERE gateway = ? AND ref = ?", refund.gateway, refund.ref):
                raise DuplicateReferenceError(refund.ref)
            taken = sum(
                other.amount for other in self.refunds(refund.gateway, refund.original_ref) if other.state is not State.FAILED
            )
            if captured is not None and taken + refund.amount > captured:
                raise TooMuchError
            seq = db.execute(statement, values).lastrowid
        return _refund(self.rows("SELECT * FROM refunds WHERE seq = ?", seq)[0])

    def refund(self, gateway: str, ref: str) -> Refund | None:
        """The refund with this reference."""
        rows = self.rows("SELECT * FROM refunds WHERE gateway = ? AND ref = ?", gateway, ref)
        return _refund(rows[0]) if rows else None

    def refunds(self, gateway: str, original_ref: str) -> list[Refund]:
        """What was asked to be paid back of one payment, oldest first."""
        rows = self.rows("SELECT * FROM refunds WHERE gateway = ? AND original_ref = ? ORDER BY seq", gateway, original_ref)
        return [_refund(row) for row in rows]

    def all_refunds(self) -> list[Refund]:
        """Every refund and reversal, oldest first."""
        return [_refund(row) for row in self.rows("SELECT * FROM refunds ORDER BY seq")]

    def move_refund(self, refund: Refund, notices: Iterable[Notice]) -> list[Notice]:
        """Give an unfinished refund the state that `refund` describes and store its notices.

        AlreadyDecidedError when it has ended before.
        """
        with self.transaction() as db:
            changed = db.execute(
                "UPDATE refunds SET state = ?, result_code = ?, receipt = ?, decided_at = ?, plan = ?"
                " WHERE seq = ? AND state IN ('PENDING', 'CONFIRMED')",
                (
                    refund.state,
                    refund.result_code,
                    refund.receipt,
                    refund.decided_at,
                    refund.plan,
                    refund.seq,
                ),
            ).rowcount
            if not changed:
                raise AlreadyDecidedError(refund.ref)
            return [self._add_notice(db, notice) for notice in notices]

    # Notices

    def _add_notice(self, db: sqlite3.Connection, notice: Notice) -> Notice:
        statement, values = _insert(notice, "notices")
        seq = db.execute(statement, values).lastrowid
        return _notice(db.execute("SELECT * FROM notices WHERE seq = ?", (seq,)).fetchone())

    def add_notices(self, notices: Iterable[Notice]) -> list[Notice]:
        """Store messages that are to be sent."""
        with self.transaction() as db:
            return [self._add_notice(db, notice) for notice in notices]

    def mark_notice(self, notice: Notice) -> bool:
        """Store how far the sending of `notice` has come; False when it has been forgotten meanwhile."""
        with self.transaction() as db:
            changed = db.execute(
                "UPDATE notices SET state = ?, tries = ?, http_status = ?, due_at = ? WHERE seq = ?",
                (notice.state, notice.tries, notice.http_status, notice.due_at, notice.seq),
            ).rowcount
        return bool(changed)

    def notices(self, *, unfinished: bool = False, limit: int = -1) -> list[Notice]:
        """Messages, newest first; with `unfinished` those that are still to be sent, oldest first."""
        where = "WHERE state IN ('due', 'sending') ORDER BY seq" if unfinished else "ORDER BY seq DESC"
        return [_notice(row) for row in self.rows(f"SELECT * FROM notices {where} LIMIT ?", limit)]  # noqa: S608
