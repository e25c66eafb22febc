"""What an e-mail quotes of a purchase: the lines and sums of its bill, and facts as labels with their texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from payfirst.domain import locations
from payfirst.domain.money import Money
from payfirst.domain.session import Address, BookingSnapshot, OrderLine, OrderSnapshot
from payfirst.mail.formats import amount_text, day_text, slot_text
from payfirst.mail.occasion import Occasion
from payfirst.mail.plain import harmless, plain_name


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: what, in how much detail, for how much."""

    name: str
    detail: str
    amount: str


def order_of(about: Occasion) -> OrderSnapshot:
    """What was ordered; TypeError where the event is about a booking."""
    if not isinstance(about.content, OrderSnapshot):
        raise TypeError(f"{about.event} is about an order")
    return about.content


def _booking_of(about: Occasion) -> BookingSnapshot:
    """What was booked; TypeError where the event is about an order."""
    if not isinstance(about.content, BookingSnapshot):
        raise TypeError(f"{about.event} is about a booking")
    return about.content


def order_line(line: OrderLine) -> Line:
    """A line of an order: the product, with its quantity, price and farm."""
    detail = f"{line.quantity.normalize():f} {line.unit} at {amount_text(line.price)}, {line.farm_name}"
    return Line(line.product_name, detail, amount_text(line.subtotal))


def package_line(about: Occasion) -> Line:
    """The one line of a booking: the service with its package, at its price before a promo."""
    booking = _booking_of(about)
    return Line(booking.service_name, booking.package_name or "", amount_text(booking.price))


def order_sums(about: Occasion, order: OrderSnapshot) -> tuple[tuple[str, str], ...]:
    """What follows the lines of an order: promo, delivery and rounding where they apply, and what was paid."""
    rounding = (("Rounding", amount_text(order.rounding)),) if order.rounding.minor else ()
    promo = _promo(order.promo_code, order.discount)
    return (*promo, ("Delivery", amount_text(order.delivery_fee)), *rounding, ("Paid", amount_text(about.session.amount)))


def booking_sums(about: Occasion) -> tuple[tuple[str, str], ...]:
    """What follows the line of a booking: the promo where there is one, and what was paid."""
    booking = _booking_of(about)
    return (*_promo(booking.promo_code, booking.discount), ("Paid", amount_text(about.session.amount)))


def _promo(code: str | None, discount: Money | None) -> tuple[tuple[str, str], ...]:
    if discount is None or not discount.minor:
        return ()
    return ((f"Promo {code}", amount_text(Money(-discount.minor, discount.currency))),)


def delivery_facts(about: Occasion, order: OrderSnapshot) -> tuple[tuple[str, str], ...]:
    """Where and when an order is delivered, as far as its customer said."""
    delivery = order.delivery
    county, place = locations.county(delivery.county_id), locations.subcounty(delivery.subcounty_id)
    address = harmless(delivery.detailed_address)
    parts = (plain_name(delivery.full_name) or "", address, place.name if place else "", county.name if county else "")
    day = delivery.estimated_delivery_date
    expected = day_text(day, about.session.amount.currency) if day else ""
    wishes = (
        ("Deliver to", ", ".join(part for part in parts if part)),
        ("Expected", ", ".join(part for part in (expected, harmless(delivery.delivery_time_slot)) if part)),
        ("Instructions", harmless(delivery.special_instructions)),
    )
    return tuple((label, text) for label, text in wishes if text)


def service_facts(about: Occasion) -> tuple[tuple[str, str], ...]:
    """Which service is booked, when, and where if its customer said so."""
    booking = _booking_of(about)
    what = ", ".join(part for part in (booking.service_name, booking.package_name) if part)
    when = slot_text(booking.day, booking.at, booking.zone, booking.price.currency)
    where = _address_text(booking.address)
    return (("Service", what), ("When", when), *((("Where", where),) if where else ()))


def time_before(about: Occasion) -> tuple[tuple[str, str], ...]:
    """When the booking was to take place before it moved; events of before this was recorded do not say."""
    if "previous_date" not in about.facts:
        return ()
    day, at = date.fromisoformat(about.facts["previous_date"]), time.fromisoformat(about.facts["previous_time"])
    return (("Before", slot_text(day, at, about.zone, about.session.amount.currency)),)


def _address_text(address: Address | None) -> str:
    return harmless(", ".join(address.values()) if isinstance(address, Mapping) else address or "")


def bought_facts(about: Occasion) -> tuple[tuple[str, str], ...]:
    """What the payment is for, in a line or two."""
    if isinstance(about.content, BookingSnapshot):
        return service_facts(about)[:2]
    return (("For", ", ".join(line.product_name for line in about.content.lines)),)


def receipt_facts(about: Occasion) -> tuple[tuple[str, str], ...]:
    """The gateway's receipt, where one is known."""
    return (("Receipt", harmless(about.receipt)),) if about.receipt else ()


def outcome_facts(about: Occasion) -> tuple[tuple[str, str], ...]:
    """The order number or the booking code; nothing where the payment made neither."""
    outcome = about.session.outcome
    label = "Order" if isinstance(about.content, OrderSnapshot) else "Booking"
    return ((label, outcome.code),) if outcome else ()
