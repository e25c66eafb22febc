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

from ops.reconcile.books import Became, Books, Capture, Ledger
from ops.reconcile.comparison import compare
from ops.reconcile.simulated_ledger import read_ledger
from tests.conftest import RunningStack
from tests.faults.two_ledgers import REFUND_WRONGS, refunded_once
from tests.proofs.ledgers import read_items
from tests.proofs.storm import main, report, with_progress
from tests.proofs.storm_customers import OUTCOMES, Payment, Storm

SECONDS = 20.0
EACH = 2

Item = dict[str, Any]
OPERATOR: dict[str, Any] = {"cognito:groups": ["operators"]}


@pytest.fixture(scope="module")
def stormed(stack: RunningStack) -> tuple[list[Payment], Ledger, list[Item]]:
    """The storm's payments, and both ledgers when it was over."""
    tokens = [stack.token(user_id=7000 + number, email=f"storm-{number}@example.com") for number in range(5)]
    storm = Storm(
        base_url=stack.base_url,
        simulator_url=stack.simulator_url,
        tokens=tokens,
        operator=stack.token(user_id=6999, email="storm-operator@example.com", **OPERATOR),
        draw=random.Random(7),  # noqa: S311 - which payments are tried
    )
    payments = with_progress(Console(file=StringIO()), storm, seconds=SECONDS, each=EACH)
    return payments, read_ledger(stack.simulator_url), read_items(stack.environment)


def told(payments: list[Payment], books: Books) -> tuple[int, str]:
    """The exit status and what was printed."""
    page = StringIO()
    return report(Console(file=page, width=200), payments, books), page.getvalue()


def attempts_of(payments: list[Payment], items: Iterable[Item]) -> set[str]:
    """The attempts of this storm, without what other tests of this stack have left."""
    numbers = {payment.where.split("/")[-3] for payment in payments if payment.where}
    return {
        item["pk"].removeprefix("ATT#")
        for item in items
        if item["sk"] == "ATT" and (str(item["session_number"]) in numbers or _uuid_of(item, items) in numbers)
    }


def of_this_storm(payments: list[Payment], ledger: Ledger, items: Iterable[Item]) -> Books:
    """The join of this storm's attempts alone."""
    mine = attempts_of(payments, items)
    return Books(tuple(line for line in compare(ledger, items).lines if line.attempt in mine))


def _uuid_of(attempt: Item, items: Iterable[Item]) -> str | None:
    key = (f"U#{attempt['owner']}", f"S#{int(attempt['session_number']):016d}")
    return next((str(item["uuid"]) for item in items if (item["pk"], item["sk"]) == key), None)


def test_after_the_storm_every_capture_is_a_booking_or_an_order_and_everybody_was_told_so(
    stormed: tuple[list[Payment], Ledger, list[Item]],
) -> None:
    payments, ledger, items = stormed
    books = of_this_storm(payments, ledger, items)

    status, page = told(payments, books)

    assert status == 0, page
    assert {outcome: sum(payment.outcome == outcome for payment in payments) for outcome in OUTCOMES} == dict.fromkeys(
        OUTCOMES, len(payments) // len(OUTCOMES)
    )
    assert len(payments) >= EACH * len(OUTCOMES)
    paid = [payment for payment in payments if payment.expected == "paid"]
    assert len(books.lines) == len(paid)
    assert len([line for line in books.lines if line.returned]) >= EACH // 2
    assert {line.became for line in books.lines} == {Became.ORDER, Became.BOOKING}


Planted = tuple[Ledger, list[Item]]


def captures_of(ledger: Ledger, *captures: Capture) -> Ledger:
    return replace(ledger, captures=captures)


@pytest.mark.parametrize(
    "plant",
    ["order_lost", "order_doubled", "wrong_amount", "money_unknown", "capture_forgotten", "capture_invented", "wrong_total"],
)
def test_a_planted_difference_turns_the_join_red(stormed: tuple[list[Payment], Ledger, list[Item]], plant: str) -> None:
    _, ledger, items = stormed
    paid = {item["pk"]: item for item in items if item["sk"] == "ATT" and item["status"] == "succeeded"}
    capture = next(one for one in ledger.captures if one.gateway == "mpesa" and f"ATT#{one.ref}" in paid)
    attempt = paid[f"ATT#{capture.ref}"]
    outcome = next(
        item
        for item in items
        if item["pk"] == f"U#{attempt['owner']}"
        and item["sk"][:2] == "O#"
        and item.get("session_number") == attempt["session_number"]
    )
    others = [item for item in items if item is not attempt and item is not outcome]
    rest = [one for one in ledger.captures if one is not capture]
    invented = replace(capture, ref="MT0000000000000", shown="invented")
    planted: dict[str, Planted] = {
        "order_lost": (ledger, [*others, attempt]),
        "order_doubled": (ledger, [*items, {**outcome, "sk": "O#0000000000000001"}]),
        "wrong_amount": (captures_of(ledger, *rest, replace(capture, amount=capture.amount + 1)), items),
        "money_unknown": (ledger, [*others, outcome]),
        "capture_forgotten": (captures_of(ledger, *rest), items),
        "capture_invented": (captures_of(ledger, *ledger.captures, invented), items),
        "wrong_total": (ledger, [*others, attempt, {**outcome, "amount": outcome["amount"] - 1}]),
    }

    before = compare(ledger, items)
    books = compare(*planted[plant])

    assert len(books.differences) > len(before.differences)
    status, page = told([], books)
    assert status == 1
    assert "difference: " in page


@pytest.mark.parametrize("wrong", REFUND_WRONGS)
def test_one_refund_that_is_dropped_doubled_or_halved_turns_the_storm_red(
    stormed: tuple[list[Payment], Ledger, list[Item]], wrong: str
) -> None:
    payments, ledger, items = stormed
    two = refunded_once(ledger, items, among=attempts_of(payments, items))
    REFUND_WRONGS[wrong](two, "refunded")

    status, page = told(payments, of_this_storm(payments, two.ledger, two.items))

    assert status == 1
    assert f"{two.refs['refunded']}, refunded: ours" in page


def test_a_customer_who_was_told_something_untrue_turns_it_red() -> None:
    liar = Payment("cancel", "mpesa", "token", complaint="mpesa cancel: the customer is told paid")

    status, page = told([liar], Books(()))

    assert status == 1
    assert "the customer is told paid" in page


def test_without_a_running_stack_one_sentence_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "No local stack is running; start one with `make run` and try again.\n"
