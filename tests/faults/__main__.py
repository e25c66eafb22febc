"""`python -m tests.faults short | soak | replay | kill`: the fault machine outside of pytest, with the same code."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.clients import chosen
from tests.faults import mutants
from tests.faults.explore import replay
from tests.faults.form import CORES, SHORT, Plan, Sum, steps, workshop
from tests.faults.scenarios import SCENARIOS

app = typer.Typer(add_completion=False, help="Try faults at every call, races in every order, and guards that are missing.")


def _run(plan: Plan) -> None:
    console, began, found = Console(), time.monotonic(), Sum()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with workshop() as (aws, pool), Progress(*columns, console=console) as bar:
        for step in steps(plan, aws, pool):
            task, before = bar.add_task(step.name, total=step.total), len(found.broken)
            started = time.monotonic()
            for _ in step.run(found):
                bar.advance(task)
                for sentence in found.broken[before:]:
                    bar.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
                before = len(found.broken)
            if not console.is_terminal:  # a log shows no bars that move
                bar.console.print(f"{step.name}: {time.monotonic() - started:.0f} s", highlight=False)
    print(found.line(time.monotonic() - began))  # noqa: T201 - the one line that this is about
    sys.exit(1 if found.broken or found.noticed < found.mutants else 0)


@app.command()
def short(client: str | None = None) -> None:
    """The form that CI runs: a few minutes. What asks a real table is done by both clients in turn, or by the one named."""
    _run(replace(SHORT, clients=chosen(client)))


@app.command()
def soak(minutes: float = 60, seed: int = 2) -> None:
    """About as long as told, half of it races; the other steps grow with it: from 250 minutes on, every single fault also meets
    a real client."""
    more = minutes / 10
    seconds = minutes * 60 / 2 * CORES / len(SCENARIOS)
    wired_every, real = max(1, round(SHORT.wired_every / more)), max(SHORT.real, round(minutes * 4))
    examples = max(SHORT.examples, round(SHORT.examples * more))
    _run(Plan(seconds=seconds, wired_every=wired_every, real=real, notices=SHORT.notices, examples=examples, seed=seed))


@app.command(name="replay")
def again(scenario: str, schedule: str) -> None:
    """Run one schedule again as a failure printed it."""
    replay(SCENARIOS[scenario], schedule)
    Console().print("It holds.")


@app.command()
def kill() -> None:
    """Let every mutant meet the whole suite, and write down who notices which."""
    killers = dict(mutants.killers(mutants.mutants()))
    mutants.keep({str(mutant): killer for mutant, killer in killers.items()})
    for mutant in sorted(mutant for mutant, killer in killers.items() if killer is None):
        Console().print(str(mutant), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    app()
