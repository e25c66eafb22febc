"""The table's items by what they are, so that invariants can speak of sessions and attempts instead of keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from payfirst.storage.expressions import Item


@dataclass(slots=True)
class Book:
    """Items by kind. Sessions are found by (owner, number), attempts by their reference, guards by (owner, sort key).

    Slots are found by their whole key, a customer's uses of a promo by (owner, code).
    """

    sessions: dict[tuple[str, int], Item] = field(default_factory=dict)
    attempts: dict[str, Item] = field(default_factory=dict)
    refunds: dict[str, list[Item]] = field(default_factory=dict)
    outcomes: list[Item] = field(default_factory=list)
    guards: dict[tuple[str, str], Item] = field(default_factory=dict)
    phones: list[Item] = field(default_factory=list)
    promos: dict[str, Item] = field(default_factory=dict)
    listings: dict[int, Item] = field(default_factory=dict)
    slots: dict[tuple[str, str], Item] = field(default_factory=dict)
    promo_uses: dict[tuple[str, str], Item] = field(default_factory=dict)
    notices: list[Item] = field(default_factory=list)
    events: list[Item] = field(default_factory=list)
    receipts: dict[tuple[str, str], Item] = field(default_factory=dict)
    reviews: list[Item] = field(default_factory=list)
    others: list[Item] = field(default_factory=list)

    @staticmethod
    def of(items: Iterable[Item]) -> Book:
        book = Book()
        for item in items:
            book.add(item)
        return book

    def add(self, item: Item) -> None:
        partition, sort = item["pk"], item["sk"]
        head, _, rest = partition.partition("#")
        if head == "U":
            self._add_owned(rest, sort, item)
        elif head == "ATT":
            if sort == "ATT":
                self.attempts[rest] = item
            elif sort.startswith("R#"):
                self.refunds.setdefault(rest, []).append(item)
            else:
                self.reviews.append(item)
        elif head == "PHONE":
            self.phones.append(item)
        elif head == "PROMO":
            self.promos[rest] = item
        elif head == "LISTING":
            self.listings[int(sort)] = item
        elif head == "SLOT":
            self.slots[partition, sort] = item
        elif head == "INBOX":
            self.notices.append(item)
        elif head == "RECEIPT":
            gateway, _, number = rest.partition("#")
            self.receipts[gateway, number] = item
        else:
            self.others.append(item)

    def _add_owned(self, sub: str, sort: str, item: Item) -> None:
        kind = sort.partition("#")[0]
        if sort.endswith("#~") or kind == "CART":
            self.others.append(item)
        elif kind == "S":
            self.sessions[sub, int(sort.split("#")[1])] = item
        elif kind == "P":
            self.promo_uses[sub, sort.removeprefix("P#")] = item
        elif kind in ("O", "B"):
            self.outcomes.append(item)
        elif kind in ("C", "V"):
            self.guards[sub, sort] = item
        elif kind == "E":
            self.events.append(item)
        else:
            self.others.append(item)

    def session_of(self, attempt: Item) -> Item:
        return self.sessions[attempt["owner"], int(attempt["session_number"])]

    def guard_of(self, attempt: Item) -> Item:
        return self.guards.get((attempt["owner"], attempt["guard"]["key"]), {})

    def last_refund(self, ref: str) -> Item | None:
        found = self.refunds.get(ref, [])
        return max(found, key=lambda item: int(item["number"])) if found else None
