"""What `make bench` compares and writes: answers without what differs between customers, goals that are met or missed."""

from __future__ import annotations

import json

from benchmarks.bench import normal
from benchmarks.quick import BUDGET
from benchmarks.report import ON_POSTGRES, ORDER, PAGE, ROWS, WHY, page, written_anew


def test_two_customers_get_the_same_answer_but_for_ids_times_and_stock() -> None:
    one = {
        "session_id": "01a2278e-f3cc-7acc-b62f-d9fcc4804e55",
        "user": 1,
        "created_at": "2026-11-29T13:46:49Z",
        "available": 9,
    }
    other = {
        "session_id": "550e8400-e29b-41d4-a716-446655440000",
        "user": 2,
        "created_at": "2024-01-15T10:30:00Z",
        "available": 7,
    }
    assert normal([one, "ORD-20261129-001"]) == normal([other, "ORD-20240115-1234"])
    assert normal({"order_id": None}) != normal({"order_id": 5})
    assert normal({"total_cost": "300.00"}) != normal({"total_cost": "301.00"})


def test_each_goal_is_met_or_missed_and_the_page_says_which() -> None:
    names = ("ours", *ON_POSTGRES, "powertools", "bare")
    warm = {
        name: {row: {"cpu": [100.0 if name == "ours" else 200.0, 1, 1], "median ms": 1, "p95 ms": 2} for row in ROWS}
        for name in names
    }
    functions = ("webhook", "create_session", "read_payments", "bookings")
    asked = ("notice, duplicate", "create session", "status", "list of orders")
    cold = {"import: bare Python": 10.0, "import: webhook": 150.0, "import: django_shop": 100.0}
    cold |= {f"first answer: {function}": 60.0 for function in functions}
    cold |= {f"first answer: django_shop, {what}": 100.0 for what in asked}
    results = {
        "warm": warm,
        "held": warm,
        "cold": {what: {"cpu": [value, 1, 1], "wall": [value, 1, 1]} for what, value in cold.items()},
        "date": "2026-01-01",
        "commit": "abc",
        "machine": "one",
        "python": "3.13",
        "postgres": "15",
        "load before": 0,
        "chosen": {"rounds": 1, "flows": 1},
    }
    lines = list(page(results))
    assert "| create session | 0.50 | 0.50 | 0.50 | 0.50 | ≤ 0.28 | missed |" in lines
    assert "| initiate | 0.50 | 0.50 | 0.50 | 0.50 | ≤ 0.6 | met |" in lines
    assert any(line.startswith("| import: webhook") and line.endswith("≤ 15 times bare: met |") for line in lines)
    assert any(line.startswith("| webhook: notice, duplicate") and line.endswith("≤ 0.4 | missed |") for line in lines)
    assert any(line.startswith("| status | 1 | 1 ") for line in lines)
    assert "### Latency with 0.29 of a processor, median / 95th percentile, in ms" in lines
    assert any("control groups" in line for line in page({**results, "held": None}))


def test_every_unit_that_an_order_takes_is_that_of_an_item_with_a_reason() -> None:
    budget = json.loads(BUDGET.read_text(encoding="utf-8"))["requests"]
    for name in ORDER:
        spent = budget[name]["items"]
        assert [sum(each) for each in zip(*spent.values(), strict=True)] == [budget[name]["writes"], budget[name]["index"]]
    assert {kind for name in ORDER for kind in budget[name]["items"]} == set(WHY)


def test_the_page_holds_what_was_measured_last_and_what_the_budget_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == written_anew(), "`make bench-quick ARGS=--write` writes both"
