"""The simulators' own book, in one SQLite file: what was asked, what was decided, which money moved, who was told.

The rules that money depends on are the database's: a reference, a receipt and an open prompt on a phone are unique, and a
payment leaves `PENDING` in one conditional update, so that it is decided once however many ask at the same time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from local.simulators.outcomes import State
from local.simulators.records import MPESA, Attempt, Notice, Refund

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS attempts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, ref TEXT NOT NULL, gateway_id TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0), currency TEXT NOT NULL, merchant TEXT NOT NULL, phone TEXT NOT NULL,
    label TEXT NOT NULL, callback_url TEXT NOT NULL, redirect_url TEXT NOT NULL, page_token TEXT NOT NULL, meta TEXT NOT NULL,
    created_at REAL NOT NULL, expires_at REAL, state TEXT NOT NULL, working INTEGER NOT NULL, outcome TEXT, result_code TEXT,
    receipt TEXT, decided_at REAL, plan TEXT,
    UNIQUE (gateway, ref), CHECK ((state = 'COMPLETED') = (receipt IS NOT NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS one_payment_per_receipt ON attempts (gateway, receipt) WHERE receipt IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS one_prompt_per_phone ON attempts (phone) WHERE gateway = 'mpesa' AND state = 'PENDING';
CREATE UNIQUE INDEX IF NOT EXISTS one_page_per_token ON attempts (page_token) WHERE page_token <> '';
CREATE INDEX IF NOT EXISTS open_attempts ON attempts (seq) WHERE state = 'PENDING';
CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL,
    conversation_id TEXT NOT NULL, original_ref TEXT NOT NULL, original_receipt TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0), phone TEXT NOT NULL, result_url TEXT NOT NULL, created_at REAL NOT NULL,
    state TEXT NOT NULL, ends_as TEXT, result_code TEXT, receipt TEXT, decided_at REAL,
    UNIQUE (gateway, ref)
);
CREATE INDEX IF NOT EXISTS refunds_of_attempt ON refunds (gateway, original_ref);
CREATE TABLE IF NOT EXISTS notices (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, ref TEXT NOT NULL, kind TEXT NOT NULL,
    merchant TEXT NOT NULL, url TEXT NOT NULL, forged_header INTEGER NOT NULL, body BLOB NOT NULL, due_at REAL NOT NULL,
    state TEXT NOT NULL, tries INTEGER NOT NULL, http_status INTEGER
);
CREATE INDEX IF NOT EXISTS notices_to_send ON notices (seq) WHERE state IN ('due', 'sending');
CREATE TABLE IF NOT EXISTS tokens (gateway TEXT NOT NULL, digest TEXT PRIMARY KEY, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS knobs (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


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


class Ledger:
    """One connection behind one lock: a request takes tens of microseconds, and none sees another half done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL loses nothing when the process is killed; only a power cut may cost the last writes.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    # Attempts

    def open_attempt(self, attempt: Attempt) -> Attempt:
        """Store a new payment; PromptOpenError or DuplicateReferenceError when it may not be opened."""
        statement, values = _insert(attempt, "attempts")
        with self._transaction() as db:
            if attempt.gateway == MPESA and self._rows(
                "SELECT 1 FROM attempts WHERE gateway = 'mpesa' AND state = 'PENDING' AND phone = ?", attempt.phone
            ):
                raise PromptOpenError
            try:
                seq = db.execute(statement, values).lastrowid
            except sqlite3.IntegrityError as exc:
                raise DuplicateReferenceError(attempt.ref) from exc
        return _attempt(self._rows("SELECT * FROM attempts WHERE seq = ?", seq)[0])

    def attempt(self, gateway: str, ref: str) -> Attempt | None:
        """The payment with this reference."""
        rows = self._rows("SELECT * FROM attempts WHERE gateway = ? AND ref = ?", gateway, ref)
        return _attempt(rows[0]) if rows else None

    def attempt_by_page(self, page_token: str) -> Attempt | None:
        """The PhonePe order whose pay page has this token."""
        rows = self._rows("SELECT * FROM attempts WHERE page_token = ? AND page_token <> ''", page_token)
        return _attempt(rows[0]) if rows else None

    def attempt_by_receipt(self, gateway: str, receipt: str) -> Attempt | None:
        """The payment that this receipt was given for."""
        rows = self._rows("SELECT * FROM attempts WHERE gateway = ? AND receipt = ?", gateway, receipt)
        return _attempt(rows[0]) if rows else None

    def attempts(self, *, state: State | None = None, limit: int = -1) -> list[Attempt]:
        """Payments, newest first; a negative `limit` means all."""
        where, values = ("WHERE state = ?", [state]) if state else ("", [])
        rows = self._rows(f"SELECT * FROM attempts {where} ORDER BY seq DESC LIMIT ?", *values, limit)  # noqa: S608
        return [_attempt(row) for row in rows]

    def another_receipt(self, attempt: Attempt) -> str | None:
        """The newest receipt that belongs to some other payment of the same gateway."""
        rows = self._rows(
            "SELECT receipt FROM attempts WHERE gateway = ? AND ref <> ? AND receipt IS NOT NULL ORDER BY seq DESC LIMIT 1",
            attempt.gateway,
            attempt.ref,
        )
        return str(rows[0]["receipt"]) if rows else None

    def set_plan(self, attempt: Attempt, *, working: bool, plan: str | None) -> None:
        """Note on an open payment what is to become of it; AlreadyDecidedError when it has ended."""
        with self._transaction() as db:
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
        with self._transaction() as db:
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
        """Store money to be sent. `captured` is the most that its payment can give back in all, `None` for a payout.

        DuplicateReferenceError when the reference was used, TooMuchError when what is refunded or open leaves too little.
        """
        statement, values = _insert(refund, "refunds")
        with self._transaction() as db:
            if self._rows("SELECT 1 FROM refunds WHERE gateway = ? AND ref = ?", refund.gateway, refund.ref):
                raise DuplicateReferenceError(refund.ref)
            taken = sum(
                other.amount for other in self.refunds(refund.gateway, refund.original_ref) if other.state is not State.FAILED
            )
            if captured is not None and taken + refund.amount > captured:
                raise TooMuchError
            seq = db.execute(statement, values).lastrowid
        return _refund(self._rows("SELECT * FROM refunds WHERE seq = ?", seq)[0])

    def refund(self, gateway: str, ref: str) -> Refund | None:
        """The refund with this reference."""
        rows = self._rows("SELECT * FROM refunds WHERE gateway = ? AND ref = ?", gateway, ref)
        return _refund(rows[0]) if rows else None

    def refunds(self, gateway: str, original_ref: str) -> list[Refund]:
        """What was asked to be paid back of one payment, oldest first."""
        rows = self._rows(
            "SELECT * FROM refunds WHERE gateway = ? AND original_ref = ? AND kind <> 'payout' ORDER BY seq",
            gateway,
            original_ref,
        )
        return [_refund(row) for row in rows]

    def all_refunds(self) -> list[Refund]:
        """Every refund, reversal and payout, oldest first."""
        return [_refund(row) for row in self._rows("SELECT * FROM refunds ORDER BY seq")]

    def move_refund(self, refund: Refund, notices: Iterable[Notice]) -> list[Notice]:
        """Give an unfinished refund the state that `refund` describes and store its notices.

        AlreadyDecidedError when it has ended before.
        """
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE refunds SET state = ?, result_code = ?, receipt = ?, decided_at = ?, ends_as = ?"
                " WHERE seq = ? AND state IN ('PENDING', 'CONFIRMED')",
                (
                    refund.state,
                    refund.result_code,
                    refund.receipt,
                    refund.decided_at,
                    refund.ends_as,
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
        with self._transaction() as db:
            return [self._add_notice(db, notice) for notice in notices]

    def mark_notice(self, notice: Notice) -> None:
        """Store how far the sending of `notice` has come."""
        with self._transaction() as db:
            db.execute(
                "UPDATE notices SET state = ?, tries = ?, http_status = ?, due_at = ? WHERE seq = ?",
                (notice.state, notice.tries, notice.http_status, notice.due_at, notice.seq),
            )

    def notices(self, *, unfinished: bool = False, limit: int = -1) -> list[Notice]:
        """Messages, newest first; with `unfinished` those that are still to be sent, oldest first."""
        where = "WHERE state IN ('due', 'sending') ORDER BY seq" if unfinished else "ORDER BY seq DESC"
        return [_notice(row) for row in self._rows(f"SELECT * FROM notices {where} LIMIT ?", limit)]  # noqa: S608

    # Tokens, settings that survive a restart, and the whole book

    def add_token(self, gateway: str, digest: str, expires_at: float, *, alone: bool) -> None:
        """Remember an access token by its digest; `alone` forgets the gateway's earlier ones."""
        with self._transaction() as db:
            if alone:
                db.execute("DELETE FROM tokens WHERE gateway = ?", (gateway,))
            db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (gateway, digest, expires_at))

    def token_lives(self, gateway: str, digest: str, now: float) -> bool:
        """Whether this token was given out, has not expired and was not killed."""
        return bool(
            self._rows("SELECT 1 FROM tokens WHERE gateway = ? AND digest = ? AND expires_at > ?", gateway, digest, now)
        )

    def kill_token(self, gateway: str, digest: str) -> None:
        """Make one token invalid."""
        with self._transaction() as db:
            db.execute("DELETE FROM tokens WHERE gateway = ? AND digest = ?", (gateway, digest))

    def kill_tokens(self, gateway: str | None) -> int:
        """Make every token of a gateway (of both, for `None`) invalid; answers how many."""
        with self._transaction() as db:
            return db.execute("DELETE FROM tokens WHERE ? IS NULL OR gateway = ?", (gateway, gateway)).rowcount

    def knob(self, name: str) -> str | None:
        """A stored setting as JSON."""
        rows = self._rows("SELECT value FROM knobs WHERE name = ?", name)
        return str(rows[0]["value"]) if rows else None

    def set_knob(self, name: str, value: str) -> None:
        """Store a setting as JSON."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO knobs VALUES (?, ?)", (name, value))

    def empty(self) -> None:
        """Forget every payment, refund and notice; tokens and settings stay."""
        with self._transaction() as db:
            for table in ("attempts", "refunds", "notices"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand above
