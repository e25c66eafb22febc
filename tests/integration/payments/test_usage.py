"""What an order and a booking ask of the table, in DynamoDB's own units: the counts on which `payfirst cost` rests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import local
from typing import Any, Final

import pytest

from local.embedded_aws import EmbeddedAws
from local.resources import verify_senders
from ops.estimate import USAGE, read_usage
from payfirst.domain.clock import Deadline
from payfirst.domain.session import Kind
from payfirst.gateways.base import Gateway
from payfirst.storage.dynamodb.keys import is_event
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.lookup import find_session
from payfirst.usecases.sweeps.complete_bookings import complete_bookings
from payfirst.usecases.sweeps.deliver_events import Delivery
from payfirst.usecases.sweeps.expire_sessions import expire_sessions
from payfirst.usecases.sweeps.reconcile import reconcile
from payfirst.usecases.sweeps.send_mail import send_mail
from tests.integration.payments.postman import BOOKINGS, BUS, ORDERS, Postman
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import Shop, new_customer

POLLS: Final = 3
"""How often a customer asks what became of the payment."""


@dataclass(slots=True)
class Meter:
    """Units as DynamoDB counts them: one for each begun 4 KB read consistently and each begun 1 KB written, twice in a
    transaction, and one for each entry of the index that is made, moved (two) or removed."""

    reads: int = 0
    writes: int = 0


@contextmanager
def metered(table: Table) -> Iterator[Meter]:
    """What leaves the table's client inside the block."""
    meter, events = Meter(), table.client.meta.events
    own = local()  # a notice is settled in several threads, and each of them looks at what it wrote

    def stored(key: dict[str, Any]) -> dict[str, Any]:
        own.busy = True
        try:
            return table.client.get_item(TableName=table.name, Key=key, ConsistentRead=True).get("Item", {})
        finally:
            own.busy = False

    def sent(model: Any, params: Any, context: Any, **_: Any) -> None:
        if not getattr(own, "busy", False):
            body = json.loads(params["body"])
            context["written"] = [(key, stored(key), factor) for key, factor in _written(model.name, body)]

    def answered(model: Any, parsed: Any, context: Any, **_: Any) -> None:
        if getattr(own, "busy", False):
            return
        meter.reads += _read(model.name, parsed)
        for key, before, factor in context.get("written", ()):
            after = stored(key)
            meter.writes += factor * max(_kilobytes(before), _kilobytes(after), 1) + _moved(before, after)

    events.register("before-call.dynamodb", sent)
    events.register("after-call.dynamodb", answered)
    try:
        yield meter
    finally:
        events.unregister("before-call.dynamodb", sent)
        events.unregister("after-call.dynamodb", answered)


def _written(operation: str, body: dict[str, Any]) -> list[tuple[dict[str, Any], int]]:
    if operation == "TransactWriteItems":
        actions = [next(iter(action.values())) for action in body["TransactItems"]]
        return [(_key(action.get("Item") or action["Key"]), 2) for action in actions]
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return [(_key(body.get("Item") or body["Key"]), 1)]
    return []


def _key(item: dict[str, Any]) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def _read(operation: str, parsed: dict[str, Any]) -> int:
    if operation == "GetItem":
        return _fours([parsed.get("Item", {})])
    if operation == "BatchGetItem":
        return sum(_fours([item]) for items in parsed["Responses"].values() for item in items)
    return _fours(parsed["Items"]) if operation == "Query" else 0


def _fours(items: list[Any]) -> int:
    return max(1, -(-sum(_size(item) for item in items) // 4096))


def _size(item: dict[str, Any]) -> int:
    return len(json.dumps(item, default=str)) if item else 0


def _kilobytes(item: dict[str, Any]) -> int:
    return -(-_size(item) // 1024)


def _moved(before: dict[str, Any], after: dict[str, Any]) -> int:
    keys = [(item.get("due_pk"), item.get("due_sk")) for item in (before, after)]
    return 0 if keys[0] == keys[1] else sum(pair[0] is not None for pair in keys)


def _used(shop: Shop, postman: Postman, walk: Callable[[], Any]) -> dict[str, int]:
    """What it takes where nobody else buys: the stream then tells of each event by itself."""
    with metered(shop.table) as meter:
        walk()
    entries = sorted((item["due_sk"], item["sk"], item["pk"]) for item in shop.items() if "due_sk" in item and is_event(item))
    with metered(shop.table) as more:
        told = [postman.at_once({"pk": pk, "sk": sk}) for _, sk, pk in entries]
    assert sum(mail.sent for _, mail in told) == 1
    delivered = sum(delivery.delivered for delivery, _ in told)
    return {"reads": meter.reads + more.reads, "writes": meter.writes + more.writes, "events": delivered}


def order(shop: Shop) -> None:
    customer = new_customer()
    started = shop.initiate(shop.session(customer))
    for _ in range(POLLS):
        find_session(shop.given(started.session), customer=customer, table=shop.table)
    shop.tell(started)


def booking(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    for _ in range(POLLS):
        find_session(shop.given(started.session), customer=customer, table=shop.table)
    shop.decide(started)
    shop.tell_phonepe(started)


def _nobody(name: str) -> Gateway:
    raise AssertionError(f"{name} was asked for, and with it the secret that costs a read")


def sweeps(shop: Shop, aws: EmbeddedAws, postman: Postman) -> int:
    """The queries of one round in which nothing is due."""
    deadline = Deadline(lambda: 60.0)
    with counted(shop.table) as requests:
        expire_sessions(shop.table, now=shop.now, deadline=deadline, grace=timedelta(0))
        complete_bookings(shop.table, now=shop.now, deadline=deadline)
        reconcile(replace(shop.notice_context(), gateway=_nobody), no_answer_after=timedelta(minutes=3))
        Delivery(shop.table, aws.client("events"), BUS, shop.now).all_due(deadline)
        send_mail(shop.table, postman.post, now=shop.now, deadline=deadline)
    return requests.counted["Query"]


@pytest.mark.parametrize("walk", [order, booking])
def test_the_estimate_of_costs_rests_on_what_a_payment_asks_of_the_table(
    shop: Shop, embedded_aws: EmbeddedAws, walk: Callable[[Shop], None]
) -> None:
    verify_senders(embedded_aws.client("sesv2"), [BOOKINGS, ORDERS])
    postman = Postman(embedded_aws, shop, {Kind.BOOKING: BOOKINGS, Kind.ORDER: ORDERS})
    used = _used(shop, postman, lambda: walk(shop))
    kept = read_usage()[walk.__name__]
    # Which shards the events fall into differs, and with it how many items come in one read;
    # so does an item's size by a little.
    assert kept["reads"] - 5 <= used["reads"] <= kept["reads"], f"write this into {USAGE.name}: {used}"
    assert kept["writes"] - 2 <= used["writes"] <= kept["writes"], f"write this into {USAGE.name}: {used}"
    assert kept["events"] == used["events"]


def test_a_round_of_sweeps_in_which_nothing_is_due_asks_each_shard_once(shop: Shop, embedded_aws: EmbeddedAws) -> None:
    postman = Postman(embedded_aws, shop, {Kind.BOOKING: BOOKINGS, Kind.ORDER: ORDERS})
    assert sweeps(shop, embedded_aws, postman) == read_usage()["sweeps"]["queries"]
