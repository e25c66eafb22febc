"""What `make bench` found, as JSON beside this file and as tables between the markers of docs/performance.md."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.plot import PICTURE, draw
from benchmarks.quick import BUDGET
from benchmarks.share import SHARE
from local.embedded_aws import ROOT

RESULTS: Final = Path(__file__).with_name("results.json")
PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- written by make bench: begin -->", "<!-- written by make bench: end -->"
NAMES: Final = {
    "ours": "this service",
    "django_shop": "Django",
    "fastapi_shop": "FastAPI",
    "powertools": "Powertools",
    "bare": "bare loop",
}
ON_POSTGRES: Final = ("django_shop", "fastapi_shop")
ROWS: Final = ("create session", "initiate", "notice", "notice, duplicate", "status", "list of sessions", "list of orders")
TO_DJANGO: Final = {
    "create session": 0.28,
    "initiate": 0.6,
    "notice": 0.35,
    "notice, duplicate": 0.6,
    "status": 0.33,
    "list of sessions": 0.5,
    "list of orders": 0.5,
}
"""The most that a request may cost, divided by what it costs Django and its database."""
FIRST: Final = {
    "webhook": ("notice, duplicate", 0.4),
    "create_session": ("create session", 0.7),
    "read_payments": ("status", 0.7),
    "bookings": ("list of orders", 0.7),
}
REQUESTS: Final = {"create session": (2, 2, 8), "initiate": (3, 3, 14), "notice": (None, 4, 26), "notice, duplicate": (1, 1, 0),
                   "status": (1, 1, 0), "list of sessions": (1, 1, 0)}  # fmt: skip
"""Requests, rounds and write units, with those of the index, at most; None sets no limit."""
ORDER: Final = ("cart: add item", "create session", "initiate", "notice", "deliver an order")
ORDER_UNITS: Final = 60
WHY: Final = {
    "U/CART": "the cart: a session is made of the version that it froze, and the order empties it",
    "U/S": "the session: its status is the condition of every step; twice for a notice, since money comes before stock",
    "U/S#~": "how many sessions the customer has, which are open, how many in this hour: the list's count and both limits",
    "U/O#~": "how many orders the customer has: it comes with the page of the list, which is one request",
    "U/E": "the timeline's entries, which are the outbox: made, marked as delivered; one leased and marked for its e-mail",
    "U/V": "the guard of the cart's version: paid for once, whatever becomes of the cart meanwhile",
    "U/O": "the order",
    "U/HOUR": "how many prompts the customer asked for in this hour; the limit is its condition, without a read before",
    "LISTING": "price and stock: the session's price is the listing's when it is made, and stock is sold once",
    "ATT": "the attempt: claimed, sent, succeeded, fulfilled; by its entry in the index a sweep finds what was broken off",
    "PTR": "what leads from a public code or a gateway's id to its owner, and makes sure that it is used once",
    "FOUND": "by which numbers and address the shop's people find the payment, from its beginning on",
    "PHONE": "the lock of the phone: one prompt at a time, taken and given back",
    "PHONE/HOUR": "how many prompts the phone had in this hour, whoever asked",
    "ATT/INBOX": "the notice, kept before it is believed, and marked as settled by what it settled",
    "RECEIPT": "the proof that a receipt serves one payment",
    "TOTALS": "the money of the day, in the transaction that moves it",
    "MONEY": "the payment's line in exports of the day",
    "SEQUENCE": "the day's order number",
    "COUNTS": "how many sessions came how far, in the write that marks their events as delivered: each counts once",
}
"""Why each kind of item is written, by `units.kind_of`."""
IMPORT_TIMES_BARE: Final = 15

Figures = dict[str, Any]


def write(
    warm: Mapping[str, Figures],
    held: Mapping[str, Mapping[str, Sequence[int]]] | None,
    cold: Mapping[str, Sequence[Mapping[str, float]]],
    postgres: str,
    load: float,
    chosen: Figures,
) -> None:
    """Write both files from what was measured."""
    results: Figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _said("git", "rev-parse", "--short", "HEAD"),
        "machine": _machine(),
        "python": sys.version.split()[0],
        "postgres": postgres,
        "load before": round(load, 1),
        "chosen": chosen,
        "warm": {name: {row: _warm(name, found, row) for row in ROWS} for name, found in warm.items()},
        "held": None
        if held is None
        else {name: {row: _walls(walls) for row, walls in rows.items()} for name, rows in held.items()},
        "cold": {
            what: {part: _spread([one[part] for one in tries]) for part in ("cpu", "wall")} for what, tries in cold.items()
        },
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draw(results["warm"], ROWS, NAMES)
    PAGE.write_text(written_anew(), encoding="utf-8")


def written_anew() -> str:
    """The page with the tables of what was measured last and of today's budget."""
    text = PAGE.read_text(encoding="utf-8")
    lines = page(json.loads(RESULTS.read_text(encoding="utf-8")))
    return text.partition(BEGIN)[0] + BEGIN + "\n" + "\n".join(lines) + "\n" + END + text.partition(END)[2]


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def _machine() -> str:
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return f"{len(models)} times {models[0] if models else platform.machine()}"


def _spread(values: Sequence[float]) -> list[float]:
    """Median, first and third quartile."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return [round(median(values), 1), round(low, 1), round(high, 1)]


def _warm(name: str, found: Figures, row: str) -> Figures:
    blocks = found["blocks"][row]
    own = [one["cpu"] + (one["database"] if name in ON_POSTGRES else 0) for one in blocks]
    return {
        "cpu": _spread(own),
        "of it database": _spread([one["database"] for one in blocks]) if name in ON_POSTGRES else None,
        "embedded DynamoDB": None if name in ON_POSTGRES else _spread([one["database"] for one in blocks]),
        **_walls(found["walls"][row]),
    }


def _walls(nanoseconds: Sequence[int]) -> Figures:
    walls = sorted(one / 1e6 for one in nanoseconds)
    return {"median ms": round(median(walls), 2), "p95 ms": round(walls[int(len(walls) * 0.95)], 2)}


def page(results: Figures) -> Iterator[str]:
    """The lines of the tables."""
    warm, chosen = results["warm"], results["chosen"]
    yield ""
    yield f"Measured on {results['date']} at commit {results['commit']}: {results['machine']}, Python {results['python']},"
    yield f"{results['postgres']}; {chosen['rounds']} rounds of {chosen['flows']} customers; the load of the machine was"
    yield f"{results['load before']} before it began."
    yield ""
    yield "### Processor time of one request, in µs"
    yield ""
    yield "User and system time, PostgreSQL's included; median, in brackets the quartiles."
    yield ""
    yield from _table(["request", *NAMES.values()], [[row, *(_cell(warm[name][row]["cpu"]) for name in NAMES)] for row in ROWS])
    yield ""
    yield "### The same, as ratios"
    yield ""
    rows = []
    for row in ROWS:
        own = warm["ours"][row]["cpu"][0]
        ratios = [own / warm[name][row]["cpu"][0] for name in list(NAMES)[1:]]
        rows.append([row, *(f"{ratio:.2f}" for ratio in ratios), f"≤ {TO_DJANGO[row]}", _met(ratios[0] <= TO_DJANGO[row])])
    yield from _table(["request", *(f"÷ {name}" for name in list(NAMES.values())[1:]), "goal ÷ Django", ""], rows)
    yield ""
    yield f"![The same as bars](pictures/{PICTURE.name})"
    yield ""
    yield "### Latency on this machine, median / 95th percentile, in ms"
    yield ""
    yield "With PostgreSQL and the embedded DynamoDB on the same machine: what AWS adds, 5 to 10 ms a round, is not in it."
    yield ""
    shown = [[row, *(f"{warm[name][row]['median ms']} / {warm[name][row]['p95 ms']}" for name in NAMES)] for row in ROWS]
    yield from _table(["request", *NAMES.values()], shown)
    yield ""
    yield from _held(results["held"])
    yield from _cold(results["cold"])
    yield from _requests()


def _held(held: Mapping[str, Mapping[str, Figures]] | None) -> Iterator[str]:
    yield f"### Latency with {SHARE:.2f} of a processor, median / 95th percentile, in ms"
    yield ""
    if held is None:
        yield "Not measured: a process is held to its share by control groups, which take root."
    else:
        yield "The process alone is held to what 512 MB of Lambda have; its database is not."
        yield ""
        rows = [row for row in ROWS if row in held["ours"]]
        shown = [[row, *(f"{held[name][row]['median ms']} / {held[name][row]['p95 ms']}" for name in NAMES)] for row in rows]
        yield from _table(["request", *NAMES.values()], shown)
    yield ""


def _cold(cold: Mapping[str, Mapping[str, list[float]]]) -> Iterator[str]:
    bare, django = cold["import: bare Python"]["cpu"][0], cold["import: django_shop"]["cpu"][0]
    yield "### Cold starts"
    yield ""
    yield "A process from its start to its end, in ms."
    yield ""
    rows = []
    for what, found in sorted(cold.items()):
        if what.startswith("import: "):
            own = found["cpu"][0]
            goal = (
                f"≤ {IMPORT_TIMES_BARE} times bare: {_met(own <= IMPORT_TIMES_BARE * bare)}" if what.endswith("webhook") else ""
            )
            rows.append([what, _cell(found["cpu"]), _cell(found["wall"]), f"{own / bare:.1f}", f"{own / django:.2f}", goal])
    yield from _table(["", "processor", "wall", "times bare", "÷ Django", "goal"], rows)
    yield ""
    rows = []
    for function, (what, most) in FIRST.items():
        mine, other = cold[f"first answer: {function}"]["cpu"], cold[f"first answer: django_shop, {what}"]["cpu"]
        ratio = mine[0] / other[0]
        shown = [_cell(mine), _cell(other), f"{ratio:.2f}", f"≤ {most}", _met(ratio <= most)]
        rows.append([f"{function}: {what}", *shown])
    yield from _table(["import and first answer, processor", "this service", "Django", "ratio", "goal", ""], rows)
    yield ""


def _requests() -> Iterator[str]:
    counted = json.loads(BUDGET.read_text(encoding="utf-8"))["requests"]
    yield "### What the table is asked, at the template's own limits"
    yield ""
    yield "Exact, from `benchmarks/budget.json`. Write units are those of the table and, after the plus, of its index."
    yield ""
    rows = []
    for name, (requests, rounds, units) in REQUESTS.items():
        found = counted[name]
        sent = sum(count for operation, count in found["requests"].items() if "." not in operation)
        fits = (
            (requests is None or sent <= requests) and found["rounds"] <= rounds and found["writes"] + found["index"] <= units
        )
        goal = f"{requests or 'any'} / {rounds} / {units}"
        rows.append([name, sent, found["rounds"], found["reads"], f"{found['writes']} + {found['index']}", goal, _met(fits)])
    whole = sum(counted[name]["writes"] + counted[name]["index"] for name in ORDER)
    rows.append(
        ["an order, from cart to last event", "", "", "", whole, f"≤ {ORDER_UNITS} write units", _met(whole <= ORDER_UNITS)]
    )
    yield from _table(
        ["", "requests", "rounds", "read units", "write units", "goal: requests / rounds / write units", ""], rows
    )
    yield from _items(counted)


def _items(budget: Figures) -> Iterator[str]:
    """Of an order's write units: which item takes which, and why it has to."""
    yield ""
    yield "### Which items an order writes"
    yield ""
    yield "Units of the table and, after the plus, of its index. In a transaction an item costs two for each kilobyte begun;"
    yield "none is longer than one. Kinds are those of [the table](table.md), by the words that their keys begin with."
    yield ""
    spent = {name: budget[name]["items"] for name in ORDER}
    rows = [[f"`{kind}`", *(_spent(spent[name].get(kind)) for name in ORDER), WHY[kind]] for kind in WHY]
    sums = [_spent([budget[name]["writes"], budget[name]["index"]]) for name in ORDER]
    yield from _table(["item", *ORDER, "why it is there"], [*rows, ["all", *sums, ""]])


def _spent(units: Sequence[int] | None) -> str:
    return "" if units is None else f"{units[0]} + {units[1]}" if units[1] else str(units[0])


def _met(is_met: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "met" if is_met else "missed"


def _cell(spread: Sequence[float]) -> str:
    return f"{spread[0]:,.0f} ({spread[1]:,.0f}-{spread[2]:,.0f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)
