"""A local stack's two ledgers: the simulated gateways', and everything in the shop's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ops.reconcile.books import Books
from ops.reconcile.comparison import compare
from ops.reconcile.simulated_ledger import read_ledger
from ops.running import SIMULATORS, items_of
from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table
from tests.clients import client_of

PATIENCE_S: Final = 60.0


def read_items(environment: Mapping[str, str]) -> list[Item]:
    """Everything in the stack's table; this process need not have entered the stack."""
    return items_of(Table(client_of(environment, "dynamodb"), environment["TABLE_NAME"], Deadline(lambda: PATIENCE_S)))


def books_of(environment: Mapping[str, str]) -> Books:
    """Both ledgers of a local stack, joined. The gateways' is read first: what they know, the shop may know by then."""
    return compare(read_ledger(environment[SIMULATORS]), read_items(environment))
