"""Counters of what one customer and one phone asked for within an hour; each counts in the write that it counts.

A write that is cancelled counts nothing, and no two can pass a limit side by side. Those of prompts and searches are rubbish
after their hour: only these are left to the table's own expiry. Sessions are counted where the customer's are counted anyhow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from payfirst.domain.cart import ProduceCart
from payfirst.domain.clock import instant
from payfirst.domain.fair_use import FairUse, hour_of
from payfirst.domain.moves import SessionStatus
from payfirst.storage.carts import produce_cart_from_item
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Condition, Item, Update, Write, absent, any_of, at_most, equal
from payfirst.storage.dynamodb.table import Table, batch_get, get
from payfirst.storage.items import session_from_item

SESSIONS, PROMPTS, PHONE_PROMPTS = "hourly_sessions", "hourly_prompts", "hourly_phone_prompts"
SEARCHES: Final = "hourly_searches"
COUNTERS: Final = frozenset({SESSIONS, PROMPTS, PHONE_PROMPTS})
"""The names of the writes that a limit makes fail."""

OPENED: Final = "opened"
"""The name of the write that fails where somebody else has opened a session a moment before."""

MOST_OPEN: Final = 90
"""Sessions of a customer that may be open: what one request reads."""

_KEPT: Final = timedelta(hours=24)
_OPEN: Final = frozenset({SessionStatus.PENDING, SessionStatus.PAYMENT_INITIATED})


@dataclass(frozen=True, slots=True)
class Opened:
    """What counts a customer's sessions: how many there ever were, the numbers of those that may be open still, and how many
    were opened in the clock hour `hour`."""

    count: int
    numbers: tuple[int, ...]
    hour: str
    in_hour: int

    def may_open(self, limits: FairUse, now: datetime) -> bool:
        """Whether the limit of the hour allows one more."""
        return not limits.sessions_per_user or self.hour < _hour(now) or self.in_hour < limits.sessions_per_user


def read_opened(table: Table, sub: str) -> Opened:
    """The sessions that the customer opened since they were last looked up; one read, however many there ever were."""
    return _opened(get(table, keys.counter(sub, keys.SESSION)))


def cart_and_opened(table: Table, sub: str) -> tuple[ProduceCart | None, Opened]:
    """The customer's cart of produce, None before the first thing was put into it, and what `read_opened` says; one request."""
    cart, counter = batch_get(table, [keys.produce_cart(sub), keys.counter(sub, keys.SESSION)])
    return produce_cart_from_item(cart) if cart else None, _opened(counter)


def _opened(counter: Item | None) -> Opened:
    found = counter or {}
    numbers = tuple(map(int, found.get("opened", ())))
    return Opened(int(found.get("n", 0)), numbers, found.get("hour", ""), int(found.get("in_hour", 0)))


def _hour(now: datetime) -> str:
    return instant(hour_of(now))


def still_open(table: Table, sub: str, seen: Opened, now: datetime) -> tuple[list[datetime], list[int]]:
    """Of `seen`, the ends of those that can be paid, or are being paid, as of now; and the numbers of these and of those whose
    payment failed, which can be tried again until their end."""
    items = batch_get(table, [keys.owned(sub, keys.SESSION, number) for number in seen.numbers])
    found = [session_from_item(item) for item in items if item is not None]
    open_now = [session for session in found if session.status_at(now) in _OPEN]
    again = [session for session in found if session.status is SessionStatus.FAILED and session.expires_at > now]
    return [session.expires_at for session in open_now], [session.number for session in (*open_now, *again)][:MOST_OPEN]


def session_write(limits: FairUse, sub: str, seen: Opened, numbers: Iterable[int], now: datetime) -> Write:
    """One more session of the customer, after which `numbers` may be open: if nobody has opened another since `seen`, where a
    number of them may be open; and if the hour's limit still allows one."""
    when: list[Condition] = []
    values: dict[str, Any] = {}
    more = {"n": 1}
    if limits.open_sessions:
        when.append(equal("n", seen.count) if seen.count else absent("n"))
        values["opened"] = list(numbers)
    if limits.sessions_per_user and seen.hour >= _hour(now):  # later where another machine's clock is ahead
        when += [equal("hour", seen.hour), at_most("in_hour", limits.sessions_per_user - 1)]
        more["in_hour"] = 1
    elif limits.sessions_per_user:
        when.append(equal("hour", seen.hour) if seen.hour else absent("hour"))
        values |= {"hour": _hour(now), "in_hour": 1}
    return Update(OPENED, keys.counter(sub, keys.SESSION), when=tuple(when), set=values, add=more)


def prompt_writes(limits: FairUse, sub: str, lock: str | None, now: datetime) -> list[Write]:
    """One more payment that the customer asks for in this hour, if both limits allow it; `lock` is that of the phone that is
    prompted."""
    writes = _count_writes(PROMPTS, keys.hourly(keys.owner(sub), PROMPTS, hour_of(now)), limits.prompts_per_user, now)
    if lock is not None:
        place = keys.of_phone(lock)
        writes += _count_writes(PHONE_PROMPTS, keys.hourly(place, PHONE_PROMPTS, hour_of(now)), limits.prompts_per_phone, now)
    return writes


def search_writes(limit: int, by: str, now: datetime) -> list[Write]:
    """One more search of one of the shop's people in this hour, if `limit` allows it; what stands beside the name in brackets
    may change, and makes nobody somebody else."""
    return _count_writes(SEARCHES, keys.hourly(keys.searcher(by.partition(" (")[0]), SEARCHES, hour_of(now)), limit, now)


def _count_writes(name: str, key: keys.Key, limit: int, now: datetime) -> list[Write]:
    if limit == 0:
        return []
    return [
        Update(
            name,
            key,
            when=(any_of(absent("n"), at_most("n", limit - 1)),),
            set={"ttl": int((now + _KEPT).timestamp())},
            add={"n": 1},
        )
    ]
