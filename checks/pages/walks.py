"""The files that a request passes, in order, as `sys.setprofile` sees them in the real handlers of a shop in memory.

The process is warm: what a container keeps from one request to the next (settings, secrets, clients) has been read before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final
from unittest.mock import patch

from tests.faults.flows.base import paid_booking
from tests.faults.model_table import ModelTable
from tests.faults.seam import Boundary, Service
from tests.faults.world import TOMATOES, World, at_work

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "layers" / "common" / "python" / "payfirst"
FUNCTIONS: Final = ROOT / "functions"
MOST_NAMES: Final = 3
ONE_MORE: Final = "1. "
"""A number for each entry of a list, the same for all: a file more is one line more of a difference."""

DELIVERY: Final = {
    "full_name": "John Doe",
    "phone_number": "0712345678",
    "county_id": 1,
    "subcounty_id": 5,
    "detailed_address": "A 1",
}

Step = Callable[[], Any]
Walk = dict[str, list[str]]
"""By file, as a page names it: the functions that were entered, both in order."""


def shown(frame: FrameType) -> str | None:
    """The file as pages name it; None for one that is not of the service."""
    file = Path(frame.f_code.co_filename)
    if file.is_relative_to(PACKAGE):
        return str(file.relative_to(PACKAGE))
    return str(file.relative_to(ROOT)) if file.is_relative_to(FUNCTIONS) else None


@contextmanager
def profiled(see: Callable[[FrameType, str], None]) -> Iterator[None]:
    """`see` is told of each call of a function of the service, with its file."""

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and not frame.f_code.co_name.startswith("<") and (file := shown(frame)):
            see(frame, file)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


def walked(step: Step) -> Walk:
    """What one step passes."""
    passed: Walk = {}

    def see(frame: FrameType, file: str) -> None:
        names = passed.setdefault(file, [])
        if frame.f_code.co_name not in names:
            names.append(frame.f_code.co_name)

    with profiled(see):
        step()
    return passed


@contextmanager
def shop() -> Iterator[World]:
    """A shop that sells tomatoes and pujas, in which no time passes: a slow machine walks the same way."""
    with patch("time.monotonic", lambda: 0.0), at_work(World(ModelTable(), seed=1)) as world:
        world.stock()
        yield world


def told(world: World) -> dict[str, Step]:
    """PhonePe tells of a puja that was paid."""
    started = paid_booking(world)
    notice = next(each for each in world.ledger.notices if started.attempt.ref.encode() in each.raw)
    return {f"POST {notice.path}": lambda: world.deliver(notice)}


def named(world: World) -> dict[str, Step]:
    """A session is made, and read by its id."""
    customer, made = world.customer(), {}
    world.fill_cart(customer)

    def make() -> None:
        made.update(world.http("POST", "/api/payments/sessions/", customer, {"delivery_details": DELIVERY})[1])

    def read() -> None:
        world.http("GET", f"/api/payments/sessions/{made['session_id']}/", customer)

    return {"POST /api/payments/sessions/": make, "GET /api/payments/sessions/{session_id}/": read}


def priced(world: World) -> dict[str, Step]:
    """A listing is looked at, put into the cart, taken into a session and paid for by a prompt."""
    customer, made = world.customer(), {}

    def make() -> None:
        made.update(world.http("POST", "/api/payments/sessions/", customer, {"delivery_details": DELIVERY})[1])

    return {
        "GET /api/listings/{listing_id}/": lambda: world.http("GET", f"/api/listings/{TOMATOES}/"),
        "POST /api/carts/add_item/": lambda: world.http(
            "POST", "/api/carts/add_item/", customer, {"listing_id": TOMATOES, "quantity": 2}
        ),
        "POST /api/payments/sessions/": make,
        "POST /api/payments/sessions/{session_id}/initiate_payment/": lambda: world.http(
            "POST", f"/api/payments/sessions/{made['session_id']}/initiate_payment/", customer, {}
        ),
    }


@cache
def measured(walk: Callable[[World], dict[str, Step]]) -> dict[str, Walk]:
    """By step, what it passes in a warm process."""
    with shop() as world:
        for step in walk(world).values():
            step()
    with shop() as world:
        return {name: walked(step) for name, step in walk(world).items()}


def link(file: str) -> str:
    base = ROOT if file.startswith("functions/") else PACKAGE
    return f"[`{file}`](../{(base / file).relative_to(ROOT)})"


def notice() -> str:
    """Every file with the first functions that were entered in it."""
    [(_, passed)] = measured(told).items()
    rows = []
    for file, entered in passed.items():
        names = [f"`{name}`" for name in entered if not name.startswith("_")] or [f"`{entered[0]}`"]
        more = ", …" if len(names) > MOST_NAMES else ""
        rows.append(f"{ONE_MORE}{link(file)}: {', '.join(names[:MOST_NAMES])}{more}")
    return "\n".join([f"{len(passed)} files:", "", *rows])


def steps(walk: Callable[[World], dict[str, Step]]) -> str:
    """Every file under the step that passes it first."""
    seen: set[str] = set()
    lines: list[str] = []
    for name, passed in measured(walk).items():
        new = [file for file in passed if file not in seen]
        seen.update(new)
        said = f"{len(passed)} files" if len(new) == len(passed) else f"{len(passed)} files, {len(new)} of them new"
        lines += [f"- `{name}`, {said}:", *(f"  {ONE_MORE}{link(file)}" for file in new)]
    return "\n".join([f"{len(seen)} files:", "", *lines])


def session_id() -> str:
    return steps(named)


def price() -> str:
    return steps(priced)


def notice_drawn() -> str:
    """The same notice as a sequence of calls: between use cases, to the table and to the gateway."""
    lines: list[str] = []

    def place(frame: FrameType | None) -> tuple[str, str]:
        """The use case, or function, that `frame` works for, and what of the package it called last."""
        last = ""
        while frame is not None:
            file = shown(frame) or ""
            if file.startswith(("usecases/", "functions/")):
                return file.removesuffix("/app.py").removesuffix(".py").rpartition("/")[2], last
            if file and not file.startswith("storage/dynamodb/"):
                last = frame.f_code.co_name
            frame = frame.f_back
        return "", last

    def called(frame: FrameType, file: str) -> None:
        caller, _ = place(frame.f_back)
        callee, _ = place(frame)
        if file.startswith("usecases/") and caller not in ("", callee) and not frame.f_code.co_name.startswith("_"):
            lines.append(f"{caller}->>{callee}: {frame.f_code.co_name}")

    def asked(boundary: Boundary) -> None:
        caller, last = place(sys._getframe(1))  # noqa: SLF001 - the only way to ask who calls
        whom = "PhonePe" if boundary.service is Service.GATEWAY else boundary.service.value
        lines.append(f"{caller}->>{whom}: {last} ({boundary.operation})")

    measured(told)  # so that the process is warm
    with shop() as world:
        [(path, step)] = told(world).items()
        world.seam.active, world.seam.turn = True, asked
        with profiled(called):
            step()
    drawn = [f"PhonePe->>webhook: {path}", *lines, "webhook-->>PhonePe: 200"]
    return "\n".join(["```mermaid", "sequenceDiagram", *(f"  {line}" for line in drawn), "```"])
