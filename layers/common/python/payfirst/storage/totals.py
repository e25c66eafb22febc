"""The counters of the shop's money by day: moved by the very transactions that move the money, which happen once.

Each day, gateway and currency has a counter in each of eight shards, so that payments which end at the same moment are seldom
in each other's way; all that moves one payment's money moves one shard. Beside them each amount that came or went back has an
entry under its day.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from payfirst.domain.attempt import Attempt
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, RefundStatus
from payfirst.domain.refund import Refund
from payfirst.domain.totals import OF_REFUND, Column, Totals, day_of
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item, Update, absent, equal
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, query_all, write

ENTRY: Final = "entry"
_LAST: Final = "~"


class Amount(NamedTuple):
    """Minor units that stand in a column from now on, under the day of `at`; below zero, that do no more."""

    at: datetime
    column: Column
    minor: int


# What the writes of money move


def capture_writes(attempt: Attempt, amount: Money, at: datetime) -> list[Update]:
    """`amount` of `attempt` came at `at`."""
    entry = shop_keys.money(Column.CAPTURED, day_of(at), at, attempt.ref)
    # Nobody else has the reference, so the entry needs no condition.
    return [*_day_writes(attempt, [Amount(at, Column.CAPTURED, amount.minor)]), Update(ENTRY, entry, set={"ref": attempt.ref})]


def review_writes(attempt: Attempt) -> list[Update]:
    """Nothing can be made of what `attempt` brought; nothing moves where it has brought nothing yet."""
    return _day_writes(attempt, _waiting(attempt, 1))


def settle_writes(attempt: Attempt) -> list[Update]:
    """Something was made of what `attempt`, as it was read, brought; nothing moves where no person had it."""
    return _day_writes(attempt, _no_longer_waiting(attempt))


def owe_writes(refund: Refund, instead_of: Attempt | None = None) -> list[Update]:
    """`refund` is owed from now on; `instead_of` is its attempt, as it was read, where that may have waited for a person."""
    return _day_writes(refund, [*(_no_longer_waiting(instead_of) if instead_of else ()), *_standing(refund, 1)])


def refund_end_writes(refund: Refund, status: RefundStatus, at: datetime) -> list[Update]:
    """`refund`, as it was read, went back at `at`, or a person has to see to it: then it stays under the day it was owed on."""
    if status is not RefundStatus.REFUNDED:
        return _day_writes(refund, [*_standing(refund, -1), *_standing(refund, 1, status)])
    back = Amount(at, Column.REFUNDED, refund.amount.minor)
    entry = shop_keys.money(Column.REFUNDED, day_of(at), at, refund.refund_id)
    there = Update(ENTRY, entry, set={"ref": refund.ref, "number": refund.number})
    return [*_day_writes(refund, [*_standing(refund, -1), back]), there]


def refund_replace_writes(refund: Refund, following: Refund) -> list[Update]:
    """`following` is owed in place of `refund`, as it was read, which failed."""
    return _day_writes(refund, [*_standing(refund, -1), *_standing(following, 1)])


def _waiting(attempt: Attempt, sign: int) -> list[Amount]:
    if attempt.captured is None:
        return []
    return [Amount(attempt.captured_at or attempt.created_at, Column.WAITING, sign * attempt.captured.minor)]


def _no_longer_waiting(attempt: Attempt) -> list[Amount]:
    return _waiting(attempt, -1) if attempt.status is AttemptStatus.NEEDS_REVIEW else []


def _standing(refund: Refund, sign: int, status: RefundStatus | None = None) -> list[Amount]:
    column = OF_REFUND[status or refund.status]
    return [Amount(refund.created_at, column, sign * refund.amount.minor)] if column else []


def _day_writes(of: Attempt | Refund, amounts: Sequence[Amount]) -> list[Update]:
    """One write for each day, also where its amounts come to nothing: whoever counts anew sees that they moved."""
    days: defaultdict[date, Counter[Column]] = defaultdict(Counter)
    for at, column, minor in amounts:
        days[day_of(at)][column] += minor
    shard = keys.shard_of(keys.attempt(of.ref))
    changed = {day: {column.value: minor for column, minor in sums.items() if minor} for day, sums in days.items()}
    return [
        Update(f"totals{number}", shop_keys.totals(day, of.gateway, of.amount.currency, shard), add=sums)
        for number, (day, sums) in enumerate(changed.items())
    ]


# What they come to


def of_days(table: Table, first: date, last: date) -> tuple[Totals, ...]:
    """What moved from the day `first` to `last`, both included, by day, gateway and currency; nothing of what is all zero."""
    found: defaultdict[tuple[str, str, str], Counter[Column]] = defaultdict(Counter)
    for item in counters(table, first.isoformat(), f"{last.isoformat()}{_LAST}"):
        found[shop_keys.totals_of(item)].update({column: int(item.get(column.value, 0)) for column in Column})
    return tuple(
        Totals(date.fromisoformat(day), gateway, Currency(currency), sums)
        for (day, gateway, currency), sums in sorted(found.items())
        if any(sums.values())
    )


def counters(table: Table, first: str = " ", last: str = _LAST) -> Iterator[Item]:
    """The counters with sort keys from `first` to `last`, by day."""
    yield from query_all(table, shop_keys.TOTALS, first=first, last=last)


class Entry(NamedTuple):
    """What came or went back: the reference of its attempt, and the refund's number where it is one."""

    ref: str
    number: int | None


def entries(table: Table, column: Column, day: date) -> Iterator[Entry]:
    """What came (`CAPTURED`) or went back (`REFUNDED`) on `day`, oldest first."""
    for item in query_all(table, shop_keys.money_of_day(column, day)):
        yield Entry(item["ref"], int(item["number"]) if "number" in item else None)


# What an earlier release did not count


def standing(found: Attempt | Refund) -> list[Update]:
    """What would have been written until now for an attempt or a refund that stands as it was read."""
    if isinstance(found, Refund):
        if found.status is RefundStatus.REFUNDED:
            before = replace(found, status=RefundStatus.FAILED)
            return refund_end_writes(before, found.status, found.ended_at or found.created_at)
        return _day_writes(found, _standing(found, 1))
    if found.captured is None:
        return []
    waiting = review_writes(found) if found.status is AttemptStatus.NEEDS_REVIEW else []
    return [*capture_writes(found, found.captured, found.captured_at or found.created_at), *waiting]


class Recounted(StrEnum):
    """What became of a counter that was compared: it was right, it was set, or it has moved since and is left alone."""

    RIGHT = "right"
    SET = "set"
    MOVED = "moved"


def set_counter(table: Table, place: keys.Place, seen: Item | None, sums: Mapping[str, int]) -> Recounted:
    """Set the counter at `place`, as it was `seen` (None: not there), to `sums`, where it says something else."""
    wanted = {column.value: sums.get(column.value, 0) for column in Column}
    if wanted == {column: int((seen or {}).get(column, 0)) for column in wanted}:
        return Recounted.RIGHT
    still = equal("writer", seen["writer"]) if seen else absent("pk")
    try:
        write(table, Update("totals", keys.key_at(place), when=(still,), set=wanted))
    except ConditionFailedError:
        return Recounted.MOVED
    return Recounted.SET
