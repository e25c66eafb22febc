"""The table's handle and its requests: one function is one request (more only where DynamoDB itself asks for another try)."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import ContentionError
from payfirst.storage.dynamodb.expressions import Item, Write, from_wire, render, to_wire
from payfirst.storage.dynamodb.failures import ConditionFailedError, Passing, classify
from payfirst.storage.dynamodb.signed import plain_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

Answer = TypeVar("Answer")
Key = Mapping[str, str]

MOST_READ: Final = 100
"""Items that one `batch_get` reads."""
FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.5
ENOUGH_TO_FINISH_S: Final = 0.2
LONGEST_KEY: Final = {"pk": 2048, "sk": 1024}
"""The most bytes that DynamoDB takes in a key."""
_BUSY: Final = "Too many requests at the same time; please try again."


@dataclass(frozen=True, slots=True)
class Table:
    """One table behind one low-level client.

    `deadline` bounds the tries, `pause` waits between them, `jitter` draws from 0 to 1, and `token` names one write, so that
    its caller recognises it after a lost response.
    """

    client: DynamoDBClient
    name: str
    deadline: Deadline
    token: Callable[[], str] = lambda: secrets.token_hex(16)
    pause: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


@cache
def dynamodb(*, hasty: bool = False) -> DynamoDBClient:
    """This process's client, with short timeouts, so that one lost packet does not eat the function's time.

    A table that never answers costs a request 5 seconds at most; 3 where a `hasty` caller has to answer a gateway by then.
    """
    connect_s, read_s = (0.5, 1) if hasty else (1, 2)
    plain = plain_client(os.environ, connect_s=connect_s, read_s=read_s, tries=2)
    return cast("DynamoDBClient", plain) if plain else botocores(connect_s, read_s)


@cache
def botocores(connect_s: float = 1, read_s: float = 2) -> DynamoDBClient:
    """botocore's own client of the table, for who needs more than requests of one item, query or transaction."""
    from payfirst.clients import client  # noqa: PLC0415 - most functions never need it

    made: DynamoDBClient = client("dynamodb", connect_s=connect_s, read_s=read_s, tries=2)
    return made


def get(table: Table, key: Key) -> Item | None:
    """The item at `key`, read consistently; None when there is none, as for a name longer than DynamoDB's keys."""
    if any(len(value.encode()) > LONGEST_KEY[name] for name, value in key.items()):
        return None
    answer = _tried(table, lambda: table.client.get_item(TableName=table.name, Key=to_wire(key), ConsistentRead=True))
    return from_wire(answer["Item"]) if "Item" in answer else None


def batch_get(table: Table, keys: Sequence[Key]) -> list[Item | None]:
    """The items at `keys` (`MOST_READ` at most; none costs no request), read consistently, in their order; None where none is.

    What DynamoDB leaves out of an answer is asked for again, as after a throttle; ContentionError when that takes too long.
    """
    found: dict[tuple[str, str], Item] = {}
    once = dict.fromkeys((key["pk"], key["sk"]) for key in keys)  # DynamoDB refuses a key that is named twice
    wanted: list[dict[str, Any]] = [to_wire({"pk": pk, "sk": sk}) for pk, sk in once]
    if not wanted:
        return []
    for attempt in count():
        request: Any = {table.name: {"Keys": wanted, "ConsistentRead": True}}
        answer: Mapping[str, Any] = _tried(table, partial(table.client.batch_get_item, RequestItems=request))
        for item in map(from_wire, answer["Responses"].get(table.name, [])):
            found[item["pk"], item["sk"]] = item
        wanted = list(answer.get("UnprocessedKeys", {}).get(table.name, {}).get("Keys", []))
        if not wanted:
            break
        if not _paused(table, attempt):
            raise ContentionError(_BUSY)
    return [found.get((key["pk"], key["sk"])) for key in keys]


@dataclass(frozen=True, slots=True)
class Page:
    """The items of one query and whether more follow."""

    items: tuple[Item, ...]
    more: bool


def query(
    table: Table, partition: str, *, first: str, last: str, limit: int, newest_first: bool = True, consistent: bool = True
) -> Page:
    """At most `limit` items of `partition` with sort keys from `first` to `last`, both included."""
    answer = _tried(
        table,
        lambda: table.client.query(
            TableName=table.name,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_wire({":pk": partition, ":first": first, ":last": last}),
            ScanIndexForward=not newest_first,
            ConsistentRead=consistent,
            Limit=limit,
        ),
    )
    return Page(tuple(from_wire(item) for item in answer["Items"]), "LastEvaluatedKey" in answer)


def query_all(
    table: Table, partition: str, *, first: str = " ", last: str = "~~", page: int = 1000, consistent: bool = True
) -> Iterator[Item]:
    """Every item of `partition` with sort keys from `first` to `last`, in their order, `page` of them a request."""
    more = True
    while more:
        found = query(table, partition, first=first, last=last, limit=page, newest_first=False, consistent=consistent)
        yield from found.items
        more = found.more
        if more:
            first = f"{found.items[-1]['sk']} "  # behind the last one, before any other


def scan(
    table: Table, condition: str, values: Mapping[str, str], *, names: Mapping[str, str] | None = None, only: str | None = None
) -> Iterator[Item]:
    """The items of the whole table that `condition` lets pass, or only these attributes of them; takes long in a large one."""
    request: dict[str, Any] = {"TableName": table.name, "FilterExpression": condition, "ConsistentRead": True}
    if values:
        request["ExpressionAttributeValues"] = to_wire(values)
    if names:
        request["ExpressionAttributeNames"] = names
    if only:
        request["ProjectionExpression"] = only
    for page in table.client.get_paginator("scan").paginate(**request):
        yield from map(from_wire, page["Items"])


def query_due(table: Table, partition: str, *, until: str, limit: int, after: Item | None = None) -> Page:
    """At most `limit` entries of the `due` index that fall due at `until` or before, oldest first; keys only.

    `after` is the last entry of the page before. The index suggests; a consistent read and a condition decide.
    """
    start: dict[str, Any] = {}
    if after:
        start["ExclusiveStartKey"] = to_wire({name: after[name] for name in ("pk", "sk", "due_pk", "due_sk")})
    answer = _tried(
        table,
        lambda: table.client.query(
            TableName=table.name,
            IndexName="due",
            KeyConditionExpression="due_pk = :due_pk AND due_sk <= :until",
            ExpressionAttributeValues=to_wire({":due_pk": partition, ":until": until}),
            Limit=limit,
            **start,
        ),
    )
    return Page(tuple(from_wire(item) for item in answer["Items"]), "LastEvaluatedKey" in answer)


def count_up(table: Table, key: Key) -> int:
    """The next number of the counter at `key`; numbers may be skipped, never given twice."""
    answer = _tried(
        table,
        lambda: table.client.update_item(
            TableName=table.name,
            Key=to_wire(key),
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues=to_wire({":one": 1}),
            ReturnValues="UPDATED_NEW",
        ),
    )
    return int(from_wire(answer["Attributes"])["n"])


def write(table: Table, change: Write) -> None:
    """Apply one change to one item. ConditionFailedError carries the item that it found."""
    writer = table.token()
    verb, arguments = render(change, table.name, writer)
    calls: Mapping[str, Callable[..., Any]] = {
        "Put": table.client.put_item,
        "Update": table.client.update_item,
        "Delete": table.client.delete_item,
    }
    call = calls[verb]
    _written(table, lambda: call(**arguments), (change,), writer)


def transact(table: Table, changes: Sequence[Write]) -> None:
    """Apply all changes (100 at most, one per item) or none. ConditionFailedError names those that failed, with their items.

    The writer's token is also the request's: DynamoDB answers its repetition within ten minutes like the first time.
    """
    writer = table.token()
    actions = [{verb: arguments} for verb, arguments in (render(change, table.name, writer) for change in changes)]
    _written(
        table,
        lambda: table.client.transact_write_items(TransactItems=actions, ClientRequestToken=writer),  # type: ignore[arg-type]
        tuple(changes),
        writer,
    )


def _written(table: Table, call: Callable[[], Any], changes: Sequence[Write], writer: str) -> None:
    try:
        _tried(table, call, tuple(change.name for change in changes))
    except ConditionFailedError as error:
        # A lost response makes the SDK send again, and our own write then looks like a rival's: the token tells.
        if not any(item and item.get("writer") == writer for item in error.failed.values()):
            raise


def _tried(table: Table, call: Callable[[], Answer], names: tuple[str, ...] = ()) -> Answer:
    for attempt in count():
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            meaning = classify(error, names)
            if not isinstance(meaning, Passing):
                raise meaning from error
            if not _paused(table, attempt):
                raise ContentionError(_BUSY) from error
    raise AssertionError("count() does not end")


def _paused(table: Table, attempt: int) -> bool:
    """Wait before the try after `attempt`, longer after each; False, without waiting, when too little time is left for it."""
    wait = table.jitter() * min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
    if table.deadline.remaining() < wait + ENOUGH_TO_FINISH_S:
        return False
    table.pause(wait)
    return True
