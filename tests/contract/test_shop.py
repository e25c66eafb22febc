"""The shop around the payment over HTTP: carts that tell the truth, promo codes, the catalogue in pages, and every refusal."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import pytest

from payfirst.api.routes import family_of
from payfirst.domain.booking import AS_USUAL, ChangeRules
from payfirst.domain.catalogue import Listing, Service, ServiceType
from payfirst.domain.clock import instant, utc_now
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesToListing, Promo
from payfirst.domain.session import Customer as Somebody
from payfirst.storage import catalogue
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import Table, write
from payfirst.usecases.carts import produce_cart
from payfirst.usecases.operators.review import refund_payment
from tests.conftest import RunningStack
from tests.contract.error_shapes import shape_problem
from tests.contract.exchanges import document
from tests.contract.stack_table import table_of
from tests.contract.walk import Customer, Stack, pay_phonepe, wait_until

PROCESS: Final = "/api/payments/process-cart"
SESSIONS: Final = "/api/payments/sessions"
A_SESSION: Final = document("payment_sessions")["create_session"].body
DAY: Final = (datetime.now(UTC) + timedelta(days=30)).date()


@pytest.fixture(scope="module")
def table(stack: RunningStack) -> Table:
    """The running stack's own table, for what the shop changes behind its customers' backs."""
    return table_of(stack)


@pytest.fixture
def sub() -> str:
    return str(uuid4())


@pytest.fixture
def customer(stack: RunningStack, sub: str) -> Customer:
    return Customer(stack.base_url, stack.token(sub=sub))


def refused(customer: Customer, path: str, body: Any, status: int, code: str) -> Any:
    """The answer to a POST that must be refused so, in its family's shape."""
    response = customer.send("POST", path, body)
    assert (response.status_code, response.json().get("error_code")) == (status, code), response.text
    assert shape_problem(family_of(path), response) is None, response.text
    return response.json()


def a_listing(table: Table, *, price: str = "100.00", currency: Currency = Currency.KES, **more: Any) -> int:
    number = 100_000 + secrets.randbelow(10**6)
    entry = {"product_name": "Maize", "farm_name": "Hill Farm", "unit": "kg", "available": Decimal(50), **more}
    catalogue.add(table, Listing(number=number, price=Money.of(price, currency), **entry))
    return number


def a_service(table: Table, *, currency: Currency = Currency.INR, changes: ChangeRules = AS_USUAL) -> int:
    number, price = 100_000 + secrets.randbelow(10**6), Money.of("510.00", currency)
    puja = Service(ServiceType.PUJA, number, "Lakshmi Puja", "…", "Asia/Kolkata", currency, (), price, changes=changes)
    catalogue.add(table, puja)
    return number


def a_promo(table: Table, currency: Currency, **rules: Any) -> str:
    code = f"T{secrets.token_hex(4).upper()}"
    amount = {} if "percent" in rules else {"amount": Money.of("10.00", currency)}
    catalogue.add(table, Promo(code, currency, **{**amount, **rules}))
    return code


def a_cart(customer: Customer, service: int, **more: Any) -> Any:
    wanted = {"service_type": "PUJA", "puja_service": service, "selected_date": DAY.isoformat(), "selected_time": "10:00"}
    return customer.post("/api/cart/carts", wanted | more)


def a_booking(stack: Stack, customer: Customer, service: int, **more: Any) -> Any:
    payment = customer.post(PROCESS, {"cart_id": a_cart(customer, service, **more)["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    path = f"/api/payments/{payment['payment_id']}/check-booking"
    booking = wait_until(lambda: customer.get(path), lambda answer: answer["booking_created"])["booking"]
    return booking | {"ref": payment["merchant_transaction_id"]}


def new_price(table: Table, key: keys.Key, minor: int) -> None:
    write(table, Update("entry", key, set={"price": minor}))


# What carts show and what payments refuse


def test_a_cart_of_a_service_shows_todays_price_and_a_payment_refuses_the_old_one(table: Table, customer: Customer) -> None:
    service = a_service(table)
    cart = a_cart(customer, service)
    assert (cart["available"], cart["price_changed"], "current_price" in cart) == (True, False, False)
    new_price(table, shop_keys.service("PUJA", service), 61000)
    listed = customer.get("/api/cart/carts/active")
    for seen in (customer.get(f"/api/cart/carts/{cart['id']}"), listed[0], customer.get("/api/cart/carts")["results"][0]):
        assert (seen["total_price"], seen["price_changed"], seen["current_price"]) == ("510.00", True, "610.00")
        assert (seen["available"], seen["current_discount"]) == (True, "0.00")
    answer = refused(customer, PROCESS, {"cart_id": cart["id"]}, 409, "PRICE_CHANGED")
    assert (answer["price_at_addition"], answer["current_price"]) == ("510.00", "610.00")
    assert answer["error"] == "Cart payment processing failed"
    new_price(table, shop_keys.service("PUJA", service), 51000)
    assert customer.post(PROCESS, {"cart_id": cart["id"]})["amount"] == "510.00"
    frozen = customer.get(f"/api/cart/carts/{cart['id']}")
    assert (frozen["status"], frozen["available"], frozen["price_changed"]) == ("ACTIVE", True, False)


def test_a_cart_of_a_withdrawn_service_says_so(table: Table, customer: Customer) -> None:
    service = a_service(table)
    cart = a_cart(customer, service)
    write(table, Update("entry", shop_keys.service("PUJA", service), set={"withdrawn": True}))
    seen = customer.get(f"/api/cart/carts/{cart['id']}")
    assert (seen["available"], seen["unavailable_code"], seen["price_changed"]) == (False, "CART_CHANGED", False)
    refused(customer, PROCESS, {"cart_id": cart["id"]}, 409, "CART_CHANGED")
    wanted = {"service_type": "PUJA", "puja_service": service, "selected_date": DAY.isoformat(), "selected_time": "10:00"}
    assert list(customer.send("POST", "/api/cart/carts", wanted).json()) == ["puja_service", "error_code"]


def test_a_quiet_cart_expires_and_is_no_active_cart(table: Table, customer: Customer, sub: str) -> None:
    cart = a_cart(customer, 1, package_id=2)
    long_ago = utc_now() - timedelta(days=30)
    write(table, Update("cart", keys.owned(sub, keys.CART, cart["id"]), set={"created_at": instant(long_ago)}))
    path = f"/api/cart/carts/{cart['id']}"
    seen = customer.get(path)
    assert (seen["status"], seen["available"], seen["expires_at"]) == ("EXPIRED", False, None)
    assert customer.get("/api/cart/carts/active") == []
    assert [each["id"] for each in customer.get("/api/cart/carts?status=expired")["results"]] == [cart["id"]]
    refused(customer, f"{path}/apply_promo", {"promo_code": "DISCOUNT10"}, 409, "CART_EXPIRED")
    refused(customer, f"{path}/remove_promo", {}, 409, "CART_EXPIRED")
    answer = refused(customer, PROCESS, {"cart_id": cart["id"]}, 404, "NOT_FOUND")
    assert answer["details"] == "Active cart not found"
    assert customer.send("DELETE", path).status_code == 204
    assert customer.send("GET", path).status_code == 404


def test_a_quiet_cart_of_produce_is_empty_again(table: Table, customer: Customer, sub: str) -> None:
    customer.add_tomatoes()
    assert customer.get("/api/carts/my_cart")["expires_at"] is not None
    write(table, Update("cart", keys.produce_cart(sub), set={"updated_at": instant(utc_now() - timedelta(days=30))}))
    cart = customer.get("/api/carts/my_cart")
    assert (cart["items"], cart["total_items"], cart["total_cost"], cart["expires_at"]) == ([], 0, "0.00", None)
    refused(customer, SESSIONS, A_SESSION, 400, "CART_EMPTY")
    assert [line["cart_item_id"] for line in customer.add_tomatoes()["items"]] == [2]


def test_a_cart_of_produce_shows_todays_price_and_a_session_refuses_the_old_one(table: Table, customer: Customer) -> None:
    maize = a_listing(table)
    customer.post("/api/carts/add_item", {"listing_id": maize, "quantity": 2})
    new_price(table, shop_keys.listing(maize), 11000)
    [line] = customer.get("/api/carts/my_cart")["items"]
    assert (line["price_at_addition"], line["price_changed"], line["current_price"]) == ("100.00", True, "110.00")
    answer = refused(customer, SESSIONS, A_SESSION, 409, "PRICE_CHANGED")
    assert answer["lines"] == [
        {"listing_id": maize, "product_name": "Maize", "price_at_addition": "100.00", "current_price": "110.00"}
    ]
    customer.post("/api/carts/update_quantity", {"cart_item_id": line["cart_item_id"], "quantity": 2})
    assert customer.post(SESSIONS, A_SESSION)["total_amount"] == "270.00"


def test_a_cart_holds_no_more_than_there_is_nor_two_currencies(table: Table, customer: Customer) -> None:
    maize, rice = a_listing(table, available=Decimal(3)), a_listing(table, currency=Currency.INR, product_name="Rice")
    add = "/api/carts/add_item"
    answer = refused(customer, add, {"listing_id": maize, "quantity": 3.5}, 409, "OUT_OF_STOCK")
    assert (answer["available"], answer["quantity"]) == ("3", "3.5")
    line = customer.post(add, {"listing_id": maize, "quantity": 3})["items"][0]
    refused(customer, "/api/carts/update_quantity", {"cart_item_id": line["cart_item_id"], "quantity": 4}, 409, "OUT_OF_STOCK")
    assert refused(customer, add, {"listing_id": rice, "quantity": 1}, 409, "CURRENCY_MIXED")["currency"] == "INR"
    customer.post("/api/carts/remove_item", {"cart_item_id": line["cart_item_id"]})
    assert customer.post(add, {"listing_id": rice, "quantity": 1})["currency"] == "INR"
    refused(customer, SESSIONS, A_SESSION, 409, "CURRENCY_MIXED")


def test_a_cart_of_fifty_things_is_full(stack: RunningStack, table: Table, sub: str) -> None:
    for _ in range(produce_cart.MOST_LINES):
        produce_cart.add_item(
            a_listing(table), Decimal(1), customer=Somebody(sub), table=table, now=utc_now(), entropy=secrets.token_bytes
        )
    customer = Customer(stack.base_url, stack.token(sub=sub))
    refused(customer, "/api/carts/add_item", {"listing_id": a_listing(table), "quantity": 1}, 400, "CART_FULL")


# Promo codes


def test_a_promo_code_on_produce_is_shown_frozen_and_counted(table: Table, customer: Customer) -> None:
    maize = a_listing(table)
    code = a_promo(table, Currency.KES, percent=Decimal(10), applies_to=(AppliesToListing(maize),))
    refused(customer, "/api/carts/apply_promo", {"promo_code": code}, 400, "CART_EMPTY")
    customer.add_tomatoes()
    refused(customer, "/api/carts/apply_promo", {"promo_code": code}, 400, "PROMO_NOT_APPLICABLE")
    customer.post("/api/carts/add_item", {"listing_id": maize, "quantity": 2})
    cart = customer.post("/api/carts/apply_promo", {"promo_code": code.lower()})
    assert (cart["total_cost"], cart["promo_code"], cart["discount"]) == ("500.00", code, "20.00")
    assert cart["promo_changed"] is False
    session = customer.post(SESSIONS, A_SESSION)
    assert (session["total_amount"], session["cart_snapshot"]["total_cost"]) == ("530.00", 500.0)
    assert (session["cart_snapshot"]["discount"], session["cart_snapshot"]["promo_code"]) == (20.0, code)

    write(table, Update("promo", shop_keys.promo(code), set={"percent": Decimal(20)}))
    assert customer.get("/api/carts/my_cart")["promo_changed"] is True
    answer = refused(customer, SESSIONS, A_SESSION, 409, "PRICE_CHANGED")
    assert (answer["terms_at_addition"], answer["current_terms"]) == ("10%", "20%")
    assert customer.post("/api/carts/remove_promo")["promo_code"] is None
    assert customer.post(SESSIONS, A_SESSION)["total_amount"] == "550.00"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"most_uses": 0}, "PROMO_USED_UP"),
        ({"most_uses_each": 0}, "PROMO_LIMIT_REACHED"),
        ({"valid_until": datetime(2025, 1, 1, tzinfo=UTC)}, "PROMO_EXPIRED"),
        ({"valid_from": datetime(2100, 1, 1, tzinfo=UTC)}, "PROMO_EXPIRED"),
        ({"minimum": True}, "PROMO_BELOW_MINIMUM"),
        ({"applies_to": (AppliesToListing(1),)}, "PROMO_NOT_APPLICABLE"),
    ],
)
def test_a_promo_code_that_takes_nothing_off_says_why_in_both_shops(
    table: Table, customer: Customer, rules: dict[str, Any], code: str
) -> None:
    for currency in (Currency.INR, Currency.KES):
        minimum = {"minimum": Money.of("100000.00", currency)} if "minimum" in rules else {}
        promo = {"promo_code": a_promo(table, currency, **{**rules, **minimum})}
        if currency is Currency.INR:
            path = f"/api/cart/carts/{a_cart(customer, 1, package_id=2)['id']}/apply_promo"
            assert refused(customer, path, promo, 400, code)["error"] == "Invalid or expired promo code"
        else:
            customer.add_tomatoes()
            assert refused(customer, "/api/carts/apply_promo", promo, 400, code)["message"] == "Invalid or expired promo code"


def test_the_one_use_of_a_customer_is_held_by_the_first_payment(table: Table, customer: Customer) -> None:
    code, service = a_promo(table, Currency.INR, most_uses_each=1), a_service(table)
    first, second = (a_cart(customer, service, promo_code=code) for _ in range(2))
    assert customer.post(PROCESS, {"cart_id": first["id"]})["amount"] == "500.00"
    seen = customer.get(f"/api/cart/carts/{second['id']}")
    assert (seen["available"], seen["unavailable_code"]) == (False, "PROMO_LIMIT_REACHED")
    refused(customer, PROCESS, {"cart_id": second["id"]}, 400, "PROMO_LIMIT_REACHED")
    refused(customer, f"/api/cart/carts/{second['id']}/apply_promo", {"promo_code": code}, 400, "PROMO_LIMIT_REACHED")


# Bookings


def test_a_booking_moves_neither_more_often_nor_later_than_its_service_allows(
    stack: Stack, table: Table, customer: Customer
) -> None:
    once = a_booking(stack, customer, a_service(table, changes=ChangeRules(most_reschedules=1)))
    path = f"/api/booking/bookings/{once['id']}/reschedule"
    there = {"selected_date": (DAY + timedelta(days=1)).isoformat(), "selected_time": "2:00 PM"}
    assert customer.post(path, there)["booking"]["selected_time"] == "14:00:00"
    refused(customer, path, there | {"selected_time": "3:00 PM"}, 409, "RESCHEDULE_LIMIT")

    early = a_booking(stack, customer, a_service(table, changes=ChangeRules(reschedule_hours=24 * 60)))
    answer = refused(customer, f"/api/booking/bookings/{early['id']}/reschedule", there, 409, "RESCHEDULE_TOO_LATE")
    assert "1440 hours" in answer["error"]


def test_a_booking_whose_money_is_on_its_way_back_waits_before_it_is_cancelled(
    stack: Stack, table: Table, customer: Customer
) -> None:
    booking = a_booking(stack, customer, a_service(table))
    part = Money.of("10.00", Currency.INR)
    refund_payment(table, booking["ref"], part, utc_now(), by="operator:amina", why="a kindness")
    refused(customer, f"/api/booking/bookings/{booking['id']}/cancel", {}, 409, "REFUND_IN_PROGRESS")


def test_a_booking_is_completed_by_itself_and_changes_no_more(stack: Stack, table: Table, customer: Customer, sub: str) -> None:
    booking = a_booking(stack, customer, a_service(table), selected_date="2025-07-20")
    path = f"/api/booking/bookings/{booking['id']}"
    assert customer.get(path)["status"] == "CONFIRMED"
    key = keys.owned(sub, keys.BOOKING, booking["id"])
    write(table, Update("booking", key, set=due_index.due(due_index.COMPLETE, key, utc_now())))
    done = wait_until(lambda: customer.get(path), lambda answer: answer["status"] == "COMPLETED")
    assert [step["status"] for step in done["timeline"]] == ["CONFIRMED", "COMPLETED"]
    there = {"selected_date": DAY.isoformat(), "selected_time": "10:00"}
    refused(customer, f"{path}/reschedule", there, 409, "BOOKING_NOT_CONFIRMED")
    refused(customer, f"{path}/cancel", {}, 409, "BOOKING_NOT_CONFIRMED")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("selected_time", "25:00", "A time like 14:30, 14:30:00 or 2:30 PM is expected."),
        ("selected_time", "tomorrow", "A time like 14:30, 14:30:00 or 2:30 PM is expected."),
        ("selected_date", "tomorrow", "A day like 2025-07-20 is expected."),
        ("selected_date", "2026-02-31", "There is no such day."),
    ],
)
def test_a_time_or_day_that_nobody_can_mean_is_a_400_that_says_so(
    table: Table, customer: Customer, field: str, value: str, said: str
) -> None:
    wanted = {
        "service_type": "PUJA",
        "puja_service": a_service(table),
        "selected_date": DAY.isoformat(),
        "selected_time": "10:00",
    }
    there = {"selected_date": DAY.isoformat(), "selected_time": "10:00"}
    for path, body in (("/api/cart/carts", wanted), ("/api/booking/bookings/1/reschedule", there)):
        response = customer.send("POST", path, body | {field: value})
        assert (response.status_code, response.json()) == (400, {field: [said], "error_code": "INVALID_INPUT"})


# The catalogue in pages


def shown(customer: Customer, address: str) -> Any:
    """The page at an address that a page named."""
    return customer.get(address.removeprefix(customer.base_url))


def test_the_catalogue_goes_forth_and_back_in_pages_by_number(stack: Stack, table: Table) -> None:
    farm, nobody = f"Farm {uuid4()}", Customer(stack.base_url, None)
    numbers = sorted(a_listing(table, farm_name=farm) for _ in range(5))
    page = nobody.get(f"/api/listings?page_size=2&farm={farm.upper()}")
    seen = [page]
    while page["next"]:
        page = shown(nobody, page["next"])
        seen.append(page)
    assert [[each["listing_id"] for each in page["results"]] for page in seen] == [numbers[:2], numbers[2:4], numbers[4:]]
    assert seen[0]["previous"] is None
    back = shown(nobody, seen[2]["previous"])
    assert [each["listing_id"] for each in back["results"]] == numbers[2:4]
    assert shown(nobody, back["previous"])["results"] == seen[0]["results"]
    assert shown(nobody, back["next"])["results"] == seen[2]["results"]

    everything = nobody.get("/api/listings?page_size=1")
    assert everything["count"] >= 10
    assert len(everything["results"]) == 1


def test_the_catalogue_is_searched_by_name_farm_currency_and_whether_it_is_sold(stack: Stack, table: Table) -> None:
    word, nobody = uuid4().hex, Customer(stack.base_url, None)
    here = a_listing(table, product_name=f"Big {word} Yam", zone="Africa/Kampala", hold=True)
    there = a_listing(table, product_name=f"{word}", currency=Currency.INR)
    gone = a_listing(table, product_name=f"old {word}", active=False)

    def found(query: str) -> list[int]:
        return sorted(each["listing_id"] for each in nobody.get(f"/api/listings?{query}")["results"])

    assert found(f"search={word.upper()}") == sorted([here, there])
    assert found(f"search={word}&currency=inr") == [there]
    assert found(f"search={word}&active=false") == [gone]
    listing = nobody.get(f"/api/listings/{here}")
    assert (listing["timezone"], listing["currency"], listing["hold"], listing["active"]) == (
        "Africa/Kampala",
        "KES",
        True,
        True,
    )
    for query in ("currency=USD", "active=maybe", "page_size=101", "cursor=abc"):
        response = nobody.send("GET", f"/api/listings?{query}")
        assert response.status_code == 400, query
        assert shape_problem(family_of("/api/listings"), response) is None

    service = a_service(table, currency=Currency.KES)
    pages = nobody.get("/api/services?page_size=100&currency=kes&service_type=puja")
    assert service in [each["id"] for each in pages["results"]]
    assert {each["currency"] for each in pages["results"]} == {"KES"}
    stars = nobody.get("/api/services?service_type=astrology")
    assert {each["service_type"] for each in stars["results"]} == {"ASTROLOGY"}
    assert stars["count"] == len(stars["results"])
    refused_kind = nobody.send("GET", "/api/services?service_type=dance")
    assert list(refused_kind.json()) == ["service_type", "error_code"]


def test_a_service_in_shillings_is_paid_by_mpesa(table: Table, customer: Customer) -> None:
    cart = a_cart(customer, a_service(table, currency=Currency.KES))
    refused_method = customer.send("POST", PROCESS, {"cart_id": cart["id"], "method": "PHONEPE"})
    assert list(refused_method.json()) == ["method", "error_code"]
    paid = customer.post(PROCESS, {"cart_id": cart["id"], "phone_number": f"0711{secrets.randbelow(10**6):06d}"})
    assert (paid["currency"], paid["amount"]) == ("KES", "510.00")
