"""The totals of a table that an earlier release has filled: counted anew, while the shop goes on and whatever breaks off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

import pytest

from ops.reconcile.comparison import compare
from payfirst.domain.totals import Column, day_of
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Delete, Item, Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.operators.totals import Report, of_days, recount
from tests.faults.book import Book, theirs
from tests.faults.day_totals import totals_agree
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus, surplus_booking
from tests.faults.model_table import ModelTable
from tests.faults.process import at_work
from tests.faults.world import World


def fourfold(world: World) -> None:
    """An order, a booking, a refund that is made, and on the next day one that a person has to see to."""
    paid_order(world)
    paid_booking(world)
    surplus_booking(world)
    world.deliver_all()
    for pause in (1, 10):
        world.now += timedelta(minutes=pause)
        world.sweep()
    world.now += timedelta(days=1)
    surplus(world)
    world.ledger.refuse_reversals = True
    world.now += timedelta(minutes=1)
    world.reconcile()
    world.deliver_all()


@pytest.fixture
def world() -> Iterator[World]:
    made = World(ModelTable(), seed=11)
    with at_work(made):
        made.stock("100")
        fourfold(made)
        yield made


def forgotten(world: World) -> None:
    """As an earlier release leaves the table."""
    for item in world.items():
        if item["pk"].startswith((shop_keys.TOTALS, "MONEY#")):
            write(world.table, Delete("uncounted", keys.key_of(item)))


def report(world: World) -> Report:
    return of_days(world.table, day_of(world.now) - timedelta(days=1), day_of(world.now))


def wrong(world: World) -> list[str]:
    return list(totals_agree(world, Book.of(world.items())))


def test_all_days_together_are_what_both_ledgers_say(world: World) -> None:
    books = compare(theirs(world.ledger), world.items())
    assert books.differences == []
    for gateway, currency in (("MPESA", "KES"), ("PHONEPE", "INR")):
        lines = [line for line in books.lines if (line.gateway, line.currency) == (gateway.lower(), currency)]
        (found,) = (each for each in report(world).together if (each.gateway, each.currency) == (gateway, currency))
        assert found[Column.CAPTURED].minor == sum(line.amount for line in lines) > 0
        assert found[Column.REFUNDED].minor == sum(sum(line.returned) for line in lines)
        is_open = [each.amount for line in lines for each in line.open]
        assert is_open == [f"{found[column]} {currency}" for column in list(Column)[2:] if found.minor[column]]


def test_each_amount_stands_on_its_own_day(world: World) -> None:
    told = [(each.gateway, {at.value: str(each[at]) for at in Column if each.minor[at]}) for each in report(world).days]
    assert told == [
        ("MPESA", {"captured": "350.00"}),
        ("PHONEPE", {"captured": "610.00", "refunded": "100.00"}),
        ("MPESA", {"captured": "100.00", "waiting_for_a_person": "100.00"}),
    ]


def test_what_an_earlier_release_did_not_count_is_counted_once(world: World) -> None:
    before = report(world)
    forgotten(world)
    assert report(world).days == ()
    assert recount(world.table, world.items) == len({item["sk"] for item in world.items() if item["pk"] == shop_keys.TOTALS})
    assert (wrong(world), report(world), recount(world.table, world.items)) == ([], before, 0)


def test_money_that_moves_while_the_table_is_read_is_counted_once(world: World) -> None:
    """Whether it was read or not."""
    forgotten(world)

    def before(items: Callable[[], list[Item]]) -> list[Item]:
        paid_order(world)
        world.deliver_all()
        return items()

    def after(items: Callable[[], list[Item]]) -> list[Item]:
        read = items()
        paid_order(world)
        world.deliver_all()
        return read

    for meanwhile in (before, after):
        reads = count()
        recount(world.table, lambda: meanwhile(world.items) if next(reads) == 0 else world.items())  # noqa: B023
        assert wrong(world) == []


def test_counters_that_stand_for_nothing_are_set_to_nothing(world: World) -> None:
    place = shop_keys.totals(day_of(world.now), "MPESA", "TZS", 0)
    write(world.table, Update("totals", place, add={"captured": 100}))
    assert recount(world.table, world.items) == 1
    assert wrong(world) == []


def test_a_recount_that_broke_off_is_made_again(world: World) -> None:
    forgotten(world)
    read = world.items()
    for far in range(1, len(read), 7):

        def broken(far: int = far) -> Iterator[Item]:
            yield from read[:far]
            raise ConnectionError

        with pytest.raises(ConnectionError):
            recount(world.table, broken)
    recount(world.table, world.items)
    assert wrong(world) == []


def test_money_that_never_stands_still_is_not_counted_for_ever(world: World) -> None:
    places = [keys.key_of(item) for item in world.items() if item["pk"] == shop_keys.TOTALS]
    forgotten(world)

    def moving() -> list[Item]:
        for place in places:
            write(world.table, Update("totals", place, add={"captured": 0}))
        return world.items()

    assert recount(world.table, moving) is None


def test_a_shop_that_sells_during_every_reading_is_counted_all_the_same(world: World) -> None:
    """A payment now and then: what it moved is looked at once more, and what stood still is done with."""
    forgotten(world)
    reads = count()

    def selling() -> list[Item]:
        if next(reads) < 3:
            paid_order(world)
            world.deliver_all()
        return world.items()

    assert recount(world.table, selling) is not None
    assert wrong(world) == []
