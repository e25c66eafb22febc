"""Document A's bookings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time

from payfirst.api.fields import Out
from payfirst.domain.booking import Booking
from payfirst.domain.clock import instant
from payfirst.domain.session import Address


def address_shown(address: Address | None) -> dict[str, str] | str | None:
    """The address as the customer gave it."""
    return dict(address) if isinstance(address, Mapping) else address


class BookingUser(Out):
    """Whose booking it is."""

    id: int | str
    email: str | None


class BookingCartOut(Out):
    """The cart that became the booking."""

    cart_id: str
    total_price: str


class BookingOut(Out):
    """A booking, wherever one is shown."""

    id: int
    book_id: str
    user: BookingUser
    cart: BookingCartOut
    service_type: str
    service_id: int
    package_id: int | None
    selected_date: date
    selected_time: time
    status: str
    total_amount: str
    payment_id: int
    created_at: str
    address: dict[str, str] | str | None
    version: int

    @classmethod
    def of(cls, booking: Booking) -> BookingOut:
        content = booking.content
        return cls(
            id=booking.number,
            book_id=booking.code,
            user=BookingUser(id=booking.owner if booking.user_id is None else booking.user_id, email=booking.email),
            cart=BookingCartOut(cart_id=content.cart_uuid, total_price=str(booking.amount)),
            service_type=content.service_type,
            service_id=content.service_id,
            package_id=content.package_id,
            selected_date=content.day,
            selected_time=content.at,
            status=booking.status,
            total_amount=str(booking.amount),
            payment_id=booking.session_number,
            created_at=instant(booking.created_at),
            address=address_shown(content.address),
            version=booking.version,
        )
