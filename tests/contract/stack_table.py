"""A hand on the running stack's table, for states that no request can bring about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb import schema
from payfirst.storage.dynamodb.expressions import from_wire, to_wire
from payfirst.storage.dynamodb.keys import Key
from payfirst.storage.dynamodb.table import Table
from tests.clients import client_of

Raw = dict[str, Any]
"""An item as DynamoDB writes it."""


class HasTable(Protocol):
    """What a running stack tells of its table."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of its functions."""


def table_of(stack: HasTable) -> Table:
    """The stack's table."""
    told = stack.environment
    return Table(client_of(told, "dynamodb"), told["TABLE_NAME"], Deadline(lambda: 30.0))


def raw_items(table: Table, partition: str) -> list[Raw]:
    """Everything of one partition, in one order."""
    pages = table.client.get_paginator("query").paginate(
        TableName=table.name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
        ConsistentRead=True,
    )
    return [dict(item) for page in pages for item in page["Items"]]


def raw_item(table: Table, key: Key) -> Raw:
    """The item at `key`; AssertionError when there is none."""
    found = table.client.get_item(TableName=table.name, Key=_wire(key), ConsistentRead=True)
    assert "Item" in found, f"nothing stands at {key}"
    return dict(found["Item"])


def put_raw(table: Table, item: Raw) -> None:
    """Store an item whatever stands there."""
    table.client.put_item(TableName=table.name, Item=item)


@contextmanager
def changed(table: Table, key: Key, **values: Any) -> Iterator[None]:
    """The item at `key` with other `values` (as DynamoDB writes them) while the block lasts; then it is as it was."""
    before = raw_item(table, key)
    put_raw(table, {**before, **values})
    try:
        yield
    finally:
        put_raw(table, before)


def with_values(table: Table, key: Key, **values: Any) -> None:
    """Change values of a stored item for good."""
    put_raw(table, {**raw_item(table, key), **to_wire(values)})


@contextmanager
def damaged(table: Table, key: Key) -> Iterator[None]:
    """The item at `key` with a version that is none while the block lasts: whoever reads it fails."""
    with changed(table, key, **{schema.ATTRIBUTE: {"S": "damaged"}}):
        yield


def content(item: Raw) -> dict[str, Any]:
    """What an item holds."""
    return dict(from_wire(item))


def _wire(key: Key) -> Raw:
    return {name: {"S": value} for name, value in key.items()}
