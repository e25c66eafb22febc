"""Stock, slots and uses of promo codes after any order of their writes: never below zero, never above a limit, nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from payfirst.domain.calendar import Slot
from payfirst.domain.catalogue import Listing
from payfirst.domain.clock import Deadline
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import Promo
from payfirst.storage import catalogue, holds, promos, slots
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item, Put, Update, Write, at_least
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, get, transact, write
from tests.faults.model_table import ModelTable

START: Final = Decimal("7.5")
CAPACITY: Final = 3
USES, OWN_USES = 4, 2
SLOT: Final = Slot("PUJA", 1, date(2026, 7, 20), time(10, 30))
QUANTITIES: Final = st.sampled_from([Decimal("0.5"), Decimal(1), Decimal("2.25"), Decimal(5)])
PEOPLE: Final = st.sampled_from(["amina", "john", "wanjiru"])
STEPS: Final = 40


@dataclass(slots=True)
class Books:
    """What was granted, kept beside the table: the truth that its counters have to tell."""

    held: list[Decimal] = field(default_factory=list)
    sold: list[Decimal] = field(default_factory=list)
    places: int = 0
    held_places: int = 0
    taken: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)


class Counts(RuleBasedStateMachine):
    """Payments that begin, fail, succeed, come late, and are cancelled, as the writes that they make on what is scarce."""

    def __init__(self) -> None:
        super().__init__()
        client: Any = ModelTable()
        self.table = Table(client, "model", Deadline(lambda: 25.0), pause=lambda _: None)
        self.books = Books()
        catalogue.add(self.table, Listing(1, "Kale", "Hill Farm", "kg", Money(2000, Currency.KES), START))
        promo = Promo("FIVE", Currency.KES, amount=Money(100, Currency.KES), most_uses=USES)
        write(self.table, Put("promo", catalogue.promo_to_item(promo)))

    def _granted(self, writes: Sequence[Write]) -> bool:
        try:
            transact(self.table, list(writes))
        except ConditionFailedError:
            return False
        return True

    def _stock(self, what: str, to: str, quantity: Decimal) -> Update:
        return Update("listing:1", shop_keys.listing(1), when=(at_least(what, quantity),), add={what: -quantity, to: quantity})

    @rule(quantity=QUANTITIES)
    def stock_is_held(self, quantity: Decimal) -> None:
        left = START - sum(self.books.held) - sum(self.books.sold)
        granted = self._granted([holds.stock_write(1, quantity)])
        assert granted is (quantity <= left)
        if granted:
            self.books.held.append(quantity)

    @rule(number=st.integers(0, 9), pays=st.booleans())
    def a_hold_ends(self, number: int, pays: bool) -> None:  # noqa: FBT001 - hypothesis names it
        if self.books.held:
            quantity = self.books.held.pop(number % len(self.books.held))
            assert self._granted([self._stock("held", "sold" if pays else "available", quantity)])
            if pays:
                self.books.sold.append(quantity)

    @rule(quantity=QUANTITIES)
    def late_money_buys(self, quantity: Decimal) -> None:
        left = START - sum(self.books.held) - sum(self.books.sold)
        granted = self._granted([self._stock("available", "sold", quantity)])
        assert granted is (quantity <= left)
        if granted:
            self.books.sold.append(quantity)

    @rule(number=st.integers(0, 9))
    def an_order_is_cancelled(self, number: int) -> None:
        if self.books.sold:
            quantity = self.books.sold.pop(number % len(self.books.sold))
            assert self._granted([self._stock("sold", "available", quantity)])

    @rule(held=st.booleans())
    def a_place_is_taken(self, held: bool) -> None:  # noqa: FBT001 - hypothesis names it
        granted = self._granted([slots.take_write(SLOT, CAPACITY, held=int(held))])
        assert granted is (self.books.places < CAPACITY)
        self.books.places += granted
        self.books.held_places += granted and held

    @rule(pays=st.booleans())
    def a_held_place_ends(self, pays: bool) -> None:  # noqa: FBT001 - hypothesis names it
        granted = self._granted([slots.use_write(SLOT) if pays else slots.free_write(SLOT, held=1)])
        assert granted is (self.books.held_places > 0)
        self.books.held_places -= granted
        self.books.places -= granted and not pays

    @rule()
    def a_booking_leaves_its_place(self) -> None:
        if self.books.places > self.books.held_places:
            assert self._granted([slots.free_write(SLOT)])
            self.books.places -= 1

    @rule(sub=PEOPLE, at_once=st.booleans())
    def a_use_is_taken(self, sub: str, at_once: bool) -> None:  # noqa: FBT001 - hypothesis names it
        everybody = [*self.books.taken, *self.books.used]
        granted = self._granted(promos.take_writes("FIVE", sub, OWN_USES, used=int(at_once)))
        assert granted is (len(everybody) < USES and everybody.count(sub) < OWN_USES)
        if granted:
            (self.books.used if at_once else self.books.taken).append(sub)

    @rule(number=st.integers(0, 9), pays=st.booleans())
    def a_held_use_ends(self, number: int, pays: bool) -> None:  # noqa: FBT001 - hypothesis names it
        if self.books.taken:
            sub = self.books.taken.pop(number % len(self.books.taken))
            assert self._granted((promos.use_writes if pays else promos.free_writes)("FIVE", sub))
            if pays:
                self.books.used.append(sub)

    def _item(self, key: keys.Key) -> Item:
        return get(self.table, key) or {}

    @invariant()
    def the_counters_tell_the_truth(self) -> None:
        stock, slot, promo = (self._item(key) for key in (shop_keys.listing(1), slots.key(SLOT), shop_keys.promo("FIVE")))
        assert (stock["held"], stock["sold"]) == (sum(self.books.held), sum(self.books.sold))
        assert stock["available"] + stock["held"] + stock["sold"] == START
        assert min(stock["available"], stock["held"], stock["sold"]) >= 0
        assert (slot.get("used", 0), slot.get("held", 0)) == (self.books.places, self.books.held_places)
        assert slot.get("used", 0) <= CAPACITY
        assert (promo["taken"], promo["used"]) == (len(self.books.taken) + len(self.books.used), len(self.books.used))
        assert promo["taken"] <= USES


TestCounts = Counts.TestCase
TestCounts.settings = settings(max_examples=60, stateful_step_count=STEPS, deadline=None)
