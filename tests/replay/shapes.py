"""Where the writes come from: the fault machine's suite, which reaches every use case, and what its model table cannot take."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import payfirst
from payfirst.storage import erasing
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Delete, Update
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.operators import totals
from tests.faults import suite
from tests.faults.flows import paid_booking, paid_order
from tests.faults.front import AnsweredError
from tests.faults.model_table import ModelTable
from tests.faults.world import World, at_work
from tests.replay.recording import Recording, Written, recording

PACKAGE: Final = Path(payfirst.__file__).parent
WRITES: Final = frozenset({"Put", "Update", "Check", "Delete"})


def made() -> Recording:
    """Every write that attacks, flows and scenarios make, and those of erasing and counting anew, which no flow reaches."""
    with recording() as kept:
        suite.guards.__wrapped__()
        _erase()
        _recount()
    return kept


def makers() -> set[str]:
    """The functions of the package that make a write, by module and name."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(("payfirst", *path.relative_to(PACKAGE).with_suffix("").parts))
        found |= {f"{module}.{name}" for name in _makers(ast.parse(path.read_text(encoding="utf-8")), "")}
    return found


def _makers(tree: ast.AST, function: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WRITES:
            yield function
        yield from _makers(node, node.name if isinstance(node, ast.FunctionDef) else function)


def _erase() -> None:
    """A customer with everything that there can be is erased."""
    world = World(ModelTable(), seed=1)
    with at_work(world):
        world.stock()
        started = [paid_order(world), paid_booking(world), world.initiate(world.session(world.customer()))]
        world.ledger.decline(started[-1].attempt.ref)
        world.deliver_all()
        world.deliver_events()
        for each in started:
            customer = each.session.customer
            world.fill_cart(customer)
            world.booking_cart(customer)
            _erase_one(world, customer.sub)


def _recount() -> None:
    """Counters are set where there are none, and where they say something else."""
    world = World(ModelTable(), seed=2)
    with at_work(world):
        world.stock()
        paid_order(world)
        world.deliver_all()
        [place] = [keys.key_of(item) for item in world.items() if item["pk"] == shop_keys.TOTALS]
        write(world.table, Delete("uncounted", place))
        totals.recount(world.table, world.items)
        write(world.table, Update("miscounted", place, add={"captured": 1}))
        totals.recount(world.table, world.items)


def _erase_one(world: World, sub: str) -> None:
    items = world.items()
    refs = {item["pk"] for item in items if item.get("owner") == sub and item["sk"] == "ATT"}
    attempts = tuple(item for item in items if item["pk"] in refs)
    held = erasing.Holdings(
        sub,
        tuple(item for item in items if item["pk"] == f"U#{sub}"),
        attempts,
        tuple(item for item in items if item["sk"] == "INBOX" and f"ATT#{item['ref']}" in refs),
        tuple(item for item in items if item["pk"] in {f"PHONE#{each['phone_lock']}" for each in attempts if "phone" in each}),
        tuple(item for item in items if item["pk"].startswith(keys.FOUND) and item["owner"] == sub),
    )
    erasing.record(world.table, sub, world.now, Counter(), by="operator:anna", why="asked by letter")
    for change in erasing.changes(held):
        with suppress(ConditionFailedError):  # what is still due is not erased yet
            erasing.apply(world.table, change)


def kept_answers(client: Any, name: str) -> list[Written]:
    """What Powertools writes to keep an answer to a repeated request, in its own grammar, on the empty table `name`.

    The answer is made and kept, then given again. It is a refusal: what else a request writes is none of this.
    """
    there = World(client, name)
    found: list[Written] = []

    def heard(params: dict[str, Any], model: Any, **_: Any) -> None:
        key = {part: (params.get("Item") or params["Key"])[part] for part in ("pk", "sk")}
        found.append(Written(model.name, params, (client.get_item(TableName=name, Key=key).get("Item"),)))

    events = [f"provide-client-params.dynamodb.{operation}" for operation in ("PutItem", "UpdateItem")]
    for event in events:
        client.meta.events.register(event, heard)
    with at_work(there):
        customer = there.customer()
        for _ in range(2):
            with suppress(AnsweredError):
                there.http("POST", "/api/payments/sessions/", customer, {}, headers={"idempotency-key": "one"})
    for event in events:
        client.meta.events.unregister(event, heard)
    return found
