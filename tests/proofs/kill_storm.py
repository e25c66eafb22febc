"""Customers pay while the functions' workers are killed with `kill -9`; then both ledgers, side by side.

It starts a stack of its own and kills workers of that stack only. Customers whose request is cut off give up and begin
something else, as people do; what they had begun goes on without them. After the killing the stack's own sweeps have time to
settle what is left, and then both ledgers have to be equal: everything that a gateway collected is an order, a booking, a
refund, or on the list for a person, and what the shop gave back is what the gateways say went back.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from local.host.environment import runtime_module
from local.stack import LocalStack
from ops.reconcile.books import Books, Ledger
from ops.reconcile.comparison import compare
from ops.reconcile.simulated_ledger import read_ledger
from ops.token import mint
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from tests.proofs.ledgers import read_items
from tests.proofs.storm import ledger_table
from tests.proofs.storm_customers import LISTING, PUJA

CUSTOMERS: Final = 4
PATIENCE_S: Final = 20.0
EVERY_S: Final = (0.5, 4.0)
"""The least and the most between two kills: a worker takes a second or two to be there again."""

ENOUGH: Final = 20
SETTLED_WITHIN_S: Final = 180.0
SETTINGS: Final = {"MPESA_NO_ANSWER_SECONDS": "15"}
"""An attempt whose push was cut off is given up sooner than in earnest, so that nobody waits three minutes for the end."""

PAYERS: Final[tuple[dict[str, Any], ...]] = (
    {"outcome": "pay", "after_s": 1},
    {"outcome": "pay", "after_s": 1, "notices": 2},
    {"outcome": "pay", "after_s": 2, "delay_s": 3},
    {"outcome": "cancel", "after_s": 1},
)
"""What payers do, in turns of a few seconds."""

UNRESOLVED: Final = frozenset({"created", "sent", "unknown"})
ON_THEIR_WAY: Final = frozenset({"due", "sending", "accepted"})


@dataclass(slots=True)
class Killed:
    """What happened: workers killed, payments that customers began and bookings that they cancelled, requests that were cut off
    or refused, and both ledgers afterwards."""

    kills: int = 0
    begun: int = 0
    cancelled: int = 0
    cut_off: Counter[str] = field(default_factory=Counter)
    unsettled: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=lambda: Ledger(()))
    items: list[Item] = field(default_factory=list)

    @property
    def books(self) -> Books:
        """Both ledgers, joined."""
        return compare(self.ledger, self.items)

    @property
    def problems(self) -> list[str]:
        """Each thing that is wrong as a sentence; empty if every capture is in one place."""
        return [*self.unsettled, *map(str, self.books.differences)]

    def line(self) -> str:
        """One line for a log."""
        lines = self.books.lines
        back = sum(len(line.returned) for line in lines)
        return (
            f"kills={self.kills} begun={self.begun} cancelled={self.cancelled} cut_off={sum(self.cut_off.values())}"
            f" captures={len(lines)} refunds={back} broken={len(self.problems)}"
        )


def workers_of(host: int) -> list[int]:
    """The process ids of the functions' workers that the host with that process id has started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    found = (line.split(maxsplit=2) for line in listed.splitlines())
    return [int(pid) for pid, parent, what in found if int(parent) == host and f"-m {runtime_module()} " in what]


def storm(stack: LocalStack, tokens: Sequence[str], *, seconds: float, draw: random.Random, tick: Callable[[], None]) -> Killed:
    """Load and kill for so many seconds, let the sweeps run, compare. `tick` is called every second.

    On a slow machine it lasts longer, until enough payments have been begun, but no longer than four times as long.
    """
    killed, over = Killed(), threading.Event()
    shoppers = [(token, random.Random(draw.random())) for token in tokens]  # noqa: S311 - which goods, nothing secret
    threads = [threading.Thread(target=_customer, args=(stack, token, killed, over, own)) for token, own in shoppers]
    threads.append(threading.Thread(target=_payers, args=(stack, over, draw)))
    for thread in threads:
        thread.start()
    try:
        _kill(stack.host_pid, killed, seconds, draw, tick)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if not _settled(stack, tick):
        killed.cancelled += sum(_cancel(stack, token, standing=1) for token in tokens)
    killed.unsettled = _settled(stack, tick)
    killed.ledger, killed.items = read_ledger(stack.simulator_url), read_items(stack.environment)
    return killed


def _kill(host: int, killed: Killed, seconds: float, draw: random.Random, tick: Callable[[], None]) -> None:
    began, next_tick = time.monotonic(), time.monotonic() + 1
    while (lasted := time.monotonic() - began) < seconds or (killed.begun < ENOUGH and lasted < 4 * seconds):
        time.sleep(draw.uniform(*EVERY_S))
        workers = workers_of(host)
        if workers:
            try:
                os.kill(draw.choice(workers), signal.SIGKILL)
            except ProcessLookupError:
                continue  # it has just ended by itself
            killed.kills += 1
        while time.monotonic() >= next_tick:
            next_tick += 1
            tick()


def _payers(stack: LocalStack, over: threading.Event, draw: random.Random) -> None:
    turns = random.Random(draw.random())  # noqa: S311 - who pays
    while not over.is_set():
        _control(stack, turns.choice(PAYERS))
        over.wait(4)
    _control(stack, PAYERS[0])


def _control(stack: LocalStack, wish: dict[str, Any]) -> None:
    requests.post(f"{stack.simulator_url}/control/auto", json=wish, timeout=PATIENCE_S).raise_for_status()


def _customer(stack: LocalStack, token: str, killed: Killed, over: threading.Event, draw: random.Random) -> None:
    while not over.is_set():
        try:
            killed.cancelled += _cancel(stack, token, standing=2)
            (_order if draw.random() < 0.5 else _book)(stack, token, draw)
        except requests.RequestException as error:
            killed.cut_off[type(error).__name__] += 1
            over.wait(0.2)
        else:
            killed.begun += 1


def _order(stack: LocalStack, token: str, draw: random.Random) -> None:
    phone = f"0712{draw.randrange(10**6):06d}"
    _ask(stack, token, "/api/carts/add_item/", {"listing_id": LISTING, "quantity": 1})
    place = {"county_id": 1, "subcounty_id": 5, "detailed_address": "1 Weather Street"}
    delivery = {"full_name": "Storm Petrel", "phone_number": phone, **place}
    session = _ask(stack, token, "/api/payments/sessions/", {"delivery_details": delivery})["session_id"]
    _ask(stack, token, f"/api/payments/sessions/{session}/initiate_payment/", {})


def _book(stack: LocalStack, token: str, _: random.Random) -> None:
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 7 * 86_400))
    cart = _ask(stack, token, "/api/cart/carts/", {**PUJA, "selected_date": day})["id"]
    _ask(stack, token, "/api/payments/process-cart/", {"cart_id": cart})


def _cancel(stack: LocalStack, token: str, *, standing: int) -> int:
    """Cancel the customer's newest booking where so many stand; how many were cancelled."""
    listed = _ask(stack, token, "/api/booking/bookings/")["results"]
    stand = [booking["book_id"] for booking in listed if booking["status"] == "CONFIRMED"]
    if len(stand) < standing:
        return 0
    _ask(stack, token, f"/api/booking/bookings/{stand[0]}/cancel/", {"reason": "the weather"})
    return 1


def _ask(stack: LocalStack, token: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A GET without a body, a POST with one."""
    headers, method = {"Authorization": f"Bearer {token}"}, "GET" if body is None else "POST"
    answer = requests.request(method, f"{stack.base_url}{path}", json=body, headers=headers, timeout=PATIENCE_S)
    answer.raise_for_status()
    return answer.json()


def _settled(stack: LocalStack, tick: Callable[[], None]) -> list[str]:
    """What is still open when the stack's sweeps have had their time."""
    ends = time.monotonic() + SETTLED_WITHIN_S
    while True:
        waiting = list(unfinished(read_items(stack.environment)))
        if not waiting or time.monotonic() > ends:
            return waiting
        time.sleep(1)
        tick()


def unfinished(items: Iterable[Item]) -> Iterable[str]:
    """What no sweep has brought to its end yet."""
    for item in items:
        partition, sort = item["pk"], item["sk"]
        if sort == "ATT" and item["status"] in UNRESOLVED:
            yield f"{partition} is still {item['status']}"
        elif partition.startswith("ATT#") and sort.startswith("R#") and item["status"] in ON_THEIR_WAY:
            yield f"the refund {partition} {sort} is still {item['status']}"
        elif partition.startswith("U#") and sort.startswith("S#") and item.get("status") == "paid":
            yield f"session {sort} is still paid"
        elif sort.startswith(keys.NOTICES) and "settled_at" not in item:
            yield "a notice is not settled"


def run(console: Console, *, seconds: float, seed: int) -> Killed:
    """A stack of its own, stormed under a progress bar."""
    draw = random.Random(seed)  # noqa: S311 - who is killed when
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with LocalStack(schedule_seconds=2, variables=SETTINGS) as stack, Progress(*columns, console=console) as bar:
        stack.wait_until_warm()
        tokens = [mint(stack.environment, 800_000_000 + number, f"kill-{number}@example.com") for number in range(CUSTOMERS)]
        task = bar.add_task(f"kill -9 under load, seed {seed}", total=seconds + SETTLED_WITHIN_S)
        killed = storm(stack, tokens, seconds=seconds, draw=draw, tick=lambda: bar.advance(task))
        bar.update(task, completed=seconds + SETTLED_WITHIN_S)
    return killed


def main(arguments: Sequence[str] | None = None) -> int:
    """Storm, kill, sweep, compare; 1 when a capture is in no place or in two."""
    parser = argparse.ArgumentParser(prog="make kill-storm", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=300.0, help="how long workers are killed (300)")
    parser.add_argument("--seed", type=int, help="the same choices again, as far as their order is ours")
    given = parser.parse_args(arguments)
    console = Console(highlight=False)
    killed = run(console, seconds=given.seconds, seed=given.seed if given.seed is not None else secrets.randbelow(10**6))
    console.print(ledger_table(killed.books))
    for entry in killed.books.open:
        console.print(f"not at its end: {entry}", markup=False)
    for sentence in killed.problems:
        console.print(f"broken: {sentence}", style="red", markup=False)
    print(killed.line())
    return 1 if killed.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
