"""A table in memory for the schedules: the low-level client's methods, and of its language only what this package writes.

Whatever `storage/expressions.py` and `storage/table.py` do not emit is refused, so that nothing here can be more obliging than
DynamoDB. `test_model_table.py` replays random histories on this table and on the embedded one and compares items and errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NoReturn

from botocore.exceptions import ClientError

from payfirst.storage.dynamodb.expressions import from_wire

Wire = Mapping[str, Any]
Key = tuple[str, str]
Clause = Callable[[Wire, "Arguments"], bool]

MOST_ACTIONS: Final = 100
_KEYS: Final = ("pk", "sk", "due_pk", "due_sk")
_EXISTS: Final = re.compile(r"attribute_(not_)?exists\((#\w+)\)")
_COMPARED: Final = re.compile(r"(#\w+) (=|>=|<=|>|<) ([:#]\w+)")
_LISTED: Final = re.compile(r"(#\w+) IN \((:\w+(?:, :\w+)*)\)")
_UPDATE: Final = re.compile(r"(?:SET (?P<set>.*?))?(?: ?REMOVE (?P<remove>.*?))?(?: ?ADD (?P<add>.*))?")
_ASSIGNED: Final = re.compile(r"(#\w+) = (:\w+)")
_ADDED: Final = re.compile(r"(#?\w+) (:\w+)")


class UnknownExpressionError(AssertionError):
    """An expression that the package's own grammar does not produce."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The names and values that an expression refers to."""

    names: Mapping[str, str]
    values: Mapping[str, Wire]

    def name(self, placeholder: str) -> str:
        return self.names[placeholder] if placeholder.startswith("#") else placeholder

    def operand(self, item: Wire, placeholder: str) -> Wire | None:
        return self.values[placeholder] if placeholder.startswith(":") else item.get(self.names[placeholder])

    @staticmethod
    def of(request: Mapping[str, Any]) -> Arguments:
        return Arguments(request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))


@dataclass(frozen=True, slots=True)
class Change:
    """One item before and after a write; None where there was or is none."""

    key: Key
    before: Wire | None
    after: Wire | None


@dataclass(slots=True)
class ModelTable:
    """The client. `watch` hears of every committed write, all of a transaction's changes at once."""

    items: dict[Key, Wire] = field(default_factory=dict)
    watch: Callable[[Sequence[Change]], None] = lambda _: None
    _due: dict[str, dict[Key, str]] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def fork(self) -> ModelTable:
        """A table of its own with the same items; nobody watches it."""
        return ModelTable(
            dict(self.items), _due={name: dict(entries) for name, entries in self._due.items()}, _tokens=dict(self._tokens)
        )

    def load(self, key: Key, item: Wire) -> None:
        """Store `item` unwatched."""
        watch, self.watch = self.watch, lambda _: None
        self._commit([Change(key, self.items.get(key), item)])
        self.watch = watch

    # Reads

    def get_item(self, *, TableName: str, Key: Wire, ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        del TableName
        _require(ConsistentRead, "a read that is not consistent")
        found = self.items.get(_key(Key))
        return {} if found is None else {"Item": dict(found)}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((name, request),) = RequestItems.items()
        _require(request["ConsistentRead"], "a batch that is not read consistently")
        keys = [_key(key) for key in request["Keys"]]
        if len(set(keys)) < len(keys) or not 1 <= len(keys) <= MOST_ACTIONS:
            _refuse("ValidationException", "BatchGetItem")
        return {"Responses": {name: [dict(self.items[key]) for key in keys if key in self.items]}, "UnprocessedKeys": {}}

    def query(self, **request: Any) -> dict[str, Any]:
        if request.get("IndexName") == "due":
            return self._query_due(request)
        _require(request["KeyConditionExpression"] == "pk = :pk AND sk BETWEEN :first AND :last", "a query")
        partition, first, last = (request["ExpressionAttributeValues"][name]["S"] for name in (":pk", ":first", ":last"))
        found = sorted(key for key in self.items if key[0] == partition and first <= key[1] <= last)
        if not request["ScanIndexForward"]:
            found.reverse()
        return _page([dict(self.items[key]) for key in found], request["Limit"], ("pk", "sk"))

    def _query_due(self, request: Mapping[str, Any]) -> dict[str, Any]:
        _require(request["KeyConditionExpression"] == "due_pk = :due_pk AND due_sk <= :until", "a query of the index")
        partition, until = (request["ExpressionAttributeValues"][name]["S"] for name in (":due_pk", ":until"))
        found = sorted((moment, *key) for key, moment in self._due.get(partition, {}).items() if moment <= until)
        start = request.get("ExclusiveStartKey")
        if start is not None:
            after = tuple(start[name]["S"] for name in ("due_sk", "pk", "sk"))
            found = [entry for entry in found if entry > after]
        entries = [dict(zip(("due_sk", "pk", "sk", "due_pk"), (*entry, partition), strict=True)) for entry in found]
        wired = [{name: {"S": entry[name]} for name in _KEYS} for entry in entries]
        return _page(wired, request["Limit"], _KEYS)

    # Writes

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._write_one("Put", request, "PutItem")

    def update_item(self, **request: Any) -> dict[str, Any]:
        if request.get("ReturnValues") == "UPDATED_NEW":
            _require(request["UpdateExpression"] == "ADD n :one", "an update that answers what it changed")
            self._write_one("Update", request, "UpdateItem")
            return {"Attributes": {"n": self.items[_key(request["Key"])]["n"]}}
        return self._write_one("Update", request, "UpdateItem")

    def delete_item(self, **request: Any) -> dict[str, Any]:
        return self._write_one("Delete", request, "DeleteItem")

    def transact_write_items(
        self,
        *,
        TransactItems: Sequence[Mapping[str, Any]],  # noqa: N803
        ClientRequestToken: str,  # noqa: N803
    ) -> dict[str, Any]:
        if ClientRequestToken in self._tokens:
            if self._tokens[ClientRequestToken] != repr(TransactItems):
                _refuse("IdempotentParameterMismatchException", "TransactWriteItems")
            return {}
        actions = [next(iter(action.items())) for action in TransactItems]
        keys = [_key(request.get("Item") or request["Key"]) for _, request in actions]
        if len(set(keys)) < len(keys) or not 1 <= len(keys) <= MOST_ACTIONS:
            _refuse("ValidationException", "TransactWriteItems")
        holds = [_holds(self.items.get(key, {}), request) for key, (_, request) in zip(keys, actions, strict=True)]
        if not all(holds):
            reasons = [{"Code": "None"} if held else self._reason(key) for key, held in zip(keys, holds, strict=True)]
            _refuse("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
        wanted = [(key, verb, request) for key, (verb, request) in zip(keys, actions, strict=True) if verb != "ConditionCheck"]
        self._commit([Change(key, self.items.get(key), self._after(key, verb, request)) for key, verb, request in wanted])
        self._tokens[ClientRequestToken] = repr(TransactItems)
        return {}

    def _write_one(self, verb: str, request: Mapping[str, Any], operation: str) -> dict[str, Any]:
        key = _key(request.get("Item") or request["Key"])
        if not _holds(self.items.get(key, {}), request):
            found = self.items.get(key)
            _refuse("ConditionalCheckFailedException", operation, **({} if found is None else {"Item": dict(found)}))
        self._commit([Change(key, self.items.get(key), self._after(key, verb, request))])
        return {}

    def _reason(self, key: Key) -> dict[str, Any]:
        found = self.items.get(key)
        return {"Code": "ConditionalCheckFailed"} | ({} if found is None else {"Item": dict(found)})

    def _after(self, key: Key, verb: str, request: Mapping[str, Any]) -> Wire | None:
        if verb == "Delete":
            return None
        if verb == "Put":
            return dict(request["Item"])
        before = self.items.get(key) or {"pk": {"S": key[0]}, "sk": {"S": key[1]}}
        return _updated(before, request["UpdateExpression"], Arguments.of(request))

    def _commit(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.before is not None and "due_pk" in change.before:
                del self._due[change.before["due_pk"]["S"]][change.key]
            if change.after is None:
                self.items.pop(change.key, None)
                continue
            self.items[change.key] = change.after
            if "due_pk" in change.after:
                self._due.setdefault(change.after["due_pk"]["S"], {})[change.key] = change.after["due_sk"]["S"]
        self.watch(changes)


def _require(held: object, what: str) -> None:
    if not held:
        raise UnknownExpressionError(f"the package does not send {what}")


def _refuse(code: str, operation: str, **more: Any) -> NoReturn:
    raise ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)  # type: ignore[typeddict-item]


def _key(key: Wire) -> Key:
    return key["pk"]["S"], key["sk"]["S"]


def _page(found: list[dict[str, Any]], limit: int, key: Iterable[str]) -> dict[str, Any]:
    page = found[:limit]
    if len(found) <= limit:
        return {"Items": page}
    return {"Items": page, "LastEvaluatedKey": {name: page[-1][name] for name in key}}


def _holds(item: Wire, request: Mapping[str, Any]) -> bool:
    expression = request.get("ConditionExpression")
    return expression is None or all(clause(item, Arguments.of(request)) for clause in _clauses(expression))


@lru_cache(maxsize=4096)
def _clauses(expression: str) -> tuple[Clause, ...]:
    return tuple(_clause(part) for part in expression.split(" AND "))


def _clause(text: str) -> Clause:
    if text.startswith("(") and text.endswith(")"):
        options = [_clause(part) for part in text[1:-1].split(" OR ")]
        return lambda item, arguments: any(option(item, arguments) for option in options)
    exists, compared, listed = _EXISTS.fullmatch(text), _COMPARED.fullmatch(text), _LISTED.fullmatch(text)
    if exists:
        absent, name = bool(exists[1]), exists[2]
        return lambda item, arguments: (arguments.names[name] in item) is not absent
    if compared:
        left, sign, right = compared.groups()
        return lambda item, arguments: _compare(arguments.operand(item, left), sign, arguments.operand(item, right))
    if listed:
        left, options_text = listed.groups()
        names = options_text.split(", ")
        return lambda item, arguments: any(
            _compare(arguments.operand(item, left), "=", arguments.operand(item, name)) for name in names
        )
    raise UnknownExpressionError(f"the package does not write the condition {text!r}")


def _compare(left: Wire | None, sign: str, right: Wire | None) -> bool:
    if left is None or right is None or left.keys() != right.keys():
        return False
    ((kind, one),) = left.items()
    ((_, other),) = right.items()
    if kind == "N":
        one, other = Decimal(one), Decimal(other)
    elif kind != "S":
        raise UnknownExpressionError(f"the package compares no values of type {kind}")
    return bool(
        {"=": one == other, ">=": one >= other, "<=": one <= other, ">": one > other, "<": one < other}[sign],
    )


@lru_cache(maxsize=4096)
def _parts(expression: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    parsed = _UPDATE.fullmatch(expression)
    if parsed is None:
        raise UnknownExpressionError(f"the package does not write the update {expression!r}")
    listed = {name: text.split(", ") if text else [] for name, text in parsed.groupdict().items()}
    assigned = tuple(_pair(_ASSIGNED, text) for text in listed["set"])
    return assigned, tuple(listed["remove"]), tuple(_pair(_ADDED, text) for text in listed["add"])


def _pair(form: re.Pattern[str], text: str) -> tuple[str, str]:
    found = form.fullmatch(text)
    if found is None:
        raise UnknownExpressionError(f"the package does not write the action {text!r}")
    return found[1], found[2]


def _updated(before: Wire, expression: str, arguments: Arguments) -> Wire:
    assigned, removed, added = _parts(expression)
    after = dict(before)
    for name, placeholder in assigned:
        after[arguments.name(name)] = arguments.values[placeholder]
    for name in removed:
        after.pop(arguments.name(name), None)
    for name, placeholder in added:
        attribute = arguments.name(name)
        total = Decimal(before.get(attribute, {"N": "0"})["N"]) + Decimal(arguments.values[placeholder]["N"])
        after[attribute] = {"N": str(total)}
    return after


def items_of(client: Any, name: str, decoded: dict[Key, tuple[Wire, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Everything that the model or the real table holds; with a model, what `decoded` knows already is not decoded again."""
    if not isinstance(client, ModelTable):
        pages = client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        return [from_wire(item) for page in pages for item in page["Items"]]
    for key, item in client.items.items():
        known = decoded.get(key)
        if known is None or known[0] is not item:
            decoded[key] = (item, from_wire(item))
    return [decoded[key][1] for key in client.items]
