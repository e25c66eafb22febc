"""The SQLite file that the simulators' ledger is kept in: its tables, its one connection, its small change."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

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
    state TEXT NOT NULL, plan TEXT, result_code TEXT, receipt TEXT, decided_at REAL,
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


class Database:
    """One connection behind one lock: a request takes tens of microseconds, and none sees another half done.

    Besides it keeps what is small: access tokens by their digest, and settings that survive a restart.
    """

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
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and nobody else in between."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """What `statement` finds."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def add_token(self, gateway: str, digest: str, expires_at: float) -> None:
        """Remember an access token by its digest."""
        with self.transaction() as db:
            db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (gateway, digest, expires_at))

    def token_lives(self, gateway: str, digest: str, now: float) -> bool:
        """Whether this token was given out, has not expired and was not killed."""
        return bool(self.rows("SELECT 1 FROM tokens WHERE gateway = ? AND digest = ? AND expires_at > ?", gateway, digest, now))

    def kill_token(self, gateway: str, digest: str) -> None:
        """Make one token invalid."""
        with self.transaction() as db:
            db.execute("DELETE FROM tokens WHERE gateway = ? AND digest = ?", (gateway, digest))

    def kill_tokens(self, gateway: str | None) -> int:
        """Make every token of a gateway (of both, for `None`) invalid; answers how many."""
        with self.transaction() as db:
            return db.execute("DELETE FROM tokens WHERE ? IS NULL OR gateway = ?", (gateway, gateway)).rowcount

    def knob(self, name: str) -> str | None:
        """A stored setting as JSON."""
        rows = self.rows("SELECT value FROM knobs WHERE name = ?", name)
        return str(rows[0]["value"]) if rows else None

    def set_knob(self, name: str, value: str) -> None:
        """Store a setting as JSON."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO knobs VALUES (?, ?)", (name, value))

    def empty(self) -> None:
        """Forget every payment, refund and notice; tokens and settings stay."""
        with self.transaction() as db:
            for table in ("attempts", "refunds", "notices"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand above
