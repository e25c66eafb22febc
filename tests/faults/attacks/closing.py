"""What people take off their list, each write against what may have come before it."""

from __future__ import annotations

from ops.operate import resolve_command
from payfirst.storage import notices, outbox
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Key, get
from payfirst.usecases.operators import review, waiting
from tests.faults import counter
from tests.faults.attacks.meanwhile import has, stopped, write_of
from tests.faults.attacks.registry import attack, refused
from tests.faults.flows import paid_order
from tests.faults.flows.sweeps import surplus
from tests.faults.seam import Fault
from tests.faults.world import World

_WHO = {"by": "anna", "why": "seen in the portal"}


def _parked(world: World, item: Item) -> tuple[Key, Item]:
    """The item as a sweep puts it aside, where nobody watches the books."""
    key = {"pk": item["pk"], "sk": item["sk"]}
    has(key, tries=5, **due_index.due(due_index.REVIEW, key, world.now))(world)
    found = get(world.table, key)
    assert found is not None
    return key, found


@attack
def what_comes_before_a_notice_is_closed(world: World) -> None:
    paid_order(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_REQUEST if boundary.operation == "TransactWriteItems" else None
    world.deliver(world.ledger.notices.pop(0))
    world.seam.active, world.seam.plan = False, lambda _: None
    there = world.fork()
    key, notice = _parked(there, next(item for item in there.items() if item["sk"].startswith(keys.NOTICES)))
    close = write_of(there, notices.close, notice, there.now, **_WHO)
    stopped(close, {"a sweep has it": has(key, due_sk="2026-03-09T08:00:00Z")})
    refused(lambda: waiting.close(world.table, due_index.name_of(key), world.now, **_WHO))  # it is not on the list


@attack
def what_comes_before_an_event_or_a_letter_is_closed(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    there = world.fork()
    key, event = _parked(there, next(item for item in there.items() if item["sk"].startswith("E#")))
    stopped(
        write_of(there, outbox.close, event, there.now, **_WHO),
        {
            "a sweep has it": has(key, due_sk="2026-03-09T08:00:00Z"),
            "it has left": has(key, delivered_at="2026-03-02T08:00:00Z"),
        },
    )
    has(key, delivered_at="2026-03-02T08:00:00Z")(there)
    letter = get(there.table, key)
    stopped(
        write_of(there, outbox.close, letter, there.now, **_WHO),
        {
            "a sweep has it": has(key, due_sk="2026-03-09T08:00:00Z"),
            "it was written": has(key, mailed_at="2026-03-02T08:00:00Z"),
        },
    )


@attack
def a_parked_refund_that_was_paid_by_hand(world: World) -> None:
    ref = surplus(world).attempt.ref
    key = keys.refund(ref, 1)
    refused(lambda: review.resolve_refund(world.table, ref, 1, world.now, **_WHO))  # the next sweep sends it
    world.client.watch, watch = lambda _: None, world.client.watch
    has(key, tries=5, **due_index.due(due_index.REVIEW, dict(key), world.now))(world)
    world.client.watch = watch
    world.by_hand.add(ref)
    assert review.resolve_refund(world.table, ref, 1, world.now, **_WHO).by_hand


@attack
def a_refund_that_its_gateway_paid_and_a_person_as_well(world: World) -> None:
    ref = surplus(world).attempt.ref
    world.reconcile()
    world.deliver_all()
    world.disputed.add(ref)
    for _ in range(2):
        status, said = world.operate("POST", f"/api/operators/refunds/R{ref}-1/resolve/", {"why": "from the till"})
        assert (status, said["status"]) == (200, "refunded")
        assert "was paid back by its gateway" in said["detail"]
    typed = counter.run(world, lambda: resolve_command(f"R{ref}-1", "from the till", refunded=True))
    assert "was paid back by its gateway" in typed
    assert [item["ref"] for item in world.items() if item["sk"].startswith("REVIEW")] == [ref]
