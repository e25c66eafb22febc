"""What stands in somebody's table is read by every later release, and what a release does not understand it does not touch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest

from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb import due_index, schema
from payfirst.storage.dynamodb.expressions import Put, Update, from_wire, render
from payfirst.storage.dynamodb.failures import StorageError
from payfirst.storage.dynamodb.schema import NewerItemError, upgraded
from payfirst.storage.dynamodb.table import Table, get, write
from tests.faults import front, stored
from tests.faults.attacks.meanwhile import place_of
from tests.faults.flows.base import paid_booking, paid_order
from tests.faults.front import AnsweredError
from tests.faults.model_table import ModelTable
from tests.faults.process import at_work
from tests.faults.seam import Fault
from tests.faults.world import World

SOON: Final = timedelta(minutes=2)
NEWER: Final = {"N": str(schema.VERSION + 1)}
VERSIONS: Final = range(1, schema.VERSION + 1)
KEPT: Final = {version: stored.load(version) for version in VERSIONS}
SAYS: Final = """
What is stored no longer has the form that tests/faults/stored holds for this version: an attribute is gone or has another type.
That is a new version: docs/upgrade.md."""


def loses(expected: Any, actual: Any) -> bool:
    """Whether `actual` lacks or contradicts anything of `expected`; what it has beyond that is new."""
    if isinstance(expected, Mapping):
        return not isinstance(actual, Mapping) or any(
            name not in actual or loses(value, actual[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(expected) != len(actual) or any(loses(*pair) for pair in zip(expected, actual, strict=True))
    return bool(expected != actual)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_item_that_a_release_ever_wrote_still_reads_as_what_it_was(version: int) -> None:
    read = 0
    for kind, items in KEPT[version].items():
        for each in items:
            said = stored.read_as(kind, stored.from_json(each["item"]))
            assert not loses(each["read_as"], said), f"{kind} of version {version}: {each['item']['pk']} {each['item']['sk']}"
            read += said is not None
    assert read > 40
    assert set(stored.READERS) <= set(KEPT[version])


def differences(today: Mapping[str, list[Any]], kept: Mapping[str, list[Any]]) -> list[str]:
    """What of the kept forms is gone or has another type; what is new beside them needs no version."""
    now, then = stored.forms_of(today), stored.forms_of(kept)
    return sorted(
        f"{kind}{path}: {types} became {now.get(kind, {}).get(path)}"
        for kind, paths in then.items()
        for path, types in paths.items()
        if now.get(kind, {}).get(path) != types
    )


def test_what_is_stored_today_has_the_forms_that_are_kept_for_its_version() -> None:
    kept = {kind: [stored.from_json(each["item"]) for each in items] for kind, items in KEPT[schema.VERSION].items()}
    assert differences(stored.gathered(), kept) == [], SAYS


def test_an_attribute_that_is_gone_or_has_another_type_would_be_seen_and_a_new_one_is_let_pass() -> None:
    today = stored.gathered()
    orders = today["order"]
    retyped = {**today, "order": [{**order, "amount": {"S": "350.00"}} for order in orders]}
    gone = {**today, "order": [{name: value for name, value in order.items() if name != "receipt"} for order in orders]}
    more = {**today, "order": [{**order, "colour": {"S": "red"}} for order in orders]}

    assert differences(retyped, today) == ["order.amount: {'N'} became {'S'}"]
    assert differences(gone, today) == ["order.receipt: {'S'} became None"]
    assert differences(more, today) == []


def test_what_was_read_before_has_to_be_read_as_before() -> None:
    assert loses({"amount": 35000, "lines": [{"unit": "kg"}]}, {"amount": 35000, "lines": [{"unit": None}], "new": 1})
    assert not loses({"amount": 35000}, {"amount": 35000, "new": 1})


def renamed(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"given": item["name"]} if "given" not in item else {}


def doubled(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"amount": item["amount"] * 2}


STEPS: Final = {1: renamed, 2: doubled}


def test_an_item_of_an_older_version_takes_every_step_in_order() -> None:
    read = upgraded({"schema_v": 1, "name": "Amina", "amount": 2}, version=3, steps=STEPS)
    assert read == {"schema_v": 3, "name": "Amina", "given": "Amina", "amount": 4}


def test_a_step_finds_what_a_newer_release_has_set_on_an_older_item_and_leaves_it() -> None:
    read = upgraded({"schema_v": 1, "name": "Amina", "given": "Wanjiru", "amount": 2}, version=2, steps=STEPS)
    assert read == {"schema_v": 2, "name": "Amina", "given": "Wanjiru", "amount": 2}


@pytest.mark.parametrize("item", [{"schema_v": 2, "amount": 2}, {"pk": "COUNTS", "n": 7}])
def test_an_item_of_this_version_or_of_none_is_read_as_it_is(item: dict[str, Any]) -> None:
    assert upgraded(dict(item), version=2, steps=STEPS) == item


def test_there_is_a_step_from_every_version_before_this_one() -> None:
    assert set(schema.STEPS) == set(range(1, schema.VERSION))


def test_an_update_does_not_call_an_older_item_newer_than_its_form() -> None:
    _, put = render(Put("cart", {"pk": "U#1", "sk": "CART"}), "table", "writer")
    _, update = render(Update("cart", {"pk": "U#1", "sk": "CART"}, set={"n": 1}), "table", "writer")
    assert put["Item"]["schema_v"] == {"N": str(schema.VERSION)}
    assert "schema_v" not in str(update)


def test_an_item_of_a_newer_release_is_not_read_and_an_operator_is_told(caplog: pytest.LogCaptureFixture) -> None:
    table = Table(ModelTable(), "model", Deadline(lambda: 5.0))  # type: ignore[arg-type]
    write(table, Put("cart", {"pk": "U#1", "sk": "CART"}))
    table.client.items["U#1", "CART"]["schema_v"] = NEWER  # type: ignore[attr-defined]

    with pytest.raises(NewerItemError):
        get(table, {"pk": "U#1", "sk": "CART"})
    [said] = [record for record in caplog.records if record.message == "item.newer"]
    assert said.levelname == "ERROR"
    assert "U#1" not in str(said.__dict__)


def test_a_payment_that_a_newer_release_has_taken_up_is_left_to_it() -> None:
    world = World(ModelTable(), seed=6)
    with at_work(world):
        world.stock()
        started = paid_order(world)
        key = (f"ATT#{started.attempt.ref}", "ATT")
        world.client.items[key] = {**world.client.items[key], "schema_v": NEWER}
        before = dict(world.client.items)
        notice = world.ledger.notices[0]

        with pytest.raises(AnsweredError) as refused:
            world.deliver(notice)
        world.now += SOON
        report = world.reconcile()

    assert refused.value.status == 503
    assert (report.examined, report.failed) == (1, 1)
    assert world.client.items == before


def test_other_payments_are_settled_beside_one_that_this_release_does_not_understand() -> None:
    world = World(ModelTable(), seed=7)
    with at_work(world):
        world.stock()
        theirs, ours = paid_order(world), paid_order(world)
        key = (f"ATT#{theirs.attempt.ref}", "ATT")
        world.client.items[key] = {**world.client.items[key], "schema_v": NEWER}
        world.now += SOON
        report = world.reconcile()

    assert (report.failed, report.settled) == (1, {"fulfilled": 1})
    assert from_wire(world.client.items[f"ATT#{ours.attempt.ref}", "ATT"])["status"] == "succeeded"


def by_a_newer_release(world: World, key: tuple[str, str]) -> dict[str, Any]:
    """The item at `key`, as a newer release has left it."""
    world.client.items[key] = {**world.client.items[key], "schema_v": NEWER}
    return dict(world.client.items[key])


def keys_of(world: World, sort: str) -> list[tuple[str, str]]:
    return sorted((item["pk"], item["sk"]) for item in world.items() if item["sk"].startswith(sort))


def test_other_sessions_expire_beside_one_that_this_release_does_not_understand() -> None:
    world = World(ModelTable(), seed=8)
    with at_work(world):
        world.stock()
        sessions = [world.session(world.customer()) for _ in range(3)]
        theirs = place_of(sessions[0])
        before = by_a_newer_release(world, (theirs["pk"], theirs["sk"]))
        world.now += timedelta(hours=1)
        report = world.expire()

    assert (report.expired, report.failed, report.finished) == (2, 1, True)
    assert world.client.items[theirs["pk"], theirs["sk"]] == before


def test_other_bookings_are_completed_beside_one_that_this_release_does_not_understand() -> None:
    world = World(ModelTable(), seed=9)
    with at_work(world):
        for _ in range(3):
            paid_booking(world)
        world.deliver_all()
        theirs, *_ = keys_of(world, "B#0")
        before = by_a_newer_release(world, theirs)
        world.now += timedelta(days=365)
        report = front.schedule("expire_sessions")["bookings"]

    assert (report["completed"], report["failed"], report["finished"]) == (2, 1, True)
    assert world.client.items[theirs] == before


def test_other_events_leave_beside_one_that_this_release_does_not_understand() -> None:
    world = World(ModelTable(), seed=10)
    with at_work(world):
        world.stock()
        for _ in range(3):
            world.session(world.customer())
        theirs, *_ = keys_of(world, "E#")
        before = by_a_newer_release(world, theirs)
        report = world.deliver_events()

    assert (report["delivered"], report["failed"], report["finished"]) == (2, 1, True)
    assert world.client.items[theirs] == before


def test_other_letters_leave_beside_one_that_this_release_does_not_understand() -> None:
    world = World(ModelTable(), seed=11, writes_letters=True)
    with at_work(world):
        world.stock()
        for _ in range(3):
            paid_order(world)
        world.deliver_all()
        world.post.refuse = 3
        world.deliver_events()
        theirs = next((item["pk"], item["sk"]) for item in world.items() if str(item.get("due_pk")).startswith(due_index.MAIL))
        before = by_a_newer_release(world, theirs)
        world.now += timedelta(minutes=10)
        mail = world.deliver_events()["mail"]

    assert (mail["sent"], mail["failed"], mail["finished"]) == (2, 1, True)
    assert world.client.items[theirs] == before


@pytest.mark.parametrize("function", ["expire_sessions", "deliver_events"])
def test_a_table_that_cannot_be_reached_ends_the_run(function: str) -> None:
    world = World(ModelTable(), seed=11)
    with at_work(world):
        world.stock()
        for _ in range(2):
            world.session(world.customer())
        world.now += timedelta(hours=1)
        world.seam.active = True
        world.seam.plan = lambda boundary: Fault.LOST_REQUEST if boundary.operation == "BatchGetItem" else None
        with pytest.raises(StorageError):
            front.schedule(function)
        asked = [boundary.operation for boundary in world.seam.made]
    assert asked.count("BatchGetItem") == 1
