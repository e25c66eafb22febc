"""The model table answers as the embedded one does: random histories end in equal items and meet equal errors."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from payfirst.storage.dynamodb.expressions import (
    Check,
    Condition,
    Delete,
    Put,
    Update,
    Write,
    above,
    absent,
    any_of,
    at_least,
    at_most,
    below_attribute,
    equal,
    from_wire,
    one_of,
    present,
)
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, batch_get, count_up, get, query, query_due, transact, write
from tests.faults.model_table import ModelTable, UnknownExpressionError

HISTORIES: Final = 500
STEPS: Final = 6
WORDS: Final = ("red", "green", "blue")


class History:
    """Random writes and reads on a few keys of their own; the same seed makes the same history."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 - a history, not a secret
        self._partitions = [f"H{seed}-{number}" for number in range(2)]
        self._seed = seed

    def run(self, table: Table) -> list[Any]:
        """What each step answered: a value, or the error's code with what stood in the way."""
        steps = (self._one_write, self._one_write, self._transaction, self._transaction, self._read, self._count, self._query)
        return [self._answer(table, self._draw.choice(steps)) for _ in range(STEPS)]

    def _answer(self, table: Table, step: Any) -> Any:
        try:
            return step(table)
        except ClientError as error:
            return error.response["Error"]["Code"]
        except ConditionFailedError as error:
            return sorted(error.failed.items())

    def _key(self) -> dict[str, str]:
        return {"pk": self._draw.choice(self._partitions), "sk": self._draw.choice(("a", "b", "c"))}

    def _value(self) -> Any:
        return self._draw.choice((*WORDS, 1, 2, 3, Decimal("1.5")))

    def _clause(self) -> Any:
        name, other = self._draw.choice(("x", "y", "n")), self._draw.choice(("x", "n"))
        make = self._draw.choice((equal, at_least, at_most, above))
        return self._draw.choice(
            (absent(name), present(name), make(name, self._value()), below_attribute(name, other), one_of(name, WORDS))
        )

    def _when(self) -> tuple[Condition, ...]:
        clauses: list[Condition] = [self._clause() for _ in range(self._draw.randrange(3))]
        if self._draw.random() < 0.2:
            clauses.append(any_of(self._clause(), self._clause()))
        return tuple(clauses)

    def _change(self, key: dict[str, str]) -> Write:
        due: dict[str, Any] = {}
        if self._draw.random() < 0.4:
            due = {"due_pk": f"D{self._seed}", "due_sk": str(self._draw.randrange(5))}
        kind = self._draw.randrange(5)
        if kind == 0:
            return Delete("d", key, self._when())
        if kind == 1:
            return Put("p", {**key, "x": self._value(), "n": self._draw.randrange(3), **due}, self._when())
        if kind == 2:
            return Check("c", key, (self._clause(),))
        changed = {self._draw.choice(("x", "y")): self._draw.choice((self._value(), None)), **due}
        removed = ("due_pk", "due_sk") if not due and self._draw.random() < 0.5 else ()
        return Update("u", key, self._when(), changed, {"n": self._draw.randrange(-1, 3)}, removed)

    def _one_write(self, table: Table) -> None:
        change = self._change(self._key())
        if not isinstance(change, Check):
            write(table, change)

    def _transaction(self, table: Table) -> None:
        keys = [self._key() for _ in range(self._draw.randrange(1, 4))]
        if self._draw.random() < 0.9:
            keys = list({tuple(key.items()): key for key in keys}.values())
        changes = [self._change(key) for key in keys]
        token = f"{self._seed:06d}-{self._draw.randrange(10**9):010d}-{table.name[-16:]}"
        twice = replace(table, token=lambda: token)
        try:
            transact(twice, changes)
        finally:
            if self._draw.random() < 0.2:
                transact(twice, changes if self._draw.random() < 0.7 else changes[:1])

    def _read(self, table: Table) -> Any:
        keys = list({tuple(key.items()): key for key in (self._key(), self._key())}.values())
        return batch_get(table, keys), get(table, keys[0])

    def _count(self, table: Table) -> int:
        return count_up(table, {"pk": self._partitions[0], "sk": "count"})

    def _query(self, table: Table) -> Any:
        limit = self._draw.randrange(1, 4)
        page = query(table, self._partitions[0], first="a", last="z", limit=limit, newest_first=self._draw.random() < 0.5)
        until = str(self._draw.randrange(5))
        return page.items, sorted(e["due_sk"] for e in query_due(table, f"D{self._seed}", until=until, limit=50).items)


def _handle(table: Table) -> Table:
    tokens = iter(range(10**6))
    return Table(table.client, table.name, table.deadline, token=lambda: f"{next(tokens):032d}")


def _items(table: Table) -> list[Any]:
    if isinstance(table.client, ModelTable):
        found = [from_wire(item) for item in table.client.items.values()]
    else:
        pages = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
        found = [from_wire(item) for page in pages for item in page["Items"]]
    return sorted(found, key=lambda item: (item["pk"], item["sk"]))


def test_random_histories_are_answered_alike_and_leave_equal_items(table: Table) -> None:
    model, embedded = _handle(Table(ModelTable(), table.name, table.deadline)), _handle(table)  # type: ignore[arg-type]
    for seed in range(HISTORIES):
        expected = History(seed).run(embedded)
        assert History(seed).run(model) == expected, f"history {seed}"
    assert _items(model) == _items(embedded)


@pytest.mark.parametrize(
    "expression", ["size(#x) > :v0", "begins_with(#x, :v0)", "NOT #x = :v0", "#x BETWEEN :v0 AND :v1", "contains(#x, :v0)"]
)
def test_a_condition_that_the_package_does_not_write_is_refused(expression: str) -> None:
    with pytest.raises(UnknownExpressionError):
        ModelTable().put_item(
            Item={"pk": {"S": "p"}, "sk": {"S": "s"}},
            ConditionExpression=expression,
            ExpressionAttributeNames={"#x": "x"},
            ExpressionAttributeValues={":v0": {"S": "a"}, ":v1": {"S": "b"}},
        )
