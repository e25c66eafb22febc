"""A customer and a phone can ask for so much within an hour and no more, however many ask at once; delivery has an area."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from payfirst.domain.delivery import read_delivery_area
from payfirst.domain.errors import ContentionError, FairUseError, InvalidInputError
from payfirst.domain.fair_use import FairUse
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import Customer, Delivery, OrderSnapshot, Session
from payfirst.storage.dynamodb import keys
from payfirst.usecases.checkout.create_session import create_session, extend_session
from payfirst.usecases.checkout.initiate_payment import initiate_payment
from payfirst.usecases.checkout.process_cart import CartPayment, process_cart
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.context import PaymentContext
from tests.conftest import RunningStack, SecondFront, SettingsBeside
from tests.integration.payments.shop import LIFETIME, Shop, new_customer, new_phone

FAIR = FairUse(sessions_per_user=3, prompts_per_user=3, prompts_per_phone=3)


def _session(shop: Shop, customer: Customer, *, area: str = "*=50.00", limits: FairUse = FAIR) -> Session:
    return create_session(
        Delivery("John Doe", new_phone(), 1, 5, "123 Main Street"),
        customer=customer,
        table=shop.table,
        now=shop.now,
        entropy=secrets.token_bytes,
        lifetime=LIFETIME,
        limits=limits,
        area=read_delivery_area(area),
    )


def _till(shop: Shop, limits: FairUse) -> PaymentContext:
    context = shop.payment_context()
    return PaymentContext(**{name: getattr(context, name) for name in context.__slots__} | {"fair_use": limits})


def _prompt(shop: Shop, customer: Customer, phone: str, limits: FairUse = FAIR) -> Started:
    """A prompt that its payer refuses, so that the phone is free for the next one."""
    session = shop.session(customer, phone=phone)
    started = initiate_payment(shop.given(session), None, customer=customer, context=_till(shop, limits))
    shop.decide(started, "cancel")
    shop.tell(started, shop.notice(started, code=1032))
    return started


def test_the_fourth_session_of_an_hour_is_refused_and_the_next_hour_begins_anew(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    shop.now += timedelta(minutes=20)
    for _ in range(3):
        _session(shop, customer)
    with pytest.raises(FairUseError) as refused:
        _session(shop, customer)
    assert refused.value.retry_after_seconds == 40 * 60
    assert len(shop.of_kind(customer, keys.SESSION)) == 3
    stranger = new_customer()
    shop.fill_cart(stranger)
    _session(shop, stranger)
    shop.now += timedelta(seconds=refused.value.retry_after_seconds)
    _session(shop, customer)


def test_twenty_sessions_asked_for_at_once_are_three(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)

    def ask(_: int) -> bool:
        try:
            _session(shop, customer)
        except FairUseError:
            return False
        return True

    with ThreadPoolExecutor(10) as asking:
        assert sum(asking.map(ask, range(20))) == 3
    assert len(shop.of_kind(customer, keys.SESSION)) == 3


TWO_OPEN = FairUse(open_sessions=2)


def test_a_third_open_session_is_refused_until_the_first_of_them_ends(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    _session(shop, customer, limits=TWO_OPEN)
    shop.now += timedelta(minutes=5)
    second = _session(shop, customer, limits=TWO_OPEN)
    with pytest.raises(FairUseError, match="open payment sessions") as refused:
        _session(shop, customer, limits=TWO_OPEN)
    assert refused.value.retry_after_seconds == 10 * 60 + 1
    assert len(shop.of_kind(customer, keys.SESSION)) == 2
    stranger = new_customer()
    shop.fill_cart(stranger)
    _session(shop, stranger, limits=TWO_OPEN)

    shop.now += timedelta(seconds=refused.value.retry_after_seconds)
    third = _session(shop, customer, limits=TWO_OPEN)
    assert {session.uuid for session in (second, third)} <= {item["uuid"] for item in shop.of_kind(customer, keys.SESSION)}
    with pytest.raises(FairUseError):
        _session(shop, customer, limits=TWO_OPEN)


def test_a_session_that_was_paid_or_refused_is_open_no_more(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    paid = _session(shop, customer, limits=TWO_OPEN)
    shop.fill_cart(customer)
    failed = _session(shop, customer, limits=TWO_OPEN)
    started = shop.initiate(paid)
    with pytest.raises(FairUseError):
        _session(shop, customer, limits=TWO_OPEN)
    shop.tell(started)
    refused = shop.initiate(failed)
    shop.decide(refused, "cancel")
    shop.tell(refused, shop.notice(refused, code=1032))
    shop.fill_cart(customer)
    for _ in range(2):
        _session(shop, customer, limits=TWO_OPEN)


def test_a_session_whose_payment_failed_counts_again_when_it_is_tried_again(shop: Shop) -> None:
    customer = new_customer()
    sessions = []
    for _ in range(2):
        shop.fill_cart(customer)
        sessions.append(_session(shop, customer, limits=TWO_OPEN))
        refused = shop.initiate(sessions[-1])
        shop.decide(refused, "cancel")
        shop.tell(refused, shop.notice(refused, code=1032))
    shop.fill_cart(customer)
    _session(shop, customer, limits=TWO_OPEN)
    _session(shop, customer, limits=TWO_OPEN)
    shop.initiate(sessions[0])
    shop.initiate(sessions[1])
    with pytest.raises(FairUseError):
        _session(shop, customer, limits=TWO_OPEN)
    [counter] = [item for item in shop.items() if keys.key_of(item) == keys.counter(customer.sub, keys.SESSION)]
    assert len(counter["opened"]) == 4


def test_a_session_that_was_extended_stays_open(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    for number in range(2):
        session = _session(shop, customer, limits=TWO_OPEN)
        given = shop.given(session)
        extend_session(given, customer=customer, table=shop.table, now=shop.now, step=timedelta(minutes=15 * number))
    shop.now += LIFETIME + timedelta(minutes=1)
    _session(shop, customer, limits=TWO_OPEN)
    with pytest.raises(FairUseError) as refused:
        _session(shop, customer, limits=TWO_OPEN)
    assert refused.value.retry_after_seconds == 14 * 60 + 1


def test_twenty_sessions_asked_for_at_once_are_never_more_than_may_be_open(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)

    def ask(_: int) -> str:
        try:
            _session(shop, customer, limits=TWO_OPEN)
        except (FairUseError, ContentionError) as error:
            return error.code
        return "made"

    with ThreadPoolExecutor(10) as asking:
        said = list(asking.map(ask, range(20)))
    assert said.count("made") == len(shop.of_kind(customer, keys.SESSION)) == 2
    assert set(said) <= {"made", "TOO_MANY_REQUESTS", "BUSY"}


def test_a_payment_through_phonepe_is_an_open_session_too(shop: Shop) -> None:
    customer = new_customer()

    def pay() -> Started:
        wanted = CartPayment(GivenId(shop.booking_cart(customer).number), None, None, None)
        return process_cart(wanted, customer=customer, context=_till(shop, TWO_OPEN), lifetime=LIFETIME)

    first, _ = pay(), pay()
    with pytest.raises(FairUseError):
        pay()
    shop.decide(first)
    shop.tell_phonepe(first)
    pay()


def test_a_phone_is_prompted_three_times_an_hour_whoever_asks(shop: Shop) -> None:
    phone = new_phone()
    for _ in range(3):
        _prompt(shop, new_customer(), phone)
    with pytest.raises(FairUseError, match="This phone"):
        _prompt(shop, new_customer(), phone)
    _prompt(shop, new_customer(), new_phone())
    shop.now += timedelta(hours=1)
    _prompt(shop, new_customer(), phone)


def test_a_customer_is_refused_the_fourth_prompt_of_an_hour_on_any_phone(shop: Shop) -> None:
    customer = new_customer()
    for _ in range(3):
        _prompt(shop, customer, new_phone())
    with pytest.raises(FairUseError, match="You have started"):
        _prompt(shop, customer, new_phone())


def test_a_refused_prompt_leaves_nothing_behind(shop: Shop) -> None:
    customer, phone = new_customer(), new_phone()
    for _ in range(3):
        _prompt(shop, customer, phone)
    session = shop.session(customer, phone=phone)
    before = shop.items()
    with pytest.raises(FairUseError):
        initiate_payment(shop.given(session), None, customer=customer, context=_till(shop, FAIR))
    assert shop.items() == before


def test_no_number_of_a_phone_stands_in_a_counter(shop: Shop) -> None:
    phone = new_phone()
    _prompt(shop, new_customer(), phone)
    counters = [item for item in shop.items() if item["sk"].startswith("HOUR#")]
    assert sorted(item["sk"].split("#")[1] for item in counters) == ["hourly_phone_prompts", "hourly_prompts"]
    assert not [item for item in counters if phone[1:] in str(item)]
    assert all(item["ttl"] > shop.now.timestamp() + 3600 for item in counters)


def test_a_cart_paid_through_phonepe_counts_as_a_session_and_a_payment(shop: Shop) -> None:
    customer = new_customer()
    for _ in range(3):
        cart = shop.booking_cart(customer)
        process_cart(
            CartPayment(GivenId(cart.number), None, None, None), customer=customer, context=_till(shop, FAIR), lifetime=LIFETIME
        )
    cart = shop.booking_cart(customer)
    with pytest.raises(FairUseError):
        process_cart(
            CartPayment(GivenId(cart.number), None, None, None), customer=customer, context=_till(shop, FAIR), lifetime=LIFETIME
        )
    assert len(shop.of_kind(customer, keys.SESSION)) == 3


def test_a_county_that_the_shop_does_not_deliver_to_is_refused_with_those_that_it_does(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    with pytest.raises(InvalidInputError) as refused:
        _session(shop, customer, area="3=80,47=60")
    assert refused.value.stable_code == "NOT_DELIVERED"
    [problem] = refused.value.problems
    assert problem.field == "county_id"
    assert problem.message == "We do not deliver to Mombasa; we deliver to: Kilifi, Nairobi City."
    assert shop.of_kind(customer, keys.SESSION) == []


def test_the_fee_of_the_county_is_frozen_in_the_session(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    session = _session(shop, customer, area="1=120.50,*=50")
    assert isinstance(session.snapshot, OrderSnapshot)
    assert (session.snapshot.delivery_fee, session.snapshot.rounding) == (Money(12050, Currency.KES), Money(50, Currency.KES))
    assert session.amount == Money(42100, Currency.KES)


@pytest.fixture(scope="module")
def strict(stack_with: SettingsBeside) -> Iterator[RunningStack | SecondFront]:
    """A stack with limits, which delivers to Mombasa alone."""
    limits = {"SESSIONS_PER_USER_HOUR": "2", "PROMPTS_PER_USER_HOUR": "1", "PROMPTS_PER_PHONE_HOUR": "1"}
    with stack_with(**limits, DELIVERY_FEES="1=75") as other:
        yield other


def test_over_http_too_much_is_429_with_retry_after_in_the_shape_of_its_family(strict: RunningStack) -> None:
    bearer = {"Authorization": f"Bearer {strict.token(sub=secrets.token_hex(8))}"}

    def post(path: str, body: object = None) -> requests.Response:
        return requests.post(f"{strict.base_url}{path}", json=body, headers=bearer, timeout=20)

    post("/api/carts/add_item/", {"listing_id": 123, "quantity": 1})
    place = {"full_name": "Jo", "phone_number": new_phone(), "detailed_address": "here"}
    far = post("/api/payments/sessions/", {"delivery_details": {**place, "county_id": 47, "subcounty_id": 274}})
    assert (far.status_code, far.json()["error_code"]) == (400, "NOT_DELIVERED")
    near = {"delivery_details": {**place, "county_id": 1, "subcounty_id": 5}}
    made = [post("/api/payments/sessions/", near) for _ in range(3)]
    assert [answer.status_code for answer in made] == [201, 201, 429]
    assert made[0].json()["delivery_fee"] == "75.00"
    assert made[2].json()["error_code"] == "TOO_MANY_REQUESTS"
    assert 1 <= int(made[2].headers["Retry-After"]) <= 3600
    first = made[0].json()["session_id"]
    started = post(f"/api/payments/sessions/{first}/initiate_payment/")
    assert started.status_code == 200, started.text
    strict.decide("mpesa", started.json()["checkout_request_id"], "cancel")
    cart = {"service_type": "PUJA", "puja_service": 1, "package_id": 1, "selected_date": "2027-01-01", "selected_time": "10:30"}
    puja = post("/api/cart/carts/", cart).json()["id"]
    refused = post("/api/payments/process-cart/", {"cart_id": puja})
    assert (refused.status_code, refused.json()["error_code"]) == (429, "TOO_MANY_REQUESTS")
    assert set(refused.json()) == {"error", "details", "error_code"}
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    counties = requests.get(f"{strict.base_url}/api/locations/counties/", timeout=20).json()["results"]
    assert {county["name"]: county["delivery_fee"] for county in counties if county["delivery_fee"]} == {"Mombasa": "75.00"}


@pytest.fixture(scope="module")
def one_at_a_time(stack_with: SettingsBeside) -> Iterator[RunningStack | SecondFront]:
    """A stack in which a customer has one open session."""
    with stack_with(OPEN_SESSIONS_PER_USER="1") as other:
        yield other


def test_over_http_one_open_session_too_many_is_429_until_the_first_ends(one_at_a_time: RunningStack) -> None:
    bearer = {"Authorization": f"Bearer {one_at_a_time.token(sub=secrets.token_hex(8))}"}

    def post(path: str, body: object = None) -> requests.Response:
        return requests.post(f"{one_at_a_time.base_url}{path}", json=body, headers=bearer, timeout=20)

    cart = {"service_type": "PUJA", "puja_service": 1, "package_id": 1, "selected_date": "2027-01-01", "selected_time": "10:30"}
    first, second = (post("/api/cart/carts/", cart).json()["id"] for _ in range(2))
    assert post("/api/payments/process-cart/", {"cart_id": first}).status_code == 201
    assert post("/api/payments/process-cart/", {"cart_id": first}).status_code == 200
    refused = post("/api/payments/process-cart/", {"cart_id": second})
    assert (refused.status_code, refused.json()["error_code"]) == (429, "TOO_MANY_REQUESTS")
    assert refused.json()["error"] == "Payment processing failed"
    post("/api/carts/add_item/", {"listing_id": 123, "quantity": 1})
    place = {"full_name": "Jo", "phone_number": new_phone(), "detailed_address": "here", "county_id": 1, "subcounty_id": 5}
    answer = post("/api/payments/sessions/", {"delivery_details": place})
    assert (answer.status_code, answer.json()["error_code"]) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(answer.headers["Retry-After"]) <= 901
