"""The service beside its peers: the same work, the same answers, what each costs, written into docs/performance.md.

    python -m benchmarks.bench --rounds 15 --flows 10

A round lets every peer, in an order drawn anew, take `--flows` customers through document B; each kind of request is answered
that often in a row, and the processor's time is read before and after it: of the peer's process, of PostgreSQL, and apart from
them of the embedded DynamoDB, which stands for what AWS bills by the request. Gateways speak https and answer at once. What a
server before the application does (HTTP, tokens) is done for nobody.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import walk
from benchmarks.certificate import make_certificate
from benchmarks.events import event_of
from benchmarks.postgres import Postgres
from benchmarks.processor import used
from benchmarks.report import RESULTS, write
from benchmarks.share import held
from benchmarks.stage import Stage, Worker
from benchmarks.walk import Ask, Customer
from local.embedded_aws import ROOT, TEMPLATE
from local.resources import create_table

PEERS: Final = ("ours", "django_shop", "fastapi_shop", "powertools", "bare")
BENCH_PYTHON: Final = str(ROOT / ".tools" / "bench" / "bin" / "python")
ORDERS: Final = 20
"""How many orders the customer has who looks at lists."""
COLD: Final = {
    "webhook": "notice, duplicate",
    "read_payments": "status",
    "bookings": "list of orders",
    "create_session": "create session",
}
KINDS: Final = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "order number": r"ORD-\d{8}-\d{3,}",
    "checkout": r"ws_CO_\d+",
    "phone": r"07\d{8}",
}
OWN_NUMBERS: Final = frozenset({"transaction_id", "order_id", "user", "available"})


def normal(value: Any, name: str = "") -> Any:
    """An answer without what differs between two customers of the same shop."""
    if isinstance(value, dict):
        return {key: normal(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [normal(one) for one in value]
    if isinstance(value, str):
        return next((f"<{kind}>" for kind, pattern in KINDS.items() if re.fullmatch(pattern, value)), value)
    return "<number>" if name in OWN_NUMBERS and value is not None else value


@dataclass(slots=True)
class Runner:
    """One peer's process; `database` reads the time of what keeps its data."""

    name: str
    worker: Worker
    database: Callable[[], int]
    figures: dict[str, list[dict[str, float]]]
    walls: dict[str, list[int]]
    answers: dict[str, Any]

    def run(self, asks: Sequence[Ask], *, keep: bool) -> list[Any]:
        """The bodies of the answers; RuntimeError for any but a success. Figures are kept under the request's name."""
        before = self.database()
        told = self.worker.ask(asks=[asdict(ask) for ask in asks])
        after, name = self.database(), asks[0].name
        for ask, (status, body) in zip(asks, told["answers"], strict=True):
            if status not in (200, 201):
                raise RuntimeError(f"{self.name}: {ask.method} {ask.path} was answered {status}: {body}")
        if keep:
            each = {"cpu": told["cpu"] / len(asks) / 1000, "database": (after - before) / len(asks) / 1000}
            self.figures[name].append(each)
            self.walls[name] += told["walls"]
            self.answers[name] = normal(told["answers"][-1])
        return [body for _, body in told["answers"]]

    def flows(self, stage: Stage, customers: Sequence[Customer], *, keep: bool) -> tuple[list[str], list[Ask]]:
        """Take the customers from a cart to an order; the sessions' ids and the gateway's notices."""
        self.run([walk.add_item(who) for who in customers], keep=keep)
        sessions = [one["session_id"] for one in self.run([walk.create_session(who) for who in customers], keep=keep)]
        pairs = list(zip(customers, sessions, strict=True))
        prompted = self.run([walk.initiate(who, session) for who, session in pairs], keep=keep)
        checkouts = [one["checkout_request_id"] for one in prompted]
        self.run([walk.paid_notice(stage.gateways, one) for one in checkouts], keep=keep)
        again = [walk.paid_notice(stage.gateways, one, "notice, duplicate") for one in checkouts]
        self.run(again, keep=keep)
        found = self.run([walk.status(who, session) for who, session in pairs], keep=keep)
        if {one["session_status"] for one in found} != {"order_created"}:
            raise RuntimeError(f"{self.name}: a paid notice made no order")
        return sessions, again


def open_peers(running: ExitStack, stage: Stage, postgres: Postgres, trusted: Path) -> dict[str, Runner]:
    """Every peer, with tables of its own."""
    shared = {
        **stage.environment,
        "GATEWAY_URL": stage.gateway_url,
        "SSL_CERT_FILE": str(trusted),
        "REQUESTS_CA_BUNDLE": str(trusted),
    }
    listing = {"pk": "LISTING", "sk": "123", "id": 123, "product_name": "Fresh Tomatoes", "farm_name": "Green Valley Farm"}
    for name in ("powertools", "bare"):
        create_table(stage.aws.client("dynamodb"), TEMPLATE, name)
        item = {key: {"S": one} if isinstance(one, str) else {"N": str(one)} for key, one in listing.items()}
        stock = {"unit": {"S": "kg"}, "price": {"N": "15000"}, "available": {"N": "1000000"}, "sold": {"N": "0"}}
        stage.aws.client("dynamodb").put_item(TableName=name, Item={**item, **stock})
    django = {**shared, **postgres.create("django_shop")}
    making = "from benchmarks.peers.django_shop import create_tables; create_tables()"
    subprocess.run([BENCH_PYTHON, "-c", making], env={**django, "PYTHONPATH": str(ROOT)}, check=True)
    fast = {**shared, **postgres.create("fastapi_shop", "django_shop")}
    environments = {"django_shop": django, "fastapi_shop": fast, "ours": shared}
    environments |= {name: {**shared, "TABLE_NAME": name} for name in ("powertools", "bare")}
    peers = {}
    for name in PEERS:
        on_postgres = name in ("django_shop", "fastapi_shop")
        python, pid = (BENCH_PYTHON, postgres.pid) if on_postgres else (sys.executable, stage.aws.pid)
        worker = running.enter_context(Worker(environments[name], name, module="benchmarks.peers.host", python=python))
        peers[name] = Runner(name, worker, lambda pid=pid: used(pid), defaultdict(list), defaultdict(list), {})  # type: ignore[misc]
    return peers


def measure_warm(stage: Stage, peers: Mapping[str, Runner], rounds: int, flows: int) -> dict[str, dict[str, Ask]]:
    """Fill every peer's figures; requests that may be sent again, by peer and name."""
    repeatable: dict[str, dict[str, Ask]] = {}
    rich = {name: Customer(900_000 + number) for number, name in enumerate(PEERS)}
    numbers = iter(range(1, 10**6))
    for name, peer in peers.items():
        for number in range(ORDERS):  # one after another: a customer has one cart
            sessions, notices = peer.flows(stage, [Customer(rich[name].number, 800_000 + next(numbers) + number)], keep=False)
        again = {"notice, duplicate": notices[0], "status": walk.status(rich[name], sessions[0])}
        repeatable[name] = {**again, "list of orders": walk.list_orders(rich[name])}
    order = list(PEERS)
    for number in range(rounds):
        random.shuffle(order)
        for name in order:
            peers[name].flows(stage, [Customer(next(numbers)) for _ in range(flows)], keep=True)
            peers[name].run([walk.list_sessions(rich[name])] * flows, keep=True)
            peers[name].run([walk.list_orders(rich[name])] * flows, keep=True)
        print(f"round {number + 1} of {rounds}", flush=True)
    for name, peer in peers.items():
        for what, answer in peer.answers.items():
            if answer != peers["ours"].answers[what]:
                raise RuntimeError(f"{name} answers {what} with {answer}, not {peers['ours'].answers[what]}")
    return repeatable


def measure_held(stage: Stage, peers: Mapping[str, Runner], rounds: int, flows: int) -> dict[str, dict[str, list[int]]] | None:
    """How long the same takes a process that has what 512 MB of Lambda have; None where no process can be held to that."""
    numbers = iter(range(10**6, 2 * 10**6))
    found: dict[str, dict[str, list[int]]] = {}
    for name, peer in peers.items():
        slow = Runner(name, peer.worker, peer.database, defaultdict(list), defaultdict(list), {})
        try:
            with held(peer.worker.process.pid):
                for _ in range(rounds):
                    slow.flows(stage, [Customer(next(numbers)) for _ in range(flows)], keep=True)
        except OSError as error:
            print(f"No process can be held to a share of a processor here: {error}", flush=True)
            return None
        found[name] = dict(slow.walls)
    print("held", flush=True)
    return found


def cold(command: Sequence[str], environment: Mapping[str, str], line: str = "") -> dict[str, float]:
    """Milliseconds of the processor and of the wall of one process from its start to its end."""
    began = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, cwd=ROOT) as process:
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        process.stdin.write(line.encode())
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with code {process.returncode}")
    return {"cpu": (usage.ru_utime + usage.ru_stime) * 1000, "wall": (time.monotonic() - began) * 1000}


def measure_cold(
    stage: Stage, peers: Mapping[str, Runner], repeatable: Mapping[str, Mapping[str, Ask]], times: int
) -> dict[str, list[dict[str, float]]]:
    """Imports and first answers, each in processes of its own, in an order drawn anew."""
    carts = iter(range(700_000, 800_000))
    found: dict[str, list[dict[str, float]]] = defaultdict(list)

    def ready(name: str, what: str) -> Ask:
        if what != "create session":
            return repeatable[name][what]
        who = Customer(next(carts))
        peers[name].run([walk.add_item(who)], keep=False)
        return walk.create_session(who)

    def ours(function: str) -> dict[str, float]:
        name, event = event_of(ready("ours", COLD[function]), *stage.issuer)
        line = json.dumps({"function": name, "event": event}) + "\n"
        return cold([sys.executable, "-m", "benchmarks.worker"], peers["ours"].worker.environment, line)

    def peer(name: str, what: str) -> dict[str, float]:
        python = peers[name].worker.python
        line = json.dumps({"asks": [asdict(ready(name, what))]}) + "\n"
        return cold([python, "-m", "benchmarks.peers.host", name], peers[name].worker.environment, line)

    def importing(name: str, module: str) -> dict[str, float]:
        return cold([peers[name].worker.python, "-c", f"import {module}" if module else ""], peers[name].worker.environment)

    tries: dict[str, Callable[[], dict[str, float]]] = {"import: bare Python": lambda: importing("ours", "")}
    for function in sorted(app.parent.name for app in (ROOT / "functions").glob("*/app.py")):
        tries[f"import: {function}"] = lambda function=function: importing("ours", f"functions.{function}.app")  # type: ignore[misc]
    for name in PEERS[1:]:
        tries[f"import: {name}"] = lambda name=name: importing(name, f"benchmarks.peers.{name}")  # type: ignore[misc]
    for function, what in COLD.items():
        tries[f"first answer: {function}"] = lambda function=function: ours(function)  # type: ignore[misc]
        for name in PEERS[1:]:
            tries[f"first answer: {name}, {what}"] = lambda name=name, what=what: peer(name, what)  # type: ignore[misc]
    for number in range(times):
        for what in random.sample(list(tries), len(tries)):
            found[what].append(tries[what]())
        print(f"cold starts {number + 1} of {times}", flush=True)
    return dict(found)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--flows", type=int, default=10, help="customers of each peer in a round")
    parser.add_argument("--cold", type=int, default=7, help="processes of each kind that are started cold")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="payfirst-bench-")))
        own, trusted = make_certificate(folder)
        stage = running.enter_context(Stage(metered=False, certificate=str(own)))
        postgres = running.enter_context(Postgres())
        peers = open_peers(running, stage, postgres, trusted)
        repeatable = measure_warm(stage, peers, chosen.rounds, chosen.flows)
        slow = measure_held(stage, peers, chosen.rounds, chosen.flows)
        cold_starts = measure_cold(stage, peers, repeatable, chosen.cold)
        warm = {name: {"blocks": peer.figures, "walls": peer.walls} for name, peer in peers.items()}
        write(warm, slow, cold_starts, postgres.version, load, vars(chosen))
    print(f"{RESULTS.relative_to(ROOT)} and docs/performance.md are written.")


if __name__ == "__main__":
    main()
