"""What the table holds about one customer, and the writes that take the person out of it.

For a person at a terminal: attempts and notices lie under names that gateways know, so the whole table is read for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from payfirst.domain.clock import instant
from payfirst.storage import holds
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Delete, Item, Put, Update, Write, absent, equal
from payfirst.storage.dynamodb.table import Table, query_all, scan, transact, write
from payfirst.storage.items import attempt_from_item
from payfirst.storage.personal import NO_WORDS, Words, without_the_person
from payfirst.storage.sessions import count_write

NOBODYS: Final = "erased"
"""In place of the order or booking that a cart version became: late money for it goes back."""

_KINDS: Final[Mapping[str, str]] = {
    keys.SESSION: "sessions",
    keys.CART: "carts",
    keys.PRODUCE_CART: "carts",
    keys.BOOKING: "bookings",
    keys.ORDER: "orders",
    keys.EVENT: "events",
    keys.ATTEMPT: "attempts",
    keys.REFUND: "refunds",
    keys.DOUBT: "doubts",
    keys.NOTICE: "notices",
    keys.GUARD: "guards of cart versions",
    keys.KEPT_ANSWER: "kept answers",
    keys.HOUR: "hourly counters",
    keys.POINTER: "pointers",
}


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything about one customer: what they own, their attempts with all that belongs to them, their notices, and by what
    their payments are found."""

    sub: str
    owned: tuple[Item, ...]
    attempts: tuple[Item, ...]
    notices: tuple[Item, ...]
    phones: tuple[Item, ...]
    findings: tuple[Item, ...] = ()

    def __iter__(self) -> Iterator[Item]:
        """Every item."""
        return iter((*self.owned, *self.attempts, *self.notices, *self.phones, *self.findings))

    def of(self, what: str) -> list[Item]:
        """The customer's sessions, carts, orders or bookings (`keys.SESSION` …)."""
        return [item for item in self.owned if keys.kind_of(item) == what and not keys.is_counter(item)]


def owners_of(table: Table, email: str) -> set[str]:
    """Whose sessions and bookings name that address, in any case of its letters."""
    found = scan(table, "attribute_exists(email)", {}, only="pk, email")
    return {keys.owner_of(item) for item in found if str(item["email"]).casefold() == email.casefold()}


def gather(table: Table, sub: str) -> Holdings:
    """What the table holds about the customer `sub`."""
    owned = tuple(query_all(table, keys.owner(sub)))
    theirs = {":sub": sub, ":attempt": keys.ATTEMPT, ":found": keys.FOUND}
    theirs_or_found = "#owner = :sub AND (sk = :attempt OR begins_with(pk, :found))"
    named = list(scan(table, theirs_or_found, theirs, names={"#owner": "owner"}, only="pk, sk"))
    refs = {keys.ref_of(item) for item in named if keys.is_attempt(item)}
    attempts = tuple(item for ref in sorted(refs) for item in query_all(table, keys.of_attempt(ref)))
    notices = [item for item in scan(table, "sk = :inbox", {":inbox": keys.NOTICE}) if item["ref"] in refs]
    locks = {holds.phone_lock(attempt_from_item(item)) for item in attempts if "phone" in item}
    phones = [item for lock in sorted(locks) for item in query_all(table, keys.of_phone(lock))]
    findings = tuple(item for item in named if keys.is_finding(item))
    return Holdings(sub, owned, attempts, tuple(notices), tuple(phones), findings)


@dataclass(frozen=True, slots=True)
class Change:
    """One step of erasing: the kind of item, and the writes that belong together."""

    kind: str
    writes: tuple[Write, ...]


def changes(held: Holdings) -> list[Change]:
    """What takes the person out of `held`, in an order that may be broken off anywhere.

    First nothing new can be begun from the old; and texts that name the customer go before the items that say what to look for.
    """
    words = Words.of(held)
    planned: list[Change | None] = [
        _close_change(item) for item in held.owned if keys.kind_of(item) == keys.GUARD and "converted_by" not in item
    ]
    for item in sorted(held.owned, key=_says_who):
        planned += _of_owned(held.sub, item, words)
    planned += [_delete_change(keys.pointer(keys.hashed(item["gateway_id"]))) for item in held.attempts if _names_phone(item)]
    planned += [_delete_change(keys.key_of(item), absent("attempt")) for item in held.phones]
    planned += [_delete_change(keys.key_of(item)) for item in held.findings]
    planned += [_clean_change(item, words) for item in sorted((*held.notices, *held.attempts), key=_says_who)]
    return [change for change in planned if change is not None]


def _says_who(item: Item) -> bool:
    return Words.of([item]) != NO_WORDS


def _of_owned(sub: str, item: Item, words: Words) -> list[Change | None]:
    kind = keys.kind_of(item)
    if kind in (keys.KEPT_ANSWER, keys.HOUR):
        return [_delete_change(keys.key_of(item))]
    if kind == keys.PRODUCE_CART:
        return [_delete_change(keys.key_of(item), equal("version", item["version"]))]
    unpaid = kind == keys.CART and "content" in item and "converted_by" not in item
    if unpaid:
        gone = Delete("cart", keys.key_of(item), when=(equal("version", item["version"]), absent("live_attempt")))
        return [Change("carts", (gone, count_write(sub, keys.CART, by=-1)))]
    return [_clean_change(item, words)]


def _close_change(item: Item) -> Change:
    unpaid = (absent("live_attempt"), absent("converted_by"))
    closed = Update("guard", keys.key_of(item), when=unpaid, set={"converted_by": NOBODYS})
    return Change(_kind(item), (closed,))


def _clean_change(item: Item, words: Words) -> Change | None:
    after = without_the_person(item, words)
    changed = {name: value for name, value in after.items() if value != item[name]}
    gone = tuple(name for name in item if name not in after)
    if not changed and not gone:
        return None
    seen = (equal("writer", item["writer"]), absent("due_pk"))
    return Change(_kind(item), (Update("item", keys.key_of(item), when=seen, set=changed, remove=gone),))


def _names_phone(item: Item) -> bool:
    return keys.is_attempt(item) and str(item.get("gateway_id", "")).startswith("ws_")


def _delete_change(key: Mapping[str, str], *when: Any) -> Change:
    return Change(_kind(key), (Delete("item", key, when=when),))


def _kind(item: Mapping[str, Any]) -> str:
    if keys.is_of_phone(item):
        return "phone locks"
    kind = keys.kind_of(item)
    return "entries of the search" if keys.is_finding(item) else _KINDS.get(kind, kind)


def apply(table: Table, change: Change) -> None:
    """Make one step. ConditionFailedError when somebody has changed the item since it was read."""
    if len(change.writes) == 1:
        write(table, change.writes[0])
    else:
        transact(table, change.writes)


def record(table: Table, sub: str, now: datetime, planned: Counter[str], *, by: str, why: str) -> None:
    """Keep that the customer is being erased: when, by whom, why, and how many items of each kind that takes."""
    item = {**keys.erasure(sub, now), "at": instant(now), "by": by, "why": why, "items": dict(planned)}
    # Its key holds the instant, and nobody else writes one.
    write(table, Put("erasure", item))  # nosemgrep: unconditional-put
