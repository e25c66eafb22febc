"""What operators are refused: decisions that are none any more, steps left out, and whoever was slower."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import requests

from payfirst.api.routes import Route
from payfirst.domain.fair_use import hour_of
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.operators.search import MOST_AN_HOUR
from tests.contract.refusals.scene import Scene, brings, path_of
from tests.contract.repeatable import (
    READY,
    captured_in_vain,
    new_operator,
    order_of,
    parked_notice,
    under_review,
)
from tests.contract.stack_table import changed, with_values
from tests.contract.walk import TOMATOES

WHY: Final[Mapping[str, Mapping[str, str]]] = {"operators_replay": {}, "operators_close": {"why": "nobody needs it"}}


@brings("NOT_UNDER_REVIEW", "operators_resolve")
def a_payment_that_no_one_doubts(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"found": "unpaid", "why": "a mistake"})


@brings("ALREADY_CAPTURED", "operators_resolve")
def money_that_is_here_is_called_unpaid(scene: Scene, route: Route) -> requests.Response:
    ref = captured_in_vain(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"found": "unpaid", "why": "a mistake"})


@brings("NOT_FULFILLABLE", "operators_resolve")
def money_of_which_nothing_can_be_made(scene: Scene, route: Route) -> requests.Response:
    ref = captured_in_vain(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"found": "paid", "why": "try it once more"})


@brings("NEEDS_DECISION", "operators_replay", "operators_close")
def what_only_a_person_can_end(scene: Scene, route: Route) -> requests.Response:
    ref, _ = under_review(scene.stack)
    return scene.caller(route).send("POST", route.path, {"which": ref, **WHY[route.operation]})


@brings("NOT_FOUND", "operators_replay", "operators_close")
def what_nobody_has_listed(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("POST", route.path, {"which": "INBOX#nothing", **WHY[route.operation]})


@brings("NOT_UNDER_REVIEW", "operators_close")
def a_notice_that_a_sweep_will_take_up(scene: Scene, route: Route) -> requests.Response:
    notice = parked_notice(scene.stack)
    key = due_index.key_named(notice) or {}
    with_values(scene.table, key, **due_index.due(due_index.SETTLE, key, datetime(2099, 1, 1, tzinfo=UTC)))
    return scene.caller(route).send("POST", route.path, {"which": notice, "why": "nobody needs it"})


@brings("NOT_UNDER_REVIEW", "operators_refund_paid")
def a_refund_that_goes_by_itself(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    operator = scene.caller(route)
    operator.post(f"/api/operators/payments/{ref}/refund", {"why": "it was green"})
    key = keys.refund(ref, 1)  # no sweep looks at it meanwhile
    with_values(scene.table, key, status="accepted", **due_index.due(due_index.REFUND, key, datetime(2099, 1, 1, tzinfo=UTC)))
    return operator.send("POST", path_of(route, f"R{ref}-1"), {"why": "from the till"})


@brings("REFUND_IN_PROGRESS", "operators_refund")
def a_refund_beside_another(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    operator = scene.caller(route)
    operator.post(path_of(route, ref), {"amount": "10.00", "why": "it was green"})
    with_values(scene.table, keys.refund(ref, 1), status="accepted")
    return operator.send("POST", path_of(route, ref), {"amount": "10.00", "why": "it was green"})


@brings("REFUND_IN_PROGRESS", "operators_move_order")
def a_cancellation_beside_a_refund(scene: Scene, route: Route) -> requests.Response:
    number, ref, _ = order_of(scene.stack)
    operator = scene.caller(route)
    operator.post(f"/api/operators/payments/{ref}/refund", {"amount": "10.00", "why": "it was green"})
    with_values(scene.table, keys.refund(ref, 1), status="accepted")
    return operator.send("POST", path_of(route, number), {"status": "cancelled", "why": "rain"})


@brings("REFUND_CHANGED", "operators_move_order")
def a_cancellation_of_another_amount(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    said = {"status": "cancelled", "why": "rain", "refund": "300.00"}
    return scene.caller(route).send("POST", path_of(route, number), said)


@brings("NOT_REFUNDABLE", "operators_refund")
def more_than_was_paid(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"amount": "350.01", "why": "generosity"})


@brings("ORDER_NOT_MOVABLE", "operators_move_order")
def an_order_that_skips_a_step(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    return scene.caller(route).send("POST", path_of(route, number), {"status": "delivered"})


@brings("ORDER_NOT_MOVABLE", "operators_undo_step")
def a_step_that_was_not_the_last(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    return scene.caller(route).send("POST", path_of(route, number), {"step": "delivered"})


@brings("STOCK_DISAGREES", "operators_move_order")
def an_order_of_more_than_was_sold(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    with changed(scene.table, shop_keys.listing(TOMATOES), sold={"N": "0"}):
        return scene.caller(route).send("POST", path_of(route, number), {"status": "cancelled", "why": "rain"})


@brings("TOO_MANY_REQUESTS", "operators_search")
def a_person_who_searches_all_day(scene: Scene, route: Route) -> requests.Response:
    operator = new_operator(scene.stack)
    now = datetime.now(UTC)
    for hour in (hour_of(now), hour_of(now) + timedelta(hours=1)):
        place = keys.hourly(keys.searcher(f"operator:{operator.sub}"), "hourly_searches", hour)
        write(scene.table, Update("counter", place, set={"n": MOST_AN_HOUR}))
    return operator.api.send("GET", f"{route.path}?q=5678")


@brings("CHANGED_MEANWHILE", "operators_change_listing", "operators_change_service")
def a_change_by_whoever_was_slower(scene: Scene, route: Route) -> requests.Response:
    ready = READY[route.operation](new_operator(scene.stack))
    operator = scene.caller(route)
    operator.post(ready.path, ready.body)
    return operator.send("POST", ready.path, ready.other)


@brings("STOCK_TOO_LOW", "operators_change_listing")
def more_taken_away_than_is_there(scene: Scene, route: Route) -> requests.Response:
    ready = READY[route.operation](new_operator(scene.stack))
    body = {"version": ready.body["version"], "add_stock": "-999999"}
    return scene.caller(route).send("POST", ready.path, body)
