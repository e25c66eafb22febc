"""A payment is found by what its customer has at hand, at a cost that does not grow; each search is kept with who made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ops.running import items_of
from payfirst.domain.errors import FairUseError, InvalidInputError
from payfirst.domain.session import Customer
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators.erase import preview
from payfirst.usecases.operators.search import MOST_AN_HOUR, Search, search
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import SEARCH_KEY, Shop, new_customer, new_phone

BY = "operator:anna (anna@shop.example)"


def find(shop: Shop, text: str, *, size: int = 20, before: int | None = None, by: str = BY) -> Search:
    return search(shop.table, lambda: SEARCH_KEY, text, shop.now, by=by, token="one", size=size, before=before)


def a_phone() -> str:
    return f"254{new_phone()[1:]}"


def an_order(shop: Shop, phone: str, customer: Customer | None = None) -> tuple[Started, str]:
    """An order for that phone, paid with another one."""
    started = shop.initiate(shop.session(customer or new_customer(), phone=phone), new_phone())
    shop.tell(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    return started, outcome.code


def test_an_order_is_found_under_each_of_its_names_however_they_are_written(shop: Shop) -> None:
    phone = a_phone()
    customer = Customer(sub=f"sub-{phone}", email=f"Amina.{phone}@Example.com")
    started, code = an_order(shop, phone, customer)
    receipt = shop.attempt(started).receipt
    assert receipt is not None
    local = f"0{phone[-9:]}"

    wanted = {
        "code": (code, code.lower(), started.attempt.ref, started.attempt.ref.upper(), started.attempt.transaction),
        "receipt": (receipt, receipt.lower(), shop.attempt(started).gateway_id or ""),
        "phone": (phone, local, f"+{phone}", f" {local[:4]} {local[4:7]}-{local[7:]} "),
        "last_digits": (phone[-4:],),
        "email": (f"amina.{phone}@example.com", f"AMINA.{phone}@EXAMPLE.COM"),
    }
    for what, texts in wanted.items():
        for text in texts:
            found = find(shop, text)
            assert (found.what, [(each.kind, each.code, each.status) for each in found.found][:1]) == (
                what,
                [("order", code, "confirmed")],
            ), text
    [one] = find(shop, phone).found
    assert (one.amount, one.at, one.customer) == (started.session.amount, started.session.created_at, customer.sub)


def test_a_payment_that_became_nothing_is_found_by_the_phone_that_was_prompted(shop: Shop) -> None:
    phone = a_phone()
    started = shop.initiate(shop.session(new_customer()), phone)

    [one] = find(shop, phone).found

    assert (one.kind, one.code, one.status) == ("session", started.attempt.ref, "payment_initiated")


def test_a_booking_is_found_by_its_customers_address(shop: Shop) -> None:
    customer = Customer(sub="ravi", email=f"{new_phone()}@example.in")
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)

    [one] = find(shop, customer.email or "").found

    assert (one.kind, one.status) == ("booking", "CONFIRMED")


def test_whatever_the_shop_has_sold_a_search_by_phone_takes_four_requests_and_one_by_receipt_five(shop: Shop) -> None:
    phone = a_phone()
    started, _ = an_order(shop, phone)
    an_order(shop, phone)

    with counted(shop.table) as by_phone:
        assert len(find(shop, phone).found) == 2
    receipt = shop.attempt(started).receipt or ""
    with counted(shop.table) as by_receipt:
        find(shop, receipt)

    assert by_phone.operations == ["TransactWriteItems", "Query", "BatchGetItem", "BatchGetItem"]
    assert by_receipt.operations == ["TransactWriteItems", "BatchGetItem", "GetItem", "GetItem", "BatchGetItem"]


def test_candidates_come_in_pages_the_newest_first_and_each_once(shop: Shop) -> None:
    ending, made = a_phone()[-4:], []
    for number in range(5):
        shop.now += timedelta(minutes=1)
        made.append(an_order(shop, f"2547{1000 + number}{ending}")[1])

    seen: list[str] = []
    before = None
    while True:
        page = find(shop, ending, size=2, before=before)
        assert len(page.found) <= 2
        seen += [each.code for each in page.found]
        before = page.before
        if before is None:
            break

    assert seen[:5] == made[::-1]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "text", ["", "  ", "712", "a b", "@", "x" * 65, "७१२३", "1\x00234", "<script>", "+712 345 678 901 234 567"]
)
def test_what_can_be_no_name_is_refused_by_its_field_and_counts_nothing(shop: Shop, text: str) -> None:
    with counted(shop.table) as requests, pytest.raises(InvalidInputError, match=r"^q: "):
        find(shop, text)

    assert requests.operations == []


def test_a_search_is_kept_with_who_and_when_and_without_the_name(shop: Shop) -> None:
    phone = a_phone()
    find(shop, phone)

    [kept] = [item for item in items_of(shop.table) if item["pk"].startswith("SEARCHED#")]
    assert (kept["by"], kept["what"]) == (BY, "phone")
    assert phone[-9:] not in str(kept)


def test_whoever_has_searched_too_often_is_told_until_when_whatever_they_call_themselves(shop: Shop) -> None:
    place = keys.hourly(keys.searcher("operator:anna"), "hourly_searches", shop.now)
    write(shop.table, Update("counter", place, set={"n": MOST_AN_HOUR - 1}))

    find(shop, "5678")
    with pytest.raises(FairUseError) as refused:
        find(shop, "5678", by="operator:anna (another@shop.example)")
    assert refused.value.retry_after_seconds == 3600
    find(shop, "5678", by="operator:brian")


def test_no_number_stands_in_a_key_nor_can_be_tried_out_without_the_secret(shop: Shop) -> None:
    phone = a_phone()
    an_order(shop, phone)

    for item in items_of(shop.table):
        for name in (phone, phone[-9:], keys.hashed(phone), keys.hashed(phone[-4:])):
            assert name not in item["pk"] + item["sk"]


def test_what_a_search_finds_of_a_customer_goes_with_the_customer(shop: Shop) -> None:
    phone, customer = a_phone(), new_customer()
    started = shop.initiate(shop.session(customer, phone=phone))

    found = preview(shop.table, customer.sub)

    entries = [dict(step.writes[0].key) for step in found.steps if step.kind == "entries of the search"]  # type: ignore[union-attr]
    assert len(entries) == 3, "the number, its last digits, the address"
    assert {int(entry["sk"]) for entry in entries} == {started.session.number}
    assert found.by_kind["phone locks"] >= 1


def test_an_attempt_of_an_earlier_release_frees_the_lock_under_its_earlier_name(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    attempt = shop.attempt(started)
    earlier = keys.phone(keys.hashed(attempt.phone or ""))
    write(shop.table, Update("phone", earlier, set={"attempt": attempt.ref}))
    write(shop.table, Update("attempt", keys.attempt(attempt.ref), remove=("phone_lock",)))

    shop.tell(started)

    freed: Any = get(shop.table, earlier)
    assert "attempt" not in freed
    assert shop.read(started.session).outcome is not None
