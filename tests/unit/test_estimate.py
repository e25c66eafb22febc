"""The estimate of costs: its arithmetic, its prices, and what it counts in the templates."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from functions.deliver_events.app import RATES
from local.embedded_aws import ROOT
from ops.estimate import PRICES, Assumed, Line, Price, each, measured, read_prices, read_usage, standing, total, watching

PRICED = read_prices()


def test_a_line_is_its_count_times_its_price() -> None:
    price = Price(Decimal("0.625"), 1_000_000, "write request units", "somewhere")
    assert Line("table_writes", Decimal(109_000), price).usd == Decimal("0.068125")


def test_a_thousand_orders_cost_what_their_parts_cost() -> None:
    lines = {line.name: line for line in each("order", Decimal(1), Assumed(), PRICED)}
    used = read_usage()["order"]

    assert lines["table_writes"].count == 1000 * used["writes"]
    assert lines["table_writes"].usd == Decimal(1000 * used["writes"]) * Decimal("0.625") / 1_000_000
    assert lines["api_requests"].count == lines["lambda_requests"].count == 13_000
    assert lines["lambda_gb_seconds"].count == 1875
    assert lines["events"].count == 1000 * used["events"]


def test_the_page_says_what_the_command_prints() -> None:
    page, used = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8"), read_usage()
    order, booking, watched = used["order"], used["booking"], watching()

    assert f"| a month in which nobody buys | {total(standing(Assumed(), PRICED)):.2f} |" in page
    assert f"| a thousand orders (M-Pesa) | {total(each('order', Decimal(1), Assumed(), PRICED)):.2f} more |" in page
    assert f"| a thousand bookings (PhonePe) | {total(each('booking', Decimal(1), Assumed(), PRICED)):.2f} more |" in page
    assert f"An order takes {order['writes']} write units and at most {order['reads']} read units" in page
    assert f"a booking {booking['writes']} and {booking['reads']}:" in page
    assert f"they ask {used['sweeps']['queries']} shards" in page
    assert f"source: {watched['custom_metrics']}." in page
    kinds = {"alarm_metric_months", "custom_metric_months", "dashboard_months"}
    watches = total([line for line in standing(Assumed(), PRICED) if line.name in kinds])
    assert f"is watching: {watches:.2f} for custom metrics, alarms and the dashboard" in page


def test_ten_times_as_many_cost_ten_times_as_much() -> None:
    one, ten = (total(each("booking", Decimal(thousands), Assumed(), PRICED)) for thousands in (1, 10))
    assert ten == one * 10 > 0


def test_what_stands_costs_the_same_whoever_buys_and_counts_the_templates() -> None:
    lines = {line.name: line.count for line in standing(Assumed(), PRICED)}
    found = watching()

    assert lines["secret_months"] == found["secrets"] == 3
    assert lines["alarm_metric_months"] == found["alarm_metrics"] > 36
    assert lines["dashboard_months"] == found["dashboards"] == 1
    assert lines["custom_metric_months"] == found["custom_metrics"] > sum(len(names) for names in measured().values())
    assert lines["lambda_gb_seconds"] == 30 * 24 * 60 * Assumed().sweep_seconds * found["sweeps_mb"] / 1024
    assert lines["schedules"] == 3 * 30 * 24 * 60


def test_the_metrics_of_functions_are_those_that_they_give() -> None:
    assert measured() == {
        "expire_sessions": {"SessionsExpired", "ExpiryFailures", "BookingsCompleted"},
        "reconcile_payments": {"DueExamined", "ReconcileFailures", "Parked", "OldestDueSeconds"},
        "deliver_events": {"EventsDelivered", "EventsFailed", "LettersSent", "LettersFailed", *RATES},
    }


def test_every_price_is_used_and_names_where_it_is_from() -> None:
    used = {
        line.name for lines in (each("order", Decimal(1), Assumed(), PRICED), standing(Assumed(), PRICED)) for line in lines
    }
    assert used == set(PRICED)
    told = json.loads(PRICES.read_text(encoding="utf-8"))
    assert told["region"]
    assert told["looked_up"]
    for name, price in PRICED.items():
        assert price.usd > 0, name
        assert price.source, name


@pytest.mark.parametrize("kind", ["order", "booking"])
def test_a_payment_costs_less_than_half_a_cent(kind: str) -> None:
    assert total(each(kind, Decimal(1), Assumed(), PRICED)) < 5
