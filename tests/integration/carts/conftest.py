"""A table with the seeded catalogue, and rivals who change things at the worst moment."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

import pytest

from ops.seed import seed
from payfirst.domain.session import Customer
from payfirst.storage.dynamodb.table import Table

WRITES: Final = {"PutItem", "UpdateItem", "TransactWriteItems"}


@pytest.fixture
def catalogue_table(table: Table) -> Table:
    """A table that holds the catalogue of the documents."""
    seed(table)
    return table


@pytest.fixture
def customer() -> Customer:
    """Somebody who has never been here."""
    return Customer(sub=str(uuid4()), user_id=secrets.randbelow(10**6) + 1, email="a@example.com")


@contextmanager
def before_next_write(table: Table, rival: Callable[[], object]) -> Iterator[None]:
    """Let `rival` act once on the table, after the next change has been decided on and before it is written."""
    events, name = table.client.meta.events, secrets.token_hex(4)
    acted: list[object] = []

    def on_call(model: Any, **_: Any) -> None:
        if model.name in WRITES and not acted:
            acted.append(None)
            rival()

    events.register("before-call.dynamodb", on_call, unique_id=name)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", unique_id=name)
    assert acted, "nothing was written, so nobody came in between"
