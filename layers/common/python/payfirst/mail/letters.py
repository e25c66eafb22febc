"""What each letter says. Its words stand here once; the templates give them two forms, HTML and plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from payfirst.domain import locations
from payfirst.domain.money import Money
from payfirst.domain.refund import WHY_MONEY_GOES_BACK
from payfirst.domain.session import Address, BookingSnapshot, OrderLine, OrderSnapshot, Session
from payfirst.mail.formats import amount_text, day_text, instant_text, slot_text

NAIROBI: Final = "Africa/Nairobi"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a letter is about: the event with its instant and facts, its session as it is now, and the shop's name.

    `content` is what was bought as it stands now: a booking may have moved since its session froze it.
    """

    event: str
    at: datetime
    facts: Mapping[str, Any]
    session: Session
    content: OrderSnapshot | BookingSnapshot
    shop: str

    @property
    def zone(self) -> str:
        """The clock of the service or of the farm's customers."""
        return self.content.zone if isinstance(self.content, BookingSnapshot) else NAIROBI

    @property
    def when(self) -> str:
        """The instant of the event on that clock."""
        return instant_text(self.at, self.zone, self.session.amount.currency)

    @property
    def amount(self) -> str:
        """The amount that the event names."""
        return amount_text(Money(int(self.facts["amount"]), self.session.amount.currency))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: what, in how much detail, for how much."""

    name: str
    detail: str
    amount: str


@dataclass(frozen=True, slots=True)
class Words:
    """A letter before it has a form: `facts` are labels with their texts, `lines` and `sums` a bill."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[Line, ...] = ()
    sums: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it leaves."""

    subject: str
    text: str
    html: str


def _order_confirmed(about: Occasion) -> Words:
    number = about.facts["order_number"]
    order = _order(about)
    return Words(
        subject=f"Your order {number} is confirmed",
        heading="Thank you, your order is confirmed",
        paragraphs=("We have received your payment and are preparing your order.",),
        facts=(("Order", number), ("Ordered", about.when), *_delivery(about, order)),
        lines=tuple(_line(line) for line in order.lines),
        sums=_order_sums(about, order),
    )


def _booking_confirmed(about: Occasion) -> Words:
    code = about.facts["book_id"]
    return Words(
        subject=f"Your booking {code} is confirmed",
        heading="Thank you, your booking is confirmed",
        paragraphs=("We have received your payment. This is your booking:",),
        facts=(("Booking", code), *_service(about)),
        lines=(_package(about),),
        sums=_booking_sums(about),
    )


def _payment_failed(about: Occasion) -> Words:
    failure = about.session.failure
    reason = failure.message if failure else "The payment was not completed."
    again = " You can try again; what you chose is kept for you." if failure is None or failure.retryable else ""
    return Words(
        subject="Your payment did not go through",
        heading="Your payment did not go through",
        paragraphs=(f"{reason}{again}", "Nothing was booked or ordered."),
        facts=(("Amount", amount_text(about.session.amount)), ("Tried", about.when), *_bought(about)),
    )


def _refund_due(about: Occasion) -> Words:
    return Words(
        subject=f"We are sending back {about.amount}",
        heading="Your money is on its way back",
        paragraphs=(_why_back(about), "You do not have to do anything. We write again once it has been sent."),
        facts=(("Amount", about.amount), *_outcome(about), *_bought(about)),
    )


def _refund_paid(about: Occasion) -> Words:
    return Words(
        subject=f"We have sent back {about.amount}",
        heading="Your refund has been sent",
        paragraphs=("Your bank or mobile money account may take a few days to show it.",),
        facts=(("Amount", about.amount), ("Refund", about.facts["refund"]), ("Sent", about.when), *_outcome(about)),
    )


def _order_cancelled(about: Occasion) -> Words:
    number = about.facts["order_number"]
    return Words(
        subject=f"Your order {number} is cancelled",
        heading="Your order is cancelled",
        paragraphs=(str(about.facts["why"]), *_money_back(about)),
        facts=(("Order", number), ("Cancelled", about.when)),
        lines=tuple(_line(line) for line in _order(about).lines),
        sums=_order_sums(about, _order(about)),
    )


def _booking_rescheduled(about: Occasion) -> Words:
    code = about.facts["book_id"]
    return Words(
        subject=f"Your booking {code} has a new time",
        heading="Your booking has a new time",
        paragraphs=("Nothing else has changed, and nothing was charged.",),
        facts=(("Booking", code), *_service(about), *_before(about)),
    )


def _booking_cancelled(about: Occasion) -> Words:
    code = about.facts["book_id"]
    reason = about.facts.get("reason")
    return Words(
        subject=f"Your booking {code} is cancelled",
        heading="Your booking is cancelled",
        paragraphs=_money_back(about),
        facts=(
            ("Booking", code),
            *_service(about),
            ("Cancelled", about.when),
            *((("Reason", str(reason)),) if reason else ()),
        ),
    )


LETTERS: Final[Mapping[str, Callable[[Occasion], Words]]] = {
    "order.created": _order_confirmed,
    "order.cancelled": _order_cancelled,
    "booking.created": _booking_confirmed,
    "booking.rescheduled": _booking_rescheduled,
    "booking.cancelled": _booking_cancelled,
    "payment.failed": _payment_failed,
    "refund.due": _refund_due,
    "refund.refunded": _refund_paid,
}
"""The events that a customer is written to about."""


def write_letter(about: Occasion) -> Letter:
    """The letter for an event of `LETTERS`, in both forms."""
    words = LETTERS[about.event](about)
    given = {"words": words, "shop": about.shop, "name": _name(about)}
    return Letter(
        subject=words.subject,
        text=_templates().get_template("letter.txt").render(given),
        html=_templates().get_template("letter.html").render(given),
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("payfirst.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _name(about: Occasion) -> str | None:
    if about.session.customer.name:
        return about.session.customer.name
    return about.content.delivery.full_name if isinstance(about.content, OrderSnapshot) else None


def _order(about: Occasion) -> OrderSnapshot:
    if not isinstance(about.content, OrderSnapshot):
        raise TypeError(f"{about.event} is about an order")
    return about.content


def _booking(about: Occasion) -> BookingSnapshot:
    if not isinstance(about.content, BookingSnapshot):
        raise TypeError(f"{about.event} is about a booking")
    return about.content


def _line(line: OrderLine) -> Line:
    detail = f"{line.quantity.normalize():f} {line.unit} at {amount_text(line.price)}, {line.farm_name}"
    return Line(line.product_name, detail, amount_text(line.subtotal))


def _package(about: Occasion) -> Line:
    booking = _booking(about)
    return Line(booking.service_name, booking.package_name or "", amount_text(booking.price))


def _order_sums(about: Occasion, order: OrderSnapshot) -> tuple[tuple[str, str], ...]:
    rounding = (("Rounding", amount_text(order.rounding)),) if order.rounding.minor else ()
    promo = _promo(order.promo_code, order.discount)
    return (*promo, ("Delivery", amount_text(order.delivery_fee)), *rounding, ("Paid", amount_text(about.session.amount)))


def _booking_sums(about: Occasion) -> tuple[tuple[str, str], ...]:
    booking = _booking(about)
    return (*_promo(booking.promo_code, booking.discount), ("Paid", amount_text(about.session.amount)))


def _promo(code: str | None, discount: Money | None) -> tuple[tuple[str, str], ...]:
    if discount is None or not discount.minor:
        return ()
    return ((f"Promo {code}", amount_text(Money(-discount.minor, discount.currency))),)


def _delivery(about: Occasion, order: OrderSnapshot) -> tuple[tuple[str, str], ...]:
    delivery = order.delivery
    county, place = locations.county(delivery.county_id), locations.subcounty(delivery.subcounty_id)
    parts = (delivery.full_name, delivery.detailed_address, place.name if place else "", county.name if county else "")
    day = delivery.estimated_delivery_date
    expected = day_text(day, about.session.amount.currency) if day else ""
    wishes = (
        ("Deliver to", ", ".join(part for part in parts if part)),
        ("Expected", ", ".join(part for part in (expected, delivery.delivery_time_slot) if part)),
        ("Instructions", delivery.special_instructions),
    )
    return tuple((label, text) for label, text in wishes if text)


def _service(about: Occasion) -> tuple[tuple[str, str], ...]:
    booking = _booking(about)
    what = ", ".join(part for part in (booking.service_name, booking.package_name) if part)
    when = slot_text(booking.day, booking.at, booking.zone, booking.price.currency)
    where = _address_text(booking.address)
    return (("Service", what), ("When", when), *((("Where", where),) if where else ()))


def _before(about: Occasion) -> tuple[tuple[str, str], ...]:
    """When the booking was to take place before it moved; events of before this was recorded do not say."""
    if "previous_date" not in about.facts:
        return ()
    day, at = date.fromisoformat(about.facts["previous_date"]), time.fromisoformat(about.facts["previous_time"])
    return (("Before", slot_text(day, at, about.zone, about.session.amount.currency)),)


def _address_text(address: Address | None) -> str:
    return ", ".join(address.values()) if isinstance(address, Mapping) else address or ""


def _bought(about: Occasion) -> tuple[tuple[str, str], ...]:
    if isinstance(about.content, BookingSnapshot):
        return _service(about)[:2]
    return (("For", ", ".join(line.product_name for line in about.content.lines)),)


def _outcome(about: Occasion) -> tuple[tuple[str, str], ...]:
    outcome = about.session.outcome
    label = "Order" if isinstance(about.content, OrderSnapshot) else "Booking"
    return ((label, outcome.code),) if outcome else ()


def _why_back(about: Occasion) -> str:
    """The reason for a refund as its customer reads it; what an operator wrote stays with the operators."""
    if about.session.outcome is not None and about.facts.get("refund"):
        return "We are paying this amount back to you."
    why = WHY_MONEY_GOES_BACK.get(about.facts.get("reason", ""))
    return why.message if why else "We received money that we cannot use for anything you chose."


def _money_back(about: Occasion) -> tuple[str, ...]:
    if int(about.facts["amount"]):
        return (f"We are sending back {about.amount}; we write again once it has been sent.",)
    return ("Nothing is left to send back.",) if about.event == "order.cancelled" else ("By its terms nothing is paid back.",)
