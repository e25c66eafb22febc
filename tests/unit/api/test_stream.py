"""What the table's stream tells `deliver_events`, and how it shares the outbox with the schedule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.deliver_events.app import HEAD_START, keys_in
from payfirst.domain.clock import instant
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item, Update
from payfirst.storage.dynamodb.schema import ATTRIBUTE, VERSION
from payfirst.storage.dynamodb.table import write
from tests.faults import front
from tests.faults.flows import paid_order
from tests.faults.model_table import ModelTable
from tests.faults.seam import Fault, Killed, Service
from tests.faults.world import World, at_work


@pytest.fixture
def world() -> Iterator[World]:
    """A shop in which nothing has happened yet, that writes e-mails."""
    shop = World(ModelTable(), writes_letters=True)
    with at_work(shop):
        shop.stock()
        yield shop


def entries(world: World) -> list[Item]:
    """Everything that happened, in the order of the table."""
    return [item for item in world.items() if keys.is_event(item)]


def told(*items: Item) -> list[dict[str, Any]]:
    """Records of the stream about these, as DynamoDB writes them."""
    return [
        {
            "eventID": str(number),
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": {"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}}, "StreamViewType": "KEYS_ONLY"},
        }
        for number, item in enumerate(items)
    ]


def stream(*records: Any) -> dict[str, Any]:
    """One batch of the stream; the run's report."""
    return front.call("deliver_events", {"Records": list(records)})


def delivered(world: World) -> list[bool]:
    return ["delivered_at" in item for item in entries(world)]


def name(item: Item) -> str:
    return f"{item['session']}-{keys.sequence_of(item)}"


def test_what_the_stream_tells_of_leaves_at_once_and_nothing_else_does(world: World) -> None:
    for _ in range(3):
        world.session(world.customer())
    first, second, third = entries(world)
    report = stream(*told(second, first))
    assert (report["delivered"], report["failed"], report["finished"]) == (2, 0, True)
    assert world.bus.came == [name(second), name(first)], "in the order of the stream"
    assert delivered(world) == [True, True, False]
    world.deliver_events()
    assert world.bus.came[2:] == [name(third)]


def test_its_e_mail_leaves_with_it(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    report = stream(*told(*entries(world)))
    assert report["mail"]["sent"] == len(world.post.came) == 1
    assert not [item for item in entries(world) if "due_pk" in item]
    assert world.deliver_events()["mail"]["sent"] == 0


def test_what_was_told_twice_or_has_left_leaves_once(world: World) -> None:
    world.session(world.customer())
    [event] = entries(world)
    assert stream(*told(event, event))["delivered"] == 1
    assert stream(*told(event))["delivered"] == 0
    world.deliver_events()
    assert world.bus.came == [name(event)]


def test_the_schedule_leaves_what_is_young_to_the_stream_and_delivers_it_afterwards(world: World) -> None:
    world.session(world.customer())
    assert front.schedule("deliver_events")["delivered"] == 0
    with front.later(HEAD_START - timedelta(seconds=1)):
        assert front.schedule("deliver_events")["delivered"] == 0
    with front.later(HEAD_START):
        assert front.schedule("deliver_events")["delivered"] == 1


def test_who_asks_by_hand_waits_for_nothing(world: World) -> None:
    world.session(world.customer())
    assert front.call("deliver_events", {"source": "payfirst.tick"})["delivered"] == 1


@pytest.mark.parametrize(
    "odd",
    [
        {},
        [],
        None,
        {"dynamodb": {}},
        {"dynamodb": {"Keys": {"pk": {"S": "U#anna"}}}},
        {"dynamodb": {"Keys": {"pk": {"N": "1"}, "sk": {"S": "E#1#0"}}}},
        {"dynamodb": {"Keys": {"pk": {"S": "U#anna"}, "sk": "E#1#0"}}},
        {"dynamodb": {"Keys": {"pk": {"S": "U#nobody"}, "sk": {"S": "E#0000000000000001#000000"}}}},
        {"dynamodb": {"Keys": {"pk": {"S": "U#anna"}, "sk": {"S": "ERASED#2026-03-02T08:00:00Z"}}}},
        {"dynamodb": {"Keys": {"pk": {"S": "PTR#1"}, "sk": {"S": "PTR"}}}},
    ],
    ids=json.dumps,
)
def test_records_of_another_shape_and_of_nothing_there_are_passed_over(world: World, odd: Any) -> None:
    world.session(world.customer())
    assert stream(odd, *told(*entries(world)), odd)["delivered"] == 1
    assert delivered(world) == [True]


def test_no_part_of_a_record_but_the_key_is_looked_at() -> None:
    record = {"eventName": "NEW", "dynamodb": {"Keys": keys_of("E#7#1"), "NewImage": {"due_pk": {"S": "?"}}, "More": 1}}
    assert keys_in([record]) == [{"pk": "U#anna", "sk": "E#7#1"}]


def keys_of(sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": "U#anna"}, "sk": {"S": sk}}


def test_what_a_newer_release_wrote_waits_for_it_and_the_others_leave(world: World) -> None:
    for _ in range(3):
        world.session(world.customer())
    every = entries(world)
    newer = every[1]
    write(world.table, Update("newer", keys.key_of(newer), set={ATTRIBUTE: VERSION + 1}))
    report = stream(*told(*every))
    assert (report["delivered"], report["failed"]) == (2, 1)
    write(world.table, Update("newer", keys.key_of(newer), set={ATTRIBUTE: VERSION}))
    world.deliver_events()
    assert sorted(world.bus.came) == sorted(map(name, entries(world)))


def test_an_event_that_cannot_leave_is_put_off_and_stops_no_other(world: World) -> None:
    for _ in range(3):
        world.session(world.customer())
    poison = entries(world)[1]
    write(world.table, Update("poison", keys.key_of(poison), remove=("facts",)))
    report = stream(*told(*entries(world)))
    assert (report["delivered"], report["failed"]) == (2, 1)
    [left] = [item for item in entries(world) if "delivered_at" not in item]
    assert (keys.key_of(left), left["tries"]) == (keys.key_of(poison), 1)
    assert left["due_sk"] > instant(world.now)


def test_a_bus_that_is_away_costs_nothing_but_time(world: World) -> None:
    for _ in range(12):
        world.session(world.customer())
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_REQUEST if boundary.service is Service.BUS else None
    report = stream(*told(*entries(world)))
    assert (report["delivered"], report["finished"]) == (0, False), "it raises nothing: a second try would meet the same"
    world.seam.active = False
    assert not any("tries" in item for item in entries(world))
    world.deliver_events()
    assert sorted(world.bus.came) == sorted(map(name, entries(world)))


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
@pytest.mark.parametrize("service", [Service.BUS, Service.TABLE, Service.POST])
def test_whenever_it_is_killed_the_schedule_delivers_the_rest_under_the_same_ids(
    world: World, service: Service, fault: Fault
) -> None:
    paid_order(world)
    world.deliver_all()
    world.seam.active = True
    world.seam.plan = lambda boundary: fault if boundary.service is service else None
    with pytest.raises(Killed):
        stream(*told(*entries(world)))
    world.seam.active = False
    world.now += timedelta(minutes=3)
    world.deliver_events()
    assert set(world.bus.came) == set(map(name, entries(world)))
    assert len(set(world.post.came)) == 1
    assert not [item for item in entries(world) if "due_pk" in item]
