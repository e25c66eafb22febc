"""What an attempt takes for itself and gives back: the cart version, the phone, stock, a use of a promo, a slot."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.session import BookingSnapshot, Kind, OrderSnapshot
from payfirst.storage import promos, slots
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Condition, Update, Write, absent, any_of, at_least, at_most, equal

ATTEMPT: Final = "attempt"
GUARD: Final = "guard"
PHONE: Final = "phone"


def guard_key(attempt: Attempt) -> keys.Key:
    """The guard of the cart version that the attempt pays for."""
    return keys.guard(attempt.owner, attempt.guard.key)


def guard_free(attempt: Attempt) -> tuple[Condition, ...]:
    """The cart version is neither paid for nor being paid for; in document A the cart must still be there, as it was."""
    unchanged = (equal("version", attempt.guard.version),) if attempt.kind is Kind.BOOKING else ()
    return (absent("live_attempt"), absent("converted_by"), *unchanged)


def phone_lock(attempt: Attempt) -> str:
    """The name of the lock of the attempt's phone; earlier releases called it by a bare hash of the number."""
    return attempt.phone_lock or keys.hashed(attempt.phone or "")


def phone_write(attempt: Attempt, now: datetime, pace_until: datetime) -> Update:
    """The phone is prompted for this attempt alone, if it is free and was not prompted a moment ago."""
    return Update(
        PHONE,
        keys.phone(phone_lock(attempt)),
        when=(absent("attempt"), any_of(absent("next_push_at"), at_most("next_push_at", instant(now)))),
        set={"attempt": attempt.ref, "next_push_at": instant(pace_until)},
    )


def stock_write(listing: int, quantity: Decimal) -> Update:
    """So much of the listing is kept for an attempt, if it is there."""
    return Update(
        f"listing:{listing}",
        shop_keys.listing(listing),
        when=(at_least("available", quantity),),
        add={"available": -quantity, "held": quantity},
    )


def renewal(attempt: Attempt, now: datetime) -> dict[str, str]:
    """In document A the guard is the cart, and beginning to pay renews it."""
    return {"touched_at": instant(now)} if attempt.kind is Kind.BOOKING else {}


def promo_and_slot_writes(snapshot: OrderSnapshot | BookingSnapshot, attempt: Attempt) -> list[Write]:
    """The promo's use and the slot that an attempt holds while it is open."""
    writes: list[Write] = []
    if attempt.held_promo:
        writes += promos.take_writes(attempt.held_promo, attempt.owner, snapshot.promo_limit)
    if attempt.held_slot and isinstance(snapshot, BookingSnapshot) and snapshot.capacity is not None:
        writes.append(slots.take_write(attempt.held_slot, snapshot.capacity, held=1))
    return writes


def release_writes(attempt: Attempt) -> list[Write]:
    """What an unresolved attempt holds, given back: the cart version, the phone, the promo's use, the stock, the slot."""
    writes: list[Write] = [free_guard_write(attempt)]
    if attempt.phone:
        writes.append(free_phone_write(attempt))
    return [*writes, *free_writes(attempt)]


def free_writes(attempt: Attempt) -> list[Write]:
    """The promo's use, the stock and the slot that the attempt held, given back to others."""
    writes: list[Write] = [
        Update(
            f"listing:{number}",
            shop_keys.listing(number),
            when=(at_least("held", quantity),),
            add={"available": quantity, "held": -quantity},
        )
        for number, quantity in attempt.held_stock
    ]
    if attempt.held_promo:
        writes += promos.free_writes(attempt.held_promo, attempt.owner)
    if attempt.held_slot:
        writes.append(slots.free_write(attempt.held_slot, held=1))
    return writes


def free_guard_write(attempt: Attempt) -> Update:
    """The cart version may be paid for by another attempt."""
    return Update(GUARD, guard_key(attempt), when=(equal("live_attempt", attempt.ref),), remove=("live_attempt",))


def free_phone_write(attempt: Attempt) -> Update:
    """The phone may be prompted again."""
    return Update(PHONE, keys.phone(phone_lock(attempt)), when=(equal("attempt", attempt.ref),), remove=("attempt",))
