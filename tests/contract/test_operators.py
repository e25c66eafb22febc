"""What operators do over HTTP: find a payment, decide about it, move its order; each twice is done once, with who and why."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from payfirst.domain.clock import instant
from payfirst.storage import attempts, sessions
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import Table, write
from tests.conftest import RunningStack
from tests.contract.exchanges import document
from tests.contract.stack_table import table_of
from tests.contract.walk import Customer, a_session, new_customer, pay_mpesa, pay_phonepe, wait_until

WHO: Final = "amina@example.com"
SUB: Final = str(uuid4())
NAMED: Final = f"operator:{SUB} ({WHO})"
WHY: Final = "it is on the statement"


@pytest.fixture
def operator(stack: RunningStack) -> Customer:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return Customer(stack.base_url, stack.token(email=WHO, sub=SUB, **claims))


@pytest.fixture
def table(stack: RunningStack) -> Table:
    """The running stack's own table, for what only a gateway's contradiction would bring about."""
    return table_of(stack)


def an_order(stack: RunningStack) -> tuple[Customer, str, str]:
    """A customer, their order's number, and their session's path."""
    customer = new_customer(stack)
    path = f"/api/payments/sessions/{a_session(customer)['session_id']}"
    pay_mpesa(stack, customer.post(f"{path}/initiate_payment", {})["checkout_request_id"])
    paid = wait_until(lambda: customer.get(f"{path}/status"), lambda answer: answer["order"] is not None)
    return customer, paid["order"]["order_number"], path


def under_review(stack: RunningStack, operator: Customer, table: Table) -> tuple[Customer, str, str]:
    """A customer whose payment waits for a person, its attempt, and the path of its session."""
    customer = new_customer(stack)
    path = f"/api/payments/sessions/{a_session(customer)['session_id']}"
    number = customer.post(f"{path}/initiate_payment", {})["transaction_id"]
    [item] = [item for item in _attempts(table) if item["number"]["N"] == str(number)]
    attempt = attempts.read(table, item["pk"]["S"].removeprefix("ATT#"))
    assert attempt is not None
    session = sessions.read(table, attempt.owner, attempt.session_number)
    assert session is not None
    attempts.review(table, session, attempt, "the gateway contradicts itself", datetime.now(UTC))
    waiting = operator.get("/api/operators/stuck")["waiting"]
    assert attempt.ref in [entry["which"] for entry in waiting if entry["what"] == "needs review"]
    return customer, attempt.ref, path


def _attempts(table: Table) -> list[Any]:
    pages = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    return [item for page in pages for item in page["Items"] if item["sk"].get("S") == "ATT"]


def events(story: Any) -> list[str]:
    return [event["event"] for event in story["events"]]


def test_one_payment_tells_its_whole_story_under_every_name_it_has(stack: RunningStack, operator: Customer) -> None:
    _, code, path = an_order(stack)
    story = operator.get(f"/api/operators/payments/{code}")
    [attempt] = story["attempts"]

    for which in (attempt["attempt"], attempt["transaction_id"]):
        assert operator.get(f"/api/operators/payments/{which}") == story
    uuid = path.rsplit("/", 1)[-1]
    assert operator.get(f"/api/operators/payments/{uuid}?customer={story['customer']}") == story
    assert (story["became"], story["session_status"], attempt["status"]) == (code, "order_created", "succeeded")
    assert events(story)[:3] == ["session.created", "payment.initiated", "payment.received"]
    assert story["events"][2]["facts"]["amount"] == story["amount"] == "350.00"


@pytest.mark.parametrize("which", ["MT0000000000000", "BK-00000000", "RMT0000000000000-1", "712345678901234", "nothing"])
def test_what_nobody_knows_is_not_found(operator: Customer, which: str) -> None:
    answer = operator.send("GET", f"/api/operators/payments/{which}")

    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


def test_a_session_is_not_found_under_somebody_elses_name(stack: RunningStack, operator: Customer) -> None:
    _, _, path = an_order(stack)

    for owner in ("", "somebody-else"):
        answer = operator.send("GET", f"/api/operators/payments/{path.rsplit('/', 1)[-1]}?customer={owner}")
        assert answer.status_code == 404


def test_an_order_goes_step_by_step_to_the_door_and_twice_is_once(stack: RunningStack, operator: Customer) -> None:
    customer, code, path = an_order(stack)
    move = f"/api/operators/orders/{code}/move"

    for status in ("packed", "packed", "out_for_delivery", "delivered", "delivered"):
        assert operator.post(move, {"status": status}) == {"order_number": code, "order_status": status, "refund": None}
    back = operator.send("POST", move, {"status": "packed"})

    assert (back.status_code, back.json()["error_code"]) == (409, "ORDER_NOT_MOVABLE")
    assert customer.get(f"/api/orders/{code}")["order_status"] == "delivered"
    story = operator.get(f"/api/operators/payments/{code}")
    steps = [event for event in story["events"] if event["event"].startswith("order.") and event["by"] != "payfirst"]
    assert [(event["event"], event["by"]) for event in steps] == [
        ("order.packed", NAMED),
        ("order.out_for_delivery", NAMED),
        ("order.delivered", NAMED),
    ]
    assert customer.get(f"{path}/status")["order"]["order_number"] == code


def test_a_cancelled_order_gives_its_money_back_once_and_says_why(stack: RunningStack, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    move, body = f"/api/operators/orders/{code}/move", {"status": "cancelled", "why": "the van broke down"}

    silent = operator.send("POST", move, {"status": "cancelled"})
    answers = [operator.post(move, body) for _ in range(2)]

    assert silent.status_code == 400
    assert {answer["refund"]["amount"] for answer in answers} == {"350.00"}
    assert len({answer["refund"]["refund"] for answer in answers}) == 1
    story = operator.get(f"/api/operators/payments/{code}")
    assert events(story).count("order.cancelled") == 1
    assert len(story["refunds"]) == 1


def test_the_orders_of_today_are_listed_by_where_they_stand(stack: RunningStack, operator: Customer) -> None:
    _, code, _ = an_order(stack)

    def listed(query: str = "") -> list[str]:
        return [order["order_number"] for order in operator.get(f"/api/operators/orders{query}")["orders"]]

    assert code in listed("?status=confirmed")
    operator.post(f"/api/operators/orders/{code}/move", {"status": "packed"})
    assert code not in listed("?status=CONFIRMED")
    assert code in listed("?status=PACKED")
    assert listed("?day=2020-01-01") == []
    today = operator.get(f"/api/operators/orders/{code}")["timeline"][0]["at"][:10]
    before, after = (str(date.fromisoformat(today) + timedelta(days=days)) for days in (-2, 2))
    assert code in listed(f"?from={before}&to={after}&status=packed")
    assert code not in listed(f"?from={before}&to={before}")
    for query in ("?from=2026-02-01&to=2026-01-01", "?from=2026-01-01&to=2026-02-01", "?after=ORD-1", "?from=x"):
        assert operator.send("GET", f"/api/operators/orders{query}").status_code == 400
    for query in ("?day=2024-02-31", "?day=9999-12-31", "?day=0001-01-01", "?day=tomorrow", "?status=eaten"):
        assert operator.send("GET", f"/api/operators/orders{query}").status_code == 400


def test_a_day_whose_numbers_were_all_drawn_in_vain_has_no_orders(table: Table, operator: Customer) -> None:
    write(table, Update("sequence", shop_keys.order_sequence("20200229"), set={"n": 130}))
    listed = operator.get("/api/operators/orders?day=2020-02-29")
    assert (listed["orders"], listed["next"]) == ([], None)


def test_an_order_says_where_a_rider_brings_it_and_which_number_to_call(stack: RunningStack, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    shown = operator.get(f"/api/operators/orders/{code}")
    assert (shown["county"], shown["subcounty"]) == ("Mombasa", "Likoni")
    assert shown["delivery_details"]["phone_number"]
    assert (shown["payment_status"], shown["refunds"]) == ("paid", [])
    assert shown["receipt"]


def a_booking(stack: RunningStack, **contact: str) -> tuple[Customer, Any]:
    """A customer whose token names them, and their booking."""
    claims: dict[str, Any] = {"name": "Jane Doe", "phone_number": "+919876543210"}
    customer = Customer(stack.base_url, stack.token(sub=str(uuid4()), **claims))
    cart = customer.post("/api/cart/carts", {**deepcopy(document("bookings")["create_cart"].body), **contact})
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    check = f"/api/payments/{payment['payment_id']}/check-booking"
    return customer, wait_until(lambda: customer.get(check), lambda answer: answer["booking_created"])["booking"]


def test_a_booking_says_who_comes_and_is_listed_on_its_day(stack: RunningStack, operator: Customer) -> None:
    _, booking = a_booking(stack)
    assert (booking["customer_name"], booking["phone_number"]) == ("Jane Doe", "+919876543210")
    assert (booking["service_name"], booking["package_name"]) == ("Ganesh Puja", "Complete")
    _, other = a_booking(stack, customer_name="Asha", phone_number=" +91 98765-00000 ")
    assert (other["customer_name"], other["phone_number"]) == ("Asha", "+91 98765-00000")
    listed = operator.get(f"/api/operators/bookings?day={booking['selected_date']}&status=confirmed")
    assert {booking["book_id"], other["book_id"]} <= {each["book_id"] for each in listed["bookings"]}
    shown = operator.get(f"/api/operators/bookings/{booking['book_id']}")
    assert (shown["customer_name"], shown["payment_status"], shown["refunds"]) == ("Jane Doe", "paid", [])


def test_a_list_of_orders_goes_on_within_its_own_days_and_never_ends_in_silence(operator: Customer) -> None:
    for after in ("ORD-20240115-001", "ORD-nonsense", "BK-449034CB"):
        answer = operator.send("GET", f"/api/operators/orders?day=2024-01-16&after={after}")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["after"])
    assert operator.get("/api/operators/orders?day=2024-01-16&after=ORD-20240116-001")["orders"] == []


def test_a_booking_that_the_shop_cancels_gives_back_what_was_said_or_stays(stack: RunningStack, operator: Customer) -> None:
    customer, booking = a_booking(stack)
    path = f"/api/operators/bookings/{booking['book_id']}"
    said = operator.get(path)["cancellation"]
    refused = operator.send("POST", f"{path}/cancel", {"refund": "1.00", "in_full": True, "why": "the pandit is ill"})
    assert (refused.status_code, refused.json()["error_code"], refused.json()["refund"]) == (409, "REFUND_CHANGED", "999.00")
    body = {"refund": said["in_full"], "in_full": True, "why": "the pandit is ill"}
    answers = [operator.post(f"{path}/cancel", body) for _ in range(2)]
    assert [(answer["status"], answer["refund"]) for answer in answers] == [("CANCELLED", {"amount": said["in_full"]})] * 2
    assert "ill" not in str(customer.get(f"/api/booking/bookings/{booking['book_id']}"))
    story = operator.get(f"/api/operators/payments/{booking['book_id']}")
    [cancelled] = [event for event in story["events"] if event["event"] == "booking.cancelled"]
    assert (cancelled["by"], cancelled["facts"]["why"]) == (NAMED, "the pandit is ill")


@pytest.mark.parametrize("phone", ["", "12", "call me", "1" * 16, "+91 98765 43210 x"])
def test_a_number_that_nobody_can_call_is_refused_by_its_name(stack: RunningStack, phone: str) -> None:
    body = {**deepcopy(document("bookings")["create_cart"].body), "phone_number": phone}
    refused = new_customer(stack).send("POST", "/api/cart/carts", body)
    assert (refused.status_code, set(refused.json())) == (400, {"phone_number", "error_code"})


def test_a_payment_is_given_back_in_part_once_for_one_key(stack: RunningStack, operator: Customer) -> None:
    customer = new_customer(stack)
    cart = customer.post("/api/cart/carts", deepcopy(document("bookings")["create_cart"].body))
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    ref = payment["merchant_transaction_id"]
    pay_phonepe(stack, ref)
    check = f"/api/payments/{payment['payment_id']}/check-booking"
    wait_until(lambda: customer.get(check), lambda answer: answer["booking_created"])
    path, body = f"/api/operators/payments/{ref}/refund", {"amount": "99.00", "why": "a kindness"}

    def ask() -> Any:
        return operator.send("POST", path, body, headers={"Idempotency-Key": key})

    assert [attempt["refundable"] for attempt in operator.get(f"/api/operators/payments/{ref}")["attempts"]] == ["999.00"]
    key = str(uuid4())
    answers = [ask() for _ in range(3)]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert answers[0].json()["amount"] == "99.00"
    story = operator.get(f"/api/operators/payments/{ref}")
    assert [attempt["refundable"] for attempt in story["attempts"]] == ["900.00"]
    [due] = [event for event in story["events"] if event["event"] == "refund.due"]
    assert (due["by"], due["facts"]["why"]) == (NAMED, "a kindness")
    too_much = operator.send("POST", path, {"amount": "1000.00", "why": "a kindness"})
    assert too_much.json()["error_code"] in ("NOT_REFUNDABLE", "REFUND_IN_PROGRESS")


@pytest.mark.parametrize("body", [{}, {"why": "ok"}, {"why": "a kindness", "amount": "0"}, {"why": "a kindness", "amout": "1"}])
def test_a_refund_without_a_reason_or_with_a_wrong_amount_is_refused(operator: Customer, body: Any) -> None:
    assert operator.send("POST", "/api/operators/payments/MT0000000000000/refund", body).status_code == 400


def test_a_payment_under_review_that_a_person_found_becomes_its_order(
    stack: RunningStack, operator: Customer, table: Table
) -> None:
    customer, ref, path = under_review(stack, operator, table)
    body = {"found": "paid", "receipt": f"N{uuid4().hex[:9].upper()}", "why": WHY}

    assert operator.post(f"/api/operators/payments/{ref}/resolve", body)["result"] == "fulfilled"
    again = operator.send("POST", f"/api/operators/payments/{ref}/resolve", body)

    assert (again.status_code, again.json()["error_code"]) == (409, "NOT_UNDER_REVIEW")
    assert customer.get(f"{path}/status")["session_status"] == "order_created"
    [said] = [
        event for event in operator.get(f"/api/operators/payments/{ref}")["events"] if event["event"] == "operator.resolved"
    ]
    assert (said["by"], said["facts"]["why"]) == (NAMED, WHY)


def test_a_payment_under_review_that_was_never_made_may_be_tried_again(
    stack: RunningStack, operator: Customer, table: Table
) -> None:
    customer, ref, path = under_review(stack, operator, table)

    answer = operator.post(f"/api/operators/payments/{ref}/resolve", {"found": "unpaid", "why": WHY})

    assert answer["result"] == "failed"
    assert customer.get(f"{path}/status")["session_status"] == "failed"


def test_of_a_payment_that_is_settled_there_is_nothing_to_resolve(stack: RunningStack, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    [attempt] = operator.get(f"/api/operators/payments/{code}")["attempts"]
    resolve = f"/api/operators/payments/{attempt['attempt']}/resolve"

    nothing = operator.send("POST", resolve, {"why": WHY})
    assert (nothing.status_code, nothing.json()["error_code"]) == (409, "NOT_UNDER_REVIEW")
    assert operator.send("POST", resolve, {"why": WHY, "receipt": "NLJ7RT61SV"}).status_code == 400
    settled = operator.send("POST", resolve, {"why": WHY, "found": "unpaid"})
    assert (settled.status_code, settled.json()["error_code"]) == (409, "NOT_UNDER_REVIEW")


def test_a_refund_that_never_was_cannot_be_said_to_be_paid(operator: Customer) -> None:
    for refund in ("RMT0000000000000-1", "R-1"):
        answer = operator.send("POST", f"/api/operators/refunds/{refund}/resolve", {"why": WHY})
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


def test_one_list_of_what_waits_is_asked_for_and_what_is_no_list_or_no_place_is_refused(operator: Customer) -> None:
    answer = operator.get("/api/operators/stuck/?list=REVIEW")
    assert {entry["what"] for entry in answer["waiting"]} <= {"needs review"}
    for query, field in (
        ("list=other", "list"),
        ("after=x", "after"),
        ("list=overdue&after=review%230 x ATT%231 ATT", "after"),
        (f"list=overdue&after=settle%230 {instant(datetime.now(UTC) - timedelta(seconds=60))} ATT%23MT1 ATT", "after"),
    ):
        refusal = operator.send("GET", f"/api/operators/stuck/?{query}")
        assert (refusal.status_code, list(refusal.json()["errors"])) == (400, [field])


def test_a_payment_tells_what_its_gateway_sent_where_that_is_asked_for_and_not_who_paid(
    stack: RunningStack, operator: Customer, table: Table
) -> None:
    _, code, _ = an_order(stack)
    path = f"/api/operators/payments/{code}"
    assert operator.get(path)["notices"] is None
    answer = wait_until(lambda: operator.get(f"{path}?notices=true"), lambda told: told["notices"])
    [notice], [attempt] = answer["notices"], answer["attempts"]
    ref = attempt["attempt"]
    kept = attempts.read(table, ref)
    assert kept is not None
    assert kept.phone
    assert (notice["attempt"], answer["more_notices"]) == (ref, False)
    assert notice["settled_at"]
    assert attempt["receipt"] in notice["body"]
    assert kept.phone[-9:] not in notice["body"]
    assert f"\N{HORIZONTAL ELLIPSIS}{kept.phone[-3:]}" in notice["body"]
    assert operator.send("GET", f"{path}?notices=yes").status_code == 400
