"""How long a shop's sweeps take to ask about everything that an outage left open, on a model of time.

    python -m tests.proofs.after_outage --open 36000

The sweeps themselves run, each minute with its own deadline, on the table, the clock and the gateways of `hot_spots`. Beside
what those take, each call costs time of the function's one processor, for which others wait. What was found: docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, cast

from botocore.exceptions import EndpointConnectionError

from payfirst.domain.clock import Deadline, instant
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import from_wire, to_wire
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.sweeps.reconcile import ALONE, ReconcileReport, reconcile
from payfirst.usecases.sweeps.workers import Crew
from tests.faults.model_table import ModelTable
from tests.faults.seam import Fault, Killed, Seam, Service
from tests.faults.told import MPESA, PHONEPE
from tests.faults.world import NO_ANSWER_AFTER, World, at_work
from tests.proofs.hot_spots import GATEWAY_S, LISTINGS, Clock, SlowTable

RUN_S: Final = 60.0
"""What a run has; the next begins with the minute."""
CALL_CPU_S: Final = 0.0015
"""What one call, to the table or to a gateway, costs of the function's processor: see docs/scaling.md."""
MANY: Final = 100
"""Listings that the orders are spread over."""
QUESTIONS: Final = {"query": MPESA, "order": PHONEPE, "reverse": MPESA, "refund": PHONEPE, "refund status": PHONEPE}
"""Whom each request to a gateway asks."""


REFUNDS: Final = ("reverse", "refund")
SILENCE_S: Final = 10.0
"""How long a call waits for a gateway that says nothing."""


@dataclass(slots=True)
class Gateways(Seam):
    """Gateways that take `latency` to answer, by their names; from the instants in `silent` on they answer nothing.

    `asked` are the instants of questions, by gateway, `sent` those of refunds, `at_once` the most calls at the same time. From
    the instant `ends` on the function is dead.
    """

    clock: Clock = field(default_factory=Clock)
    cpu_s: float = 0.0
    latency: Mapping[str, float] = field(default_factory=dict)
    silent: dict[str, float] = field(default_factory=dict)
    ends: float = float("inf")
    asked: dict[str, list[float]] = field(default_factory=dict)
    sent: dict[str, list[float]] = field(default_factory=dict)
    at_once: Counter[str] = field(default_factory=Counter)
    busy: Counter[str] = field(default_factory=Counter)
    processor: Processor | None = None

    def passes(self, service: Service, operation: str, *, fulfils: bool = False) -> Fault | None:
        del fulfils
        if self.clock.now >= self.ends:
            raise Killed
        if service is not Service.GATEWAY:
            return None
        name = QUESTIONS[operation]
        if self.processor:
            self.processor.work()
        (self.sent if operation in REFUNDS else self.asked).setdefault(name, []).append(self.clock.now)
        self.busy[name] += 1
        self.at_once[name] = max(self.at_once[name], self.busy[name])
        is_silent = self.clock.now >= self.silent.get(name, self.ends)
        self.clock.wait(SILENCE_S if is_silent else self.latency.get(name, GATEWAY_S))
        self.busy[name] -= 1
        return Fault.LOST_REQUEST if is_silent else None


@dataclass(slots=True)
class Processor:
    """The one processor of a function: whoever computes `each` seconds on it waits for those before."""

    clock: Clock
    each: float
    free_at: float = 0.0

    def work(self) -> None:
        """Compute for one call."""
        self.free_at = max(self.clock.now, self.free_at) + self.each
        self.clock.wait(self.free_at - self.clock.now)


@dataclass(slots=True)
class BusyTable:
    """A slow table whose every request costs time of the processor too; for the operations that are `gone` it is away, and for
    so many that it `drops`, once the clock stands at `drops_from`."""

    inner: SlowTable
    processor: Processor
    gone: set[str] = field(default_factory=set)
    drops: int = 0
    drops_from: float = 0.5

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call = getattr(self.inner, operation)

        def busy(**request: Any) -> Any:
            self.processor.work()
            dropped = self.drops > 0 and self.processor.clock.now >= self.drops_from
            self.drops -= dropped
            if dropped or operation in self.gone:
                raise EndpointConnectionError(endpoint_url="https://table.example")
            return call(**request)

        return busy


def leave_open(world: World, orders: int, bookings: int, since: timedelta) -> None:
    """Payments that were made, and told to nobody, evenly during the time `since`: orders by M-Pesa, bookings by PhonePe."""
    for number in range(MANY):
        world.stock("1000000", listing=LISTINGS + number)
    made = count()
    for start, many in ((_order, orders), (_booking, bookings)):
        if many:
            ref, items = _new_items(world, start)
            for number in range(many):
                _copy(world, items, ref, next(made), world.now - since * (number + 1) / many)


def _order(world: World) -> str:
    return world.initiate(world.session(world.customer())).attempt.ref


def _booking(world: World) -> str:
    who = world.customer()
    return world.process(world.booking_cart(who), who).attempt.ref


def _new_items(world: World, start: Callable[[World], str]) -> tuple[str, list[dict[str, Any]]]:
    known = {(item["pk"], item["sk"]) for item in world.items()}
    ref = start(world)
    made = [item for item in world.items() if (item["pk"], item["sk"]) not in known]
    return ref, [item for item in made if str(item["pk"]).startswith(("U#", "ATT#"))]


def _copy(world: World, items: list[dict[str, Any]], ref: str, number: int, at: datetime) -> None:
    """The purchase `items` once more, as the `number`th, made at `at`, paid, and due to be asked about since then."""
    attempt = next(item for item in items if item["sk"] == "ATT")
    session = next(item for item in items if str(item["sk"]).startswith("S#0"))
    new = f"MT{number:013x}"
    names = {ref: new, str(attempt["owner"]): f"{number:012x}", str(session["uuid"]): f"00000000-0000-4000-8000-{number:012x}"}
    names |= {str(attempt["transaction"]): f"TXN{number:010X}", '"123"': f'"{LISTINGS + number % MANY}"'}
    if "phone_lock" in attempt:
        names[str(attempt["phone_lock"])] = f"{number:032x}"
    for item in items:
        text = json.dumps(to_wire(item))
        for old, instead in names.items():
            text = text.replace(old, instead)
        copy = from_wire(json.loads(text))
        if keys.is_event(copy):
            copy |= due_index.due(due_index.OUTBOX, keys.key_of(copy), world.now)
        if copy["sk"] == "ATT":
            copy |= {"created_at": instant(at), "gateway_id": f"{attempt['gateway_id']}-{number}", "check": 0}
            copy |= {"next_check_at": instant(at), **due_index.due(due_index.SETTLE, keys.attempt(new), at)}
            payment = world.ledger.payments[ref]
            paid = replace(payment, ref=new, gateway_id=copy["gateway_id"], state="paid", collected=payment.amount)
            world.ledger.payments[new] = replace(paid, receipt=f"R{number:09d}")
        world.client.load((copy["pk"], copy["sk"]), to_wire(copy))


@dataclass(slots=True)
class Shop:
    """A shop after an outage, on a clock of its own."""

    world: World
    clock: Clock
    table: BusyTable
    gateways: Gateways
    context: NoticeContext
    crew: Crew

    def run(self, seconds: float = RUN_S) -> ReconcileReport:
        """One run of the sweep, which has `seconds`."""
        ends = self.clock.now + seconds
        context = replace(self.context, now=self.world.now, deadline=Deadline(lambda: ends - self.clock.now))
        return reconcile(context, no_answer_after=NO_ANSWER_AFTER, crew=self.crew)

    def minutes(self) -> Iterator[ReconcileReport]:
        """A run each minute, for ever."""
        while True:
            ends = self.clock.now + RUN_S
            yield self.run()
            self.clock.wait(ends - self.clock.now)
            self.world.now += timedelta(minutes=1)


@contextmanager
def shop(
    orders: int, bookings: int, *, workers: int, cpu_s: float = 0.0, latency: Mapping[str, float] | None = None
) -> Iterator[Shop]:
    """A shop whose payments of the last hour nobody has heard of."""
    world, clock = World(ModelTable()), Clock()
    with at_work(world, shards=keys.SHARDS):
        world.stock("1000000")
        leave_open(world, orders, bookings, timedelta(hours=1))
        processor = Processor(clock, cpu_s)
        gateways = Gateways(clock=clock, latency=latency or {}, processor=processor)
        slow = BusyTable(SlowTable(world.client, clock), processor)
        world.table = replace(world.table, client=cast("Any", slow), pause=clock.wait)
        world.seam = gateways
        made = {name: world.gateway(name) for name in (MPESA, PHONEPE)}
        context = replace(world.notice_context(), gateway=made.__getitem__)
        crew = Crew(workers, lambda work, many: clock.run([work] * many), lambda: clock.now, clock.wait)
        yield Shop(world, clock, slow, gateways, context, crew)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", type=int, default=36_000, help="payments that were left open")
    parser.add_argument("--workers", type=int, default=48)
    parser.add_argument("--runs", type=int, default=60, help="runs after which the rest is reckoned")
    given = parser.parse_args()
    print("| paid through | workers | settled in the first run | minutes until all are | calls at once | calls a second |")
    print("|---|---|---|---|---|---|")
    for what, bookings in (("M-Pesa", 0), ("both, half each", given.open // 2)):
        for workers in (ALONE.size, given.workers):
            with shop(given.open - bookings, bookings, workers=workers, cpu_s=CALL_CPU_S) as there:
                print(f"| {what} | {workers} | {_drained(there, given.open, given.runs if workers > 1 else 3)} |", flush=True)


def _drained(there: Shop, many: int, runs: int) -> str:
    settled: list[int] = []
    for report in there.minutes():
        settled.append(report.settled.get("fulfilled", 0))
        if sum(settled) == many or len(settled) == runs:
            break
    rest = many - sum(settled)
    minutes = len(settled) - 1 + there.clock.now % RUN_S / RUN_S + rest / settled[-1]
    at_once = ", ".join(f"{name} {most}" for name, most in there.gateways.at_once.items())
    fastest = ", ".join(f"{name} {_fastest(asked)}" for name, asked in there.gateways.asked.items())
    return f"{settled[0]:,} | {'' if not rest else 'about '}{minutes:.1f} | {at_once} | {fastest}"


def _fastest(asked: list[float]) -> int:
    """The most calls in any second, by the clock's own seconds."""
    return max(Counter(int(at) for at in asked).values())


if __name__ == "__main__":
    main()
