"""A short storm at the whole stack: both ledgers agree afterwards, and a difference that was planted is found."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.books import Became, Books, Capture, compare, read_captures, read_items
from local.storm import main, report, with_progress
from local.storm_customers import OUTCOMES, Payment, Storm
from tests.conftest import RunningStack

SECONDS = 20.0
EACH = 2

Item = dict[str, Any]


@pytest.fixture(scope="module")
def stormed(stack: RunningStack) -> tuple[list[Payment], list[Capture], list[Item]]:
    """The storm's payments, and both ledgers when it was over."""
    tokens = [stack.token(user_id=7000 + number, email=f"storm-{number}@example.com") for number in range(5)]
    storm = Storm(
        base_url=stack.base_url,
        simulator_url=stack.simulator_url,
        tokens=tokens,
        draw=random.Random(7),  # noqa: S311 - which payments are tried
    )
    payments = with_progress(Console(file=StringIO()), storm, seconds=SECONDS, each=EACH)
    return payments, read_captures(stack.simulator_url), read_items(stack.environment)


def told(payments: list[Payment], books: Books) -> tuple[int, str]:
    """The exit status and what was printed."""
    page = StringIO()
    return report(Console(file=page, width=200), payments, books), page.getvalue()


def of_this_storm(payments: list[Payment], captures: Iterable[Capture], items: Iterable[Item]) -> Books:
    """The join without what other tests of this stack have left open."""
    numbers = {payment.where.split("/")[-3] for payment in payments}
    mine = {
        item["pk"].removeprefix("ATT#")
        for item in items
        if item["sk"] == "ATT" and (str(item["session_number"]) in numbers or _uuid_of(item, items) in numbers)
    }
    books = compare([capture for capture in captures if capture.ref in mine], items)
    return replace(books, without_money=tuple(told for told in books.without_money if any(ref in told for ref in mine)))


def _uuid_of(attempt: Item, items: Iterable[Item]) -> str | None:
    key = (f"U#{attempt['owner']}", f"S#{int(attempt['session_number']):016d}")
    return next((str(item["uuid"]) for item in items if (item["pk"], item["sk"]) == key), None)


def test_after_the_storm_every_capture_is_a_booking_or_an_order_and_everybody_was_told_so(
    stormed: tuple[list[Payment], list[Capture], list[Item]],
) -> None:
    payments, captures, items = stormed
    books = of_this_storm(payments, captures, items)

    status, page = told(payments, books)

    assert status == 0, page
    assert {outcome: sum(payment.outcome == outcome for payment in payments) for outcome in OUTCOMES} == dict.fromkeys(
        OUTCOMES, len(payments) // len(OUTCOMES)
    )
    assert len(payments) >= EACH * len(OUTCOMES)
    paid = [payment for payment in payments if payment.expected == "paid"]
    assert len(books.lines) == len(paid)
    assert {line.became for line in books.lines} == {Became.ORDER, Became.BOOKING}


def paid_attempt(captures: list[Capture], items: list[Item]) -> tuple[Item, Capture]:
    found = {item["pk"]: item for item in items if item["sk"] == "ATT" and item["status"] == "succeeded"}
    capture = next(capture for capture in captures if f"ATT#{capture.ref}" in found)
    return found[f"ATT#{capture.ref}"], capture


@pytest.mark.parametrize(
    "plant",
    ["order_lost", "order_doubled", "wrong_amount", "money_unknown", "capture_forgotten", "capture_invented", "wrong_total"],
)
def test_a_planted_difference_turns_the_join_red(stormed: tuple[list[Payment], list[Capture], list[Item]], plant: str) -> None:
    _, captures, items = stormed
    attempt, capture = paid_attempt([one for one in captures if one.gateway == "mpesa"], items)
    outcome = next(
        item
        for item in items
        if item["pk"] == f"U#{attempt['owner']}"
        and item["sk"][:2] == "O#"
        and item.get("session_number") == attempt["session_number"]
    )
    others = [item for item in items if item is not attempt and item is not outcome]
    rest = [one for one in captures if one is not capture]
    planted: dict[str, tuple[list[Capture], list[Item]]] = {
        "order_lost": (captures, [*others, attempt]),
        "order_doubled": (captures, [*items, {**outcome, "sk": "O#0000000000000001"}]),
        "wrong_amount": ([*rest, replace(capture, amount=capture.amount + 1)], items),
        "money_unknown": (captures, [*others, outcome]),
        "capture_forgotten": (rest, items),
        "capture_invented": ([*captures, replace(capture, ref="MT0000000000000", shown="invented")], items),
        "wrong_total": (captures, [*others, attempt, {**outcome, "amount": outcome["amount"] - 1}]),
    }

    before = compare(captures, items)
    books = compare(*planted[plant])

    assert len(books.differences) > len(before.differences)
    status, page = told([], books)
    assert status == 1
    assert "difference: " in page


def test_a_customer_who_was_told_something_untrue_turns_it_red() -> None:
    liar = Payment("cancel", "mpesa", "token", complaint="mpesa cancel: the customer is told paid")

    status, page = told([liar], Books((), ()))

    assert status == 1
    assert "the customer is told paid" in page


def test_without_a_running_stack_one_sentence_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "No stack is running here: start one with `make run` in another terminal.\n"
