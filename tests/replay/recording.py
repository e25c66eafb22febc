"""The writes that the suites make: what was asked for and what stood at its keys, one example for each shape."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

from botocore.exceptions import ClientError

from payfirst.storage.dynamodb import expressions
from tests.faults.model_table import ModelTable

Wire = Mapping[str, Any]
VERBS: Final = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
TRANSACTION: Final = "TransactWriteItems"
METHODS: Final = {
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "DeleteItem": "delete_item",
    TRANSACTION: "transact_write_items",
}
_WORD: Final = re.compile(r"[A-Z~]+")
_NAME: Final = re.compile(r"#(\w+)")
_VALUE: Final = re.compile(r":\w+")


@dataclass(frozen=True, slots=True)
class Action:
    """One write to one item: its verb (`Put`, `Update`, `Delete`, `ConditionCheck`) and its arguments."""

    verb: str
    arguments: Wire

    @property
    def key(self) -> Wire:
        whole = self.arguments.get("Item") or self.arguments["Key"]
        return {name: whole[name] for name in ("pk", "sk")}

    @property
    def shape(self) -> str:
        """The verb, the kind of item, and the expressions with their names resolved and their values left out."""
        names = self.arguments.get("ExpressionAttributeNames", {})

        def said(expression: str) -> str:
            return _VALUE.sub("?", _NAME.sub(lambda found: names.get(found[0], found[0]), expression))

        update, condition = (self.arguments.get(name, "") for name in ("UpdateExpression", "ConditionExpression"))
        partition, sort = self.key["pk"]["S"], self.key["sk"]["S"]
        kind = "#".join([partition.split("#")[0], *(part if _WORD.fullmatch(part) else "…" for part in sort.split("#"))])
        return " ".join(filter(None, [self.verb, kind, said(update), f"if {said(condition)}" if condition else ""]))


@dataclass(frozen=True, slots=True)
class Written:
    """One request, and the item at the key of each of its actions before it (None: there was none)."""

    operation: str
    request: Wire
    before: tuple[Wire | None, ...]

    @property
    def actions(self) -> list[Action]:
        return actions_of(self.operation, self.request)

    @property
    def shape(self) -> str:
        """What stays the same of it from run to run."""
        return f"{self.operation}: " + "; ".join(action.shape for action in self.actions)


@dataclass(slots=True)
class Recording:
    """What was written: for each shape the first write that was applied, or else the first that was not.

    `makers` are the functions of the package, by module and name, that made a write.
    """

    applied: dict[str, Written] = field(default_factory=dict)
    refused: dict[str, Written] = field(default_factory=dict)
    makers: set[str] = field(default_factory=set)

    def writes(self) -> dict[str, Written]:
        return {**self.refused, **self.applied}

    def keep(self, written: Written, *, applied: bool) -> None:
        (self.applied if applied else self.refused).setdefault(written.shape, written)


def actions_of(operation: str, request: Wire) -> list[Action]:
    """The actions of a request, in their order."""
    if operation != TRANSACTION:
        return [Action(VERBS[operation], request)]
    return [Action(*next(iter(action.items()))) for action in request["TransactItems"]]


@contextmanager
def recording() -> Iterator[Recording]:
    """Everything that is written to model tables while the block runs."""
    kept = Recording()
    with ExitStack() as stack:
        for operation, method in METHODS.items():
            stack.enter_context(patch.object(ModelTable, method, _heard(kept, operation, getattr(ModelTable, method))))
        for kind in (expressions.Put, expressions.Update, expressions.Check, expressions.Delete):
            stack.enter_context(patch.object(kind, "__init__", _made(kept, kind.__init__)))
        yield kept


def _heard(kept: Recording, operation: str, method: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def call(table: ModelTable, **request: Any) -> dict[str, Any]:
        keys = [(action.key["pk"]["S"], action.key["sk"]["S"]) for action in actions_of(operation, request)]
        written = Written(operation, request, tuple(table.items.get(key) for key in keys))
        try:
            answer = method(table, **request)
        except ClientError:
            kept.keep(written, applied=False)
            raise
        kept.keep(written, applied=True)
        return answer

    return call


def _made(kept: Recording, make: Callable[..., None]) -> Callable[..., None]:
    def init(write: Any, *given: Any, **named: Any) -> None:
        frame = sys._getframe(1)  # noqa: SLF001 - the only way to ask who makes it
        while frame.f_code.co_name.startswith("<") and frame.f_back is not None:  # a comprehension
            frame = frame.f_back
        kept.makers.add(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")
        make(write, *given, **named)

    return init
