"""Extreme but well-formed days, hours, zones, quantities and texts: whatever is paid becomes a booking, an order or a refund.

What a shop cannot take is refused before any money; no request of a customer's ever ends in a 500 (`CrashedError`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from http import HTTPStatus
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payfirst.domain.booking import ChangeRules, RefundStep
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.days import EARLIEST
from payfirst.domain.money import Currency
from payfirst.domain.session import Customer
from payfirst.storage.catalogue import service_from_item, service_to_item
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import write
from tests.faults import goods
from tests.faults.book import Book
from tests.faults.front import AnsweredError
from tests.faults.model_table import ModelTable
from tests.faults.rest import settle_down
from tests.faults.services import BEGIN
from tests.faults.world import World, at_work

EXAMPLES: Final = 250
TODAY: Final = BEGIN.date()
HORIZON: Final = TODAY + timedelta(days=400)
ZONES: Final = ("Asia/Kolkata", "Africa/Nairobi", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London", "Asia/Kathmandu")
EDGES: Final = (
    date.min,
    date.max,
    EARLIEST - timedelta(days=1),
    EARLIEST,
    *(day + timedelta(days=by) for day in (TODAY, HORIZON) for by in (-2, -1, 0, 1, 2)),
    date(2028, 2, 29),
    date(9999, 1, 1),
)
DAYS: Final = st.one_of(
    st.dates(TODAY, HORIZON), st.sampled_from(EDGES), st.sampled_from([date.min, date.max]), st.dates(date(1999, 1, 1), HORIZON)
)
HOURS: Final = st.one_of(
    st.sampled_from(["00:00", "23:59:59", "12:00 AM", "11:59 pm", "13:30"]), st.times().map(lambda at: at.strftime("%H:%M"))
)
TEXTS: Final = st.one_of(st.text(max_size=40), st.sampled_from(["\U0001f345" * 500, "x" * 500, "=1+1", "[/bold]", "\u202e"]))
ROUND_THE_CLOCK: Final = Calendar({day: (Opening(time(0), time(0)),) for day in range(7)}, 1440, 1, days_ahead=3650, hold=True)
BY_THE_HOUR: Final = replace(ROUND_THE_CLOCK, slot_minutes=5, capacity=10**6, lead_minutes=527_040, hold=False)
CALENDARS: Final = st.sampled_from([None, None, ROUND_THE_CLOCK, BY_THE_HOUR])
RULES: Final = st.sampled_from(
    [ChangeRules(), ChangeRules(reschedule_hours=8784, refunds=(RefundStep(8784, 99), RefundStep(0, 1)))]
)
WAITS: Final = st.sampled_from([timedelta(0), timedelta(minutes=14), timedelta(hours=20), timedelta(days=30)])

became: Final[Counter[str]] = Counter()
"""What the examples of one test came to."""


@dataclass(slots=True)
class Visit:
    """A customer in a shop of their own, who is refused things."""

    world: World
    who: Customer

    def asks(self, path: str, body: Any = None) -> Any:
        """What is answered; None where it is refused, which is never a crash."""
        try:
            return self.world.http("POST", path, self.who, body)[1]
        except AnsweredError as refused:
            if refused.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT):
                raise
            became["refused"] += 1
            return None

    def pays(self, *, late: bool) -> None:
        """The payer agrees to everything, perhaps after it was declined and an hour has gone by."""
        for ref, payment in self.world.ledger.payments.items():
            if late:
                self.world.ledger.decline(ref)
                self.world.deliver_all()
                self.world.now += timedelta(hours=1)
                payment.state = "open"
            self.world.ledger.pay(ref)
        self.world.deliver_all()

    def ends(self) -> None:
        """Everything comes to rest, and what was paid is somewhere."""
        settle_down(self.world)
        book = Book.of(self.world.items())
        became["outcomes"] += len(book.outcomes)
        became["refunds"] += sum(map(len, book.refunds.values()))
        assert not [ref for ref, attempt in book.attempts.items() if attempt["status"] == "needs_review"]


@contextmanager
def a_visit(*, past: bool, seed: int) -> Iterator[Visit]:
    world = World(ModelTable(), seed=seed, past_dates=past)
    with at_work(world):
        world.stock("1000000")
        yield Visit(world, world.customer())


@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32),
    past=st.sampled_from([False, True]),
    zone=st.sampled_from(ZONES),
    calendar=CALENDARS,
    rules=RULES,
    day=DAYS,
    at=HOURS,
    address=TEXTS,
    late=st.booleans(),
    moves=st.lists(st.tuples(WAITS, DAYS, HOURS), max_size=2),
    cancels=st.sampled_from([True, True, False]),
)
def booked_and_moved(
    seed: int,
    past: bool,  # noqa: FBT001
    zone: str,
    calendar: Calendar | None,
    rules: ChangeRules,
    day: date,
    at: str,
    address: str,
    late: bool,  # noqa: FBT001
    moves: list[tuple[timedelta, date, str]],
    cancels: bool,  # noqa: FBT001
) -> None:
    with a_visit(past=past, seed=seed) as visit:
        world = visit.world
        offered = replace(
            service_from_item(goods.puja_offered(51000, Currency.INR)), zone=zone, calendar=calendar, changes=rules
        )
        write(world.table, Put("service", service_to_item(offered)))
        asked = {"service_type": "PUJA", "puja_service": 1, "selected_date": day.isoformat(), "selected_time": at}
        cart = visit.asks("/api/cart/carts/", {**asked, "address": address})
        payment = visit.asks("/api/payments/process-cart/", {"cart_id": cart["id"]}) if cart else None
        visit.pays(late=late and payment is not None)
        for wait, to, hour in moves:
            world.now += wait
            for booking in _bookings(world):
                world.rescheduled.add(booking)
                wanted = {"selected_date": to.isoformat(), "selected_time": hour}
                visit.asks(f"/api/booking/bookings/{booking}/reschedule/", wanted)
        for booking in _bookings(world) if cancels else ():
            world.given_back.update(world.ledger.payments)
            visit.asks(f"/api/booking/bookings/{booking}/cancel/")
        visit.ends()


def _bookings(world: World) -> list[str]:
    return [str(item["book_id"]) for item in Book.of(world.items()).outcomes]


@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32),
    past=st.sampled_from([False, True]),
    begin=st.sampled_from([timedelta(0), timedelta(hours=12, minutes=59), timedelta(hours=13), timedelta(hours=16)]),
    quantity=st.sampled_from(["0.001", "0.007", "1", "2.5", "1666.333", "1667", "999999.999", "1000000"]),
    day=st.one_of(st.none(), DAYS),
    instructions=TEXTS,
    extends=st.integers(0, 5),
    wait=st.sampled_from([timedelta(0), timedelta(minutes=14), timedelta(minutes=70)]),
    late=st.booleans(),
)
def ordered(
    seed: int,
    past: bool,  # noqa: FBT001
    begin: timedelta,
    quantity: str,
    day: date | None,
    instructions: str,
    extends: int,
    wait: timedelta,
    late: bool,  # noqa: FBT001
) -> None:
    with a_visit(past=past, seed=seed) as visit:
        world = visit.world
        world.now += begin
        place = {"county_id": 1, "subcounty_id": 5, "detailed_address": "123 Main Street"}
        details = {"full_name": "John Doe", "phone_number": world.phone(), **place, "special_instructions": instructions}
        details |= {"estimated_delivery_date": day.isoformat()} if day else {}
        visit.asks("/api/carts/add_item/", {"listing_id": goods.TOMATOES, "quantity": quantity})
        session = visit.asks("/api/payments/sessions/", {"delivery_details": details})
        if session is not None:
            path = f"/api/payments/sessions/{session['session_id']}"
            for _ in range(extends):
                visit.asks(f"{path}/extend_session/")
            world.now += wait
            started = visit.asks(f"{path}/initiate_payment/")
            visit.pays(late=late and started is not None)
        visit.ends()


def test_whatever_is_booked_and_moved_becomes_a_booking_or_a_refund() -> None:
    became.clear()
    booked_and_moved()
    assert min(became["refused"], became["outcomes"], became["refunds"]) > 0, f"nothing was looked at: {became}"


def test_whatever_is_ordered_becomes_an_order_or_a_refund() -> None:
    became.clear()
    ordered()
    assert min(became["refused"], became["outcomes"]) > 0, f"nothing was looked at: {became}"
