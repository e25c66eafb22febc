"""A local stack's two ledgers: the simulated gateways', and everything in the shop's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import boto3

from ops.reconcile.books import Books
from ops.reconcile.comparison import compare
from ops.reconcile.simulated_ledger import read_ledger
from ops.running import SIMULATORS, items_of
from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table

PATIENCE_S: Final = 60.0


def read_items(environment: Mapping[str, str]) -> list[Item]:
    """Everything in the stack's table; this process need not have entered the stack."""
    client: Any = boto3.session.Session().client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    return items_of(Table(client, environment["TABLE_NAME"], Deadline(lambda: PATIENCE_S)))


def books_of(environment: Mapping[str, str]) -> Books:
    """Both ledgers of a local stack, joined. The gateways' is read first: what they know, the shop may know by then."""
    return compare(read_ledger(environment[SIMULATORS]), read_items(environment))
