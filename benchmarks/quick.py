"""What does not depend on the machine, against the budgets in `budget.json`: a minute's gate for every change.

    python -m benchmarks.quick            # exit code 1 and a line for each difference
    python -m benchmarks.quick --write    # the budgets are what was measured

For each function: the modules that its cold start imports, exactly, and the bytecode instructions of its import and its first
answer, within one per cent. For each endpoint, at the template's own limits: requests, rounds, read and write units, exactly.
A better figure is a difference too: then the budget is written anew, and the diff shows what was won.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks import walk
from benchmarks.events import event_of
from benchmarks.stage import WEBHOOK, Stage, Worker
from benchmarks.walk import Answer, Ask, Customer
from local.embedded_aws import ROOT

BUDGET: Final = Path(__file__).with_name("budget.json")
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
NEAR: Final = 0.01
SUCCESS: Final = range(200, 300)
ALL: Final = "all"

Figures = dict[str, Any]
"""The content of `budget.json`."""


def functions() -> list[str]:
    """Every function, by its folder."""
    return sorted(app.parent.name for app in (ROOT / "functions").glob("*/app.py"))


def answered(told: Mapping[str, Any], ask: Ask) -> Any:
    """The body of a function's answer; RuntimeError for any but a success."""
    answer = told["answer"]
    if not ask.method:
        return answer
    if answer["statusCode"] not in SUCCESS:
        raise RuntimeError(f"{ask.method} {ask.path} was answered {answer['statusCode']}: {answer['body']}")
    return json.loads(answer["body"]) if answer.get("body") else None


def everything(answer: Answer, stage: Stage, first: int) -> None:
    """Each endpoint that is measured, once; the customers are those from number `first` on."""
    buyer, believer = Customer(first), Customer(first + 1)
    session = walk.produce(answer, stage.gateways, buyer)
    walk.deliver(answer, "an order")
    walk.reads(answer, buyer, session)
    walk.puja(answer, believer, WEBHOOK)
    walk.operators(answer, buyer)
    walk.sweep(answer, stage.gateways, WEBHOOK)


MANY: Final = 40
"""Of so many requests, most of them side by side, the rounds are how the machine lets threads take turns, and no budget."""


def metered(stage: Stage, worker: Worker, function: str, event: Mapping[str, Any]) -> tuple[Figures, dict[str, Any]]:
    """What a function asks of AWS for one event, and what the worker tells of its answer."""
    with stage.meter.counting() as counted:
        told = worker.ask(function=function, event=event)
    asked: Figures = {"requests": dict(sorted(counted.operations.items()))}
    if counted.operations.total() < MANY or counted.rounds * 2 > counted.operations.total():
        asked["rounds"] = counted.rounds
    written = {"writes": counted.writes, "index": counted.index, "items": dict(sorted(counted.items.items()))}
    return {**asked, "reads": counted.reads, **written}, told


def measure_requests(stage: Stage) -> dict[str, Figures]:
    """What each endpoint asks of AWS in a container that is warm, by its name."""
    found: dict[str, Figures] = {}
    with Worker(stage.environment) as worker:

        def answer(ask: Ask) -> Any:
            found[ask.name], told = metered(stage, worker, *event_of(ask, *stage.issuer))
            return answered(told, ask)

        everything(answer, stage, 1)
        everything(answer, stage, 3)
    return {name: figures for name, figures in found.items() if not name.startswith(walk.TIDY)}


def measure_cold_starts(stage: Stage) -> tuple[dict[str, list[str]], dict[str, Figures]]:
    """The functions that import each module, and what each function's import and first answer execute."""
    modules: dict[str, list[str]] = defaultdict(list)
    executed: dict[str, Figures] = {}
    with ExitStack() as running:
        cold = {name: running.enter_context(Worker(stage.environment, "--counted", name)) for name in functions()}
        warm = running.enter_context(Worker(stage.environment))

        def answer(ask: Ask) -> Any:
            function, event = event_of(ask, *stage.issuer)
            is_cold = function not in executed and (ask.method != "" or ask.name.startswith(walk.IDLE))
            told = (cold[function] if is_cold else warm).ask(function=function, event=event)
            if is_cold:
                executed[function] = {"first answer": ask.name, "import": told["import"], "answer": told["first"]}
                for module in told["modules"]:
                    modules[module].append(function)
            return answered(told, ask)

        everything(answer, stage, 5)
    return dict(modules), executed


def measure() -> Figures:
    """The content that `budget.json` would have."""
    with Stage(metered=True) as stage:
        requests = measure_requests(stage)
        modules, executed = measure_cold_starts(stage)
    everywhere = len(executed)
    shown = {name: ALL if len(found) == everywhere else " ".join(sorted(found)) for name, found in sorted(modules.items())}
    return {"python": PYTHON, "requests": requests, "instructions": dict(sorted(executed.items())), "modules": shown}


def differences(budget: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, str]:
    """What of `measured` is not as `budget` says, by what it is about, with a sentence for each."""
    found = _changed("requests", budget, measured, "asks AWS for")
    if budget["python"] != measured["python"]:
        return found  # modules and instructions are those of one Python
    found |= _changed("modules", budget, measured, "is imported by")
    for function in sorted(budget["instructions"].keys() | measured["instructions"].keys()):
        before, now = (each["instructions"].get(function, {}) for each in (budget, measured))
        for what in ("import", "answer"):
            was, does = before.get(what, 0), now.get(what, 0)
            if abs(does - was) > NEAR * was:
                said = f"{function}: the {what} executes {does:,} instructions, in the budget {was:,}"
                found[f"{what} of {function}"] = said
    return found


def confirmed(first: Mapping[str, str], again: Mapping[str, str]) -> dict[str, str]:
    """What differs both times, whatever its number was."""
    return {about: said for about, said in again.items() if about in first}


def _changed(part: str, budget: Mapping[str, Any], measured: Mapping[str, Any], does: str) -> dict[str, str]:
    found = {}
    for name in sorted(budget[part].keys() | measured[part].keys()):
        before, now = budget[part].get(name, "nothing"), measured[part].get(name, "nothing")
        if before != now:
            found[f"{part} of {name}"] = f"{name} {does} {now}, in the budget {before}"
    return found


def written(figures: Mapping[str, Any]) -> str:
    """The text of `budget.json`: a line for each endpoint, function and module, so that a diff names what changed."""
    parts = []
    for name, part in figures.items():
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in part.items()] if isinstance(part, dict) else []
        text = "{\n" + ",\n".join(lines) + "\n }" if lines else json.dumps(part)
        parts.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> int:
    """Measure, compare or write; the exit code. What differs is measured once more: a busy machine may have been the reason."""
    started = time.monotonic()
    measured = measure()
    if "--write" in sys.argv:
        BUDGET.write_text(written(measured), encoding="utf-8")
        from benchmarks.report import PAGE, written_anew  # noqa: PLC0415 - it reads the budget's file from here

        PAGE.write_text(written_anew(), encoding="utf-8")
        print(f"{BUDGET.relative_to(ROOT)} and its table are written after {time.monotonic() - started:.0f} s.")
        return 0
    budget = json.loads(BUDGET.read_text(encoding="utf-8"))
    found = differences(budget, measured)
    if found:
        found = confirmed(found, differences(budget, measure()))
    for said in found.values():
        print(said)
    if budget["python"] != PYTHON:
        print(f"This is Python {PYTHON}: modules and instructions are compared on {budget['python']} alone.")
    took = f"{time.monotonic() - started:.0f} s"
    print(
        f"{len(measured['requests'])} endpoints, {len(measured['instructions'])} cold starts: {len(found)} differences, {took}."
    )
    if found:
        print(
            "Where they are meant, `make bench-quick ARGS=--write` writes the budget anew; its diff says what was won or lost."
        )
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
