"""`make bench-quick` is red when a function imports one more module, asks for one thing more, or writes one unit more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.events import event_of
from benchmarks.quick import PYTHON, Figures, confirmed, differences, metered
from benchmarks.stage import Stage, Worker
from benchmarks.walk import Ask, Customer, add_item, list_sessions

HEALTH = Ask("health", "GET", "/health/")
ONE_MORE_MODULE = """
import colorsys
from functions.site.app import handler
"""
ONE_MORE_REQUEST = """
import os
import boto3
from functions.read_payments import app

def handler(event, context):
    key = {"pk": {"S": "nobody"}, "sk": {"S": "nothing"}}
    boto3.client("dynamodb").get_item(TableName=os.environ["TABLE_NAME"], Key=key, ConsistentRead=True)
    return app.handler(event, context)
"""
LONGER = """
import json
from functions.carts import app
from payfirst.storage import carts

to_item = carts.produce_cart_to_item

def longer(*given):
    return {**to_item(*given), "padding": "x" * 1024}

carts.produce_cart_to_item = longer
handler = app.handler
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A shop with the meter before its table."""
    with Stage(metered=True) as opened:
        yield opened


@pytest.fixture
def seeded(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a function that is like one of ours but for one thing; the paths on which a worker finds it as `seeded.app`."""

    def write(source: str) -> list[str]:
        (tmp_path / "seeded").mkdir()
        (tmp_path / "seeded" / "app.py").write_text(source, encoding="utf-8")
        return [str(tmp_path)]

    return write


def budget(**parts: Any) -> Figures:
    return {"python": PYTHON, "requests": {}, "instructions": {}, "modules": {}, **parts}


@pytest.mark.skipif(PYTHON == "3.11", reason="bytecode is counted from Python 3.12 on")
def test_one_more_module_is_named_with_the_function_that_imports_it(stage: Stage, seeded: Callable[[str], list[str]]) -> None:
    _, event = event_of(HEALTH, *stage.issuer)
    found = []
    for function, paths in (("site", []), ("seeded.app", seeded(ONE_MORE_MODULE))):
        with Worker(stage.environment, "--counted", function, paths=paths) as worker:
            told = worker.ask(function=function, event=event)
        assert told["answer"]["statusCode"] == 200
        found.append(budget(modules=dict.fromkeys(told["modules"], "site")))

    assert list(differences(*found).values()) == [
        "colorsys is imported by site, in the budget nothing",
        "seeded is imported by site, in the budget nothing",
        "seeded.app is imported by site, in the budget nothing",
    ]


def test_one_more_request_is_a_difference(stage: Stage, seeded: Callable[[str], list[str]]) -> None:
    function, event = event_of(list_sessions(Customer(101)), *stage.issuer)
    with Worker(stage.environment, paths=seeded(ONE_MORE_REQUEST)) as worker:
        before, _ = metered(stage, worker, function, event)
        after, told = metered(stage, worker, "seeded.app", event)

    assert told["answer"]["statusCode"] == 200
    assert (before["requests"], after["requests"]) == ({"GetItem": 1, "Query": 1}, {"GetItem": 2, "Query": 1})
    [sentence] = differences(budget(requests={"list": before}), budget(requests={"list": after})).values()
    assert sentence.startswith("list asks AWS for {'requests': {'GetItem': 2, 'Query': 1}, 'rounds': 3, ")


def test_one_more_write_unit_is_a_difference(stage: Stage, seeded: Callable[[str], list[str]]) -> None:
    found = []
    for number, paths in ((102, []), (103, seeded(LONGER))):
        function, event = event_of(add_item(Customer(number)), *stage.issuer)
        with Worker(stage.environment, paths=paths) as worker:
            figures, told = metered(stage, worker, "seeded.app" if paths else function, event)
        assert told["answer"]["statusCode"] == 200
        found.append(figures)

    assert found[1] == {**found[0], "writes": found[0]["writes"] + 1, "items": {"U/CART": [2, 0]}}
    assert len(differences(budget(requests={"add": found[0]}), budget(requests={"add": found[1]}))) == 1


def test_instructions_may_differ_by_one_per_cent_and_no_more() -> None:
    def executed(first: int) -> Figures:
        return budget(instructions={"site": {"import": 1_000_000, "answer": first}})

    assert not differences(executed(100_000), executed(101_000))
    assert list(differences(executed(100_000), executed(101_001)).values()) == [
        "site: the answer executes 101,001 instructions, in the budget 100,000"
    ]


def test_what_became_better_is_a_difference_too_so_that_the_budget_follows() -> None:
    two, one = ({"status": {"requests": {"GetItem": count}}} for count in (2, 1))
    assert len(differences(budget(requests=two), budget(requests=one))) == 1


def test_what_differs_twice_is_one_though_its_number_is_another_each_time() -> None:
    first, again = (
        differences(budget(instructions={"site": {"import": 100, "answer": 9}}), budget(instructions={"site": now}))
        for now in ({"import": 150, "answer": 9}, {"import": 151, "answer": 9})
    )
    assert len(confirmed(first, again)) == 1
    assert not confirmed(first, {})


def test_a_function_that_is_measured_no_more_is_a_difference() -> None:
    assert len(differences(budget(instructions={"site": {"import": 100, "answer": 9}}), budget(instructions={}))) == 2
