"""What happens after the payment: orders that two people move, and letters that two functions write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.faults.book import Book
from tests.faults.flows import paid_booking
from tests.faults.flows.operators import ordered
from tests.faults.scenarios.base import outcomes, scenario
from tests.faults.stage import Actor
from tests.faults.world import World


def _moving(order: str, status: str) -> Actor:
    said = {"status": status, "why": "rotten"} if status == "cancelled" else {"status": status}
    return Actor(lambda there: there.operate("POST", f"/api/operators/orders/{order}/move/", said))


def moved_once(world: World, book: Book) -> Iterator[str]:
    """The order's history tells each move once, and its money went back exactly where it was cancelled."""
    (order,) = book.outcomes
    steps = [step["status"] for step in order["timeline"]]
    if len(set(steps)) < len(steps) or (steps and steps[-1] != order["status"]):
        yield f"the order is {order['status']} after {steps}"
    refunds = sum(len(each) for each in book.refunds.values())
    if refunds != (order["status"] == "cancelled"):
        yield f"an order that is {order['status']} has {refunds} refunds"
    if not world.faulted and order["status"] not in ("packed", "cancelled"):
        yield f"nobody has moved the order: {order['status']}"


@scenario(moved_once)
def packed_while_it_is_cancelled(world: World) -> Mapping[str, Actor]:
    order = ordered(world)
    world.given_back.update(world.started)
    return {"packer": _moving(order, "packed"), "boss": _moving(order, "cancelled")}


@scenario(moved_once)
def cancelled_by_two(world: World) -> Mapping[str, Actor]:
    order = ordered(world)
    world.given_back.update(world.started)
    return {"boss": _moving(order, "cancelled"), "partner": _moving(order, "cancelled")}


@scenario(outcomes(1))
def cancelled_while_money_goes_back(world: World) -> Mapping[str, Actor]:
    order = ordered(world)
    world.given_back.update(world.started)
    (ref,) = world.started
    give = Actor(lambda there: there.operate("POST", f"/api/operators/payments/{ref}/refund/", {"why": "a gesture"}))
    return {"boss": _moving(order, "cancelled"), "clerk": give}


def undone_or_gone_on(_: World, book: Book) -> Iterator[str]:
    """A step is taken back or a next one follows it, and never a step that nobody saw."""
    (order,) = book.outcomes
    steps = tuple(step["status"] for step in order["timeline"])
    after = {(), ("confirmed",), ("out_for_delivery",), ("cancelled",), ("confirmed", "cancelled")}
    if steps[:2] != ("confirmed", "packed") or steps[2:] not in after:
        yield f"the order went {steps}"
    if steps[-1] != order["status"]:
        yield f"the order is {order['status']} after {steps}"
    refunds = sum(len(each) for each in book.refunds.values())
    if refunds != (order["status"] == "cancelled"):
        yield f"an order that is {order['status']} has {refunds} refunds"


def _packed(world: World) -> tuple[str, Actor]:
    """An order that is packed, and somebody who takes that back."""
    order = ordered(world)
    world.operate("POST", f"/api/operators/orders/{order}/move/", {"status": "packed"})
    return order, Actor(lambda there: there.operate("POST", f"/api/operators/orders/{order}/undo/", {"step": "packed"}))


@scenario(undone_or_gone_on)
def taken_back_while_it_goes_on(world: World) -> Mapping[str, Actor]:
    order, undo = _packed(world)
    return {"packer": undo, "rider": _moving(order, "out_for_delivery")}


@scenario(undone_or_gone_on)
def taken_back_while_it_is_cancelled(world: World) -> Mapping[str, Actor]:
    order, undo = _packed(world)
    world.given_back.update(world.started)
    return {"packer": undo, "boss": _moving(order, "cancelled")}


def both_timelines_agree(_: World, book: Book) -> Iterator[str]:
    """An order's own timeline holds every step that its session's tells of, in that order, and no other."""
    (order,) = book.outcomes
    steps = [step["status"] for step in order["timeline"]]
    told = sorted((event for event in book.events if event["event"].startswith("order.")), key=lambda event: event["sk"])
    named = {"order.created": "confirmed"}
    since = [event["facts"].get("status", named.get(event["event"], event["event"].removeprefix("order."))) for event in told]
    if steps != since:
        yield f"the order went {steps}, and its session tells of {since}"


@scenario(both_timelines_agree)
def taken_back_and_again_while_it_goes_on(world: World) -> Mapping[str, Actor]:
    order, undo = _packed(world)
    again = _moving(order, "packed")

    def both(there: World) -> None:
        undo.work(there)
        again.work(there)

    return {"packer": Actor(both), "rider": _moving(order, "out_for_delivery")}


def one_letter_each(world: World, _: Book) -> Iterator[str]:
    """While nobody is killed or cut off, no customer gets a letter twice."""
    if not world.faulted:
        yield from (f"{name} was written {count} times" for name, count in Counter(world.post.came).items() if count > 1)


@scenario(one_letter_each)
def two_writers_of_one_letter(world: World) -> Mapping[str, Actor]:
    world.writes_letters = True
    paid_booking(world)
    world.deliver_all()
    write = Actor(lambda there: there.deliver_events())
    return {"writer": write, "other": write}


@scenario(one_letter_each)
def the_stream_beside_the_schedule(world: World) -> Mapping[str, Actor]:
    world.writes_letters = True
    paid_booking(world)
    world.deliver_all()
    tell = Actor(lambda there: there.tell_of_stream())
    return {"stream": tell, "shard": tell, "schedule": Actor(lambda there: there.deliver_events())}
