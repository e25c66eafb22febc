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
from payfirst.storage.dynamodb.expressions import Delete, Item, Put, Update, Write, absent, equal, from_wire, to_wire
from payfirst.storage.dynamodb.table import Table, query, transact, write
from payfirst.storage.items import attempt_from_item
from payfirst.storage.personal import NO_WORDS, Words, without_the_person
from payfirst.storage.sessions import count_write

NOBODYS: Final = "erased"
"""In place of the order or booking that a cart version became: late money for it goes back."""

_FIRST, _LAST = "!", "~~"
_KINDS: Final[Mapping[str, str]] = {
    "S": "sessions",
    "C": "carts",
    "CART": "carts",
    "B": "bookings",
    "O": "orders",
    "E": "events",
    "ATT": "attempts",
    "R": "refunds",
    "REVIEW": "doubts",
    "INBOX": "notices",
    "V": "guards of cart versions",
    "IDEMPOTENCY": "kept answers",
    "HOUR": "hourly counters",
    "PHONE": "phone locks",
    "PTR": "pointers",
    "FOUND": "entries of the search",
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
        return [item for item in self.owned if item["sk"].startswith(f"{what}#") and not item["sk"].endswith("#~")]


def owners_of(table: Table, email: str) -> set[str]:
    """Whose sessions and bookings name that address, in any case of its letters."""
    found = _scan(table, "attribute_exists(email)", {}, "pk, email")
    return {item["pk"].removeprefix("U#") for item in found if str(item["email"]).casefold() == email.casefold()}


def gather(table: Table, sub: str) -> Holdings:
    """What the table holds about the customer `sub`."""
    owned = tuple(_partition(table, keys.owner(sub)))
    theirs = {":sub": sub, ":attempt": "ATT", ":found": keys.FOUND}
    named = list(_scan(table, "#owner = :sub AND (sk = :attempt OR begins_with(pk, :found))", theirs, "pk, sk"))
    refs = {item["pk"] for item in named if item["sk"] == "ATT"}
    attempts = tuple(item for ref in sorted(refs) for item in _partition(table, ref))
    names = {ref.removeprefix("ATT#") for ref in refs}
    notices = [item for item in _scan(table, "sk = :inbox", {":inbox": "INBOX"}, None) if item["ref"] in names]
    locks = {holds.phone_lock(attempt_from_item(item)) for item in attempts if "phone" in item}
    phones = [item for lock in sorted(locks) for item in _partition(table, keys.phone(lock)["pk"])]
    findings = tuple(item for item in named if item["pk"].startswith(keys.FOUND))
    return Holdings(sub, owned, attempts, tuple(notices), tuple(phones), findings)


def _partition(table: Table, partition: str) -> Iterator[Item]:
    first = _FIRST
    while True:
        page = query(table, partition, first=first, last=_LAST, limit=500, newest_first=False)
        yield from page.items
        if not page.more:
            return
        first = page.items[-1]["sk"] + " "


def _scan(table: Table, condition: str, values: Mapping[str, str], wanted: str | None) -> Iterator[Item]:
    request: dict[str, Any] = {"TableName": table.name, "FilterExpression": condition, "ConsistentRead": True}
    if values:
        request["ExpressionAttributeValues"] = to_wire(values)
    if "#owner" in condition:
        request["ExpressionAttributeNames"] = {"#owner": "owner"}
    if wanted is not None:
        request["ProjectionExpression"] = wanted
    for page in table.client.get_paginator("scan").paginate(**request):
        yield from map(from_wire, page["Items"])


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
        _close_change(item) for item in held.owned if item["sk"].startswith("V#") and "converted_by" not in item
    ]
    for item in sorted(held.owned, key=_says_who):
        planned += _of_owned(held.sub, item, words)
    planned += [_delete_change(keys.pointer(keys.hashed(item["gateway_id"]))) for item in held.attempts if _names_phone(item)]
    planned += [_delete_change(_key(item), absent("attempt")) for item in held.phones]
    planned += [_delete_change(_key(item)) for item in held.findings]
    planned += [_clean_change(item, words) for item in sorted((*held.notices, *held.attempts), key=_says_who)]
    return [change for change in planned if change is not None]


def _says_who(item: Item) -> bool:
    return Words.of([item]) != NO_WORDS


def _of_owned(sub: str, item: Item, words: Words) -> list[Change | None]:
    kind = item["sk"].split("#")[0]
    if kind in ("IDEMPOTENCY", "HOUR"):
        return [_delete_change(_key(item))]
    if kind == "CART":
        return [_delete_change(_key(item), equal("version", item["version"]))]
    unpaid = kind == keys.CART and "content" in item and "converted_by" not in item
    if unpaid:
        gone = Delete("cart", _key(item), when=(equal("version", item["version"]), absent("live_attempt")))
        return [Change("carts", (gone, count_write(sub, keys.CART, by=-1)))]
    return [_clean_change(item, words)]


def _close_change(item: Item) -> Change:
    closed = Update("guard", _key(item), when=(absent("live_attempt"), absent("converted_by")), set={"converted_by": NOBODYS})
    return Change(_kind(item), (closed,))


def _clean_change(item: Item, words: Words) -> Change | None:
    after = without_the_person(item, words)
    changed = {name: value for name, value in after.items() if value != item[name]}
    gone = tuple(name for name in item if name not in after)
    if not changed and not gone:
        return None
    seen = (equal("writer", item["writer"]), absent("due_pk"))
    return Change(_kind(item), (Update("item", _key(item), when=seen, set=changed, remove=gone),))


def _names_phone(item: Item) -> bool:
    return item["sk"] == "ATT" and str(item.get("gateway_id", "")).startswith("ws_")


def _delete_change(key: Mapping[str, str], *when: Any) -> Change:
    return Change(_kind(key), (Delete("item", key, when=when),))


def _key(item: Item) -> keys.Key:
    return {"pk": item["pk"], "sk": item["sk"]}


def _kind(item: Mapping[str, Any]) -> str:
    partition, sort = item["pk"].split("#")[0], item["sk"].split("#")[0]
    return _KINDS.get(partition if partition in ("PHONE", "FOUND") else sort, sort)


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
