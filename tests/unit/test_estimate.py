"""The estimate of costs: its arithmetic, its prices, and what it counts in the templates."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from functions.deliver_events.app import RATES
from local.embedded_aws import ROOT
from ops.estimate import (
    PRICES,
    Assumed,
    Line,
    Price,
    declared,
    each,
    measured,
    read_prices,
    read_usage,
    regions,
    standing,
    total,
    watching,
)
from payfirst.settings import Watching

PRICED = read_prices()


def test_a_line_is_its_count_times_its_price() -> None:
    price = Price(Decimal("0.625"), 1_000_000, "write request units", "somewhere")
    assert Line("table_writes", Decimal(109_000), price).usd == Decimal("0.068125")


def test_a_thousand_orders_cost_what_their_parts_cost() -> None:
    lines = {line.name: line for line in each("order", Decimal(1), Assumed(), PRICED)}
    used = read_usage()["order"]

    assert lines["table_writes"].count == 1000 * used["writes"]
    assert lines["table_writes"].usd == Decimal(1000 * used["writes"]) * Decimal("0.625") / 1_000_000
    assert lines["api_requests"].count == 13_000
    assert lines["lambda_requests"].count == 13_000 + lines["events"].count
    assert lines["lambda_gb_seconds"].count == 1875 + lines["events"].count * Decimal("0.075")
    assert lines["events"].count == 1000 * used["events"]


def test_the_page_says_what_the_command_prints() -> None:
    page, used = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8"), read_usage()
    order, booking = used["order"], used["booking"]
    priced = [read_prices(region) for region in ("ap-south-1", "us-east-1")]
    small, full = watching(Watching.SMALL), watching(Watching.FULL)

    for how in Watching:
        rest = " | ".join(f"{total(standing(Assumed(), prices, how)):.2f}" for prices in priced)
        assert f"| a month in which nobody buys, `Watching={how}` | {rest} |" in page
    for kind, words in (("order", "orders (M-Pesa)"), ("booking", "bookings (PhonePe)")):
        more = " | ".join(f"{total(each(kind, Decimal(1), Assumed(), prices)):.2f} more" for prices in priced)
        assert f"| a thousand {words} | {more} |" in page
    assert f"An order takes {order['writes']} write units and at most {order['reads']} read units" in page
    assert f"a booking {booking['writes']} and {booking['reads']}:" in page
    assert f"they ask {used['sweeps']['queries']} shards" in page
    assert f"In `small` {small['alarm_metrics']} metrics of alarms, no custom metric and no dashboard" in page
    assert f"in `full` {full['alarm_metrics']}, {full['custom_metrics']} and {full['dashboards']}." in page


def test_the_page_says_what_a_month_without_buyers_is_made_of() -> None:
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    lines = {how: {line.name: line.usd for line in standing(Assumed(), read_prices("ap-south-1"), how)} for how in Watching}
    watches = {how: sum(found.get(f"{kind}_months", 0) for kind in WATCHES) for how, found in lines.items()}
    small = lines[Watching.SMALL]
    sweeps = sum(small[name] for name in ("schedules", "lambda_requests", "lambda_gb_seconds", "table_reads"))

    assert f"in `full` {watches[Watching.FULL]:.2f} for custom metrics" in page
    assert f"in `small` {watches[Watching.SMALL]:.2f} for alarms" in page
    assert f"is {small['secret_months']:.2f} for two secrets, {sweeps:.2f} for the sweeps'" in page
    assert f"{small['queue_requests']:.2f} for a queue that Lambda asks, and {small['log_gb']:.2f}" in page
    assert f"54 queries a round are {small['table_reads']:.2f} of it" in page


def test_a_small_shop_pays_three_dollars_at_most_in_a_month_in_which_nobody_buys() -> None:
    for region in regions():
        assert total(standing(Assumed(), read_prices(region), Watching.SMALL)) <= 3


WATCHES = ("alarm_metric", "custom_metric", "dashboard")


def test_small_watches_by_ten_metrics_at_most_and_all_of_them_are_aws_own() -> None:
    found = watching(Watching.SMALL)
    assert (found["custom_metrics"], found["dashboards"]) == (0, 0)
    assert 0 < found["alarm_metrics"] <= 10
    made = [properties for _, kind, properties in declared(Watching.SMALL) if kind == "AWS::CloudWatch::Alarm"]
    watched = [part["MetricStat"]["Metric"] for alarm in made for part in alarm.get("Metrics", []) if "MetricStat" in part]
    watched += [alarm for alarm in made if "MetricName" in alarm]
    assert len(watched) == found["alarm_metrics"]
    assert [metric for metric in watched if not str(metric["Namespace"]).startswith("AWS/")] == []


def test_ten_times_as_many_cost_ten_times_as_much() -> None:
    one, ten = (total(each("booking", Decimal(thousands), Assumed(), PRICED)) for thousands in (1, 10))
    assert ten == one * 10 > 0


def test_what_stands_costs_the_same_whoever_buys_and_counts_the_templates() -> None:
    lines = {line.name: line.count for line in standing(Assumed(), PRICED, Watching.FULL)}
    found = watching(Watching.FULL)

    assert lines["secret_months"] == found["secrets"] == 2
    assert lines["alarm_metric_months"] == found["alarm_metrics"] > 36
    assert lines["dashboard_months"] == found["dashboards"] == 1
    assert lines["custom_metric_months"] == found["custom_metrics"] > sum(len(names) for names in measured().values())
    assert lines["lambda_gb_seconds"] == 30 * 24 * 60 * Assumed().sweep_seconds * found["sweeps_mb"] / 1024
    assert lines["schedules"] == 3 * 30 * 24 * 60
    assert "secret_reads" not in lines


def ages(*kinds: str) -> set[str]:
    return {f"Oldest{kind}Seconds" for kind in kinds}


def test_the_metrics_of_functions_are_those_that_they_give() -> None:
    assert measured() == {
        "expire_sessions": {"SessionsExpired", "ExpiryFailures", "BookingsCompleted", *ages("Expiry", "Completion")},
        "reconcile_payments": {"DueExamined", "ReconcileFailures", "DeadLetters", *ages("Due", "Refund")},
        "deliver_events": {"EventsDelivered", "EventsFailed", "MailSent", "MailFailed", *ages("Event", "Mail"), *RATES},
    }


def test_every_price_is_used_and_names_where_it_is_from() -> None:
    used = {
        line.name
        for lines in (each("order", Decimal(1), Assumed(), PRICED), standing(Assumed(), PRICED, Watching.FULL))
        for line in lines
    }
    assert used == set(PRICED)
    told = json.loads(PRICES.read_text(encoding="utf-8"))
    assert told["region"]
    assert told["looked_up"]
    for name, price in PRICED.items():
        assert price.usd > 0, name
        assert price.source, name
        assert price.known, name
    for region in told["regions"].values():
        assert region["source"]
        assert region.keys() - {"source"} <= set(PRICED)


@pytest.mark.parametrize("kind", ["order", "booking"])
def test_a_payment_costs_less_than_half_a_cent(kind: str) -> None:
    assert total(each(kind, Decimal(1), Assumed(), PRICED)) < 5


def test_the_page_of_scaling_counts_with_the_same_units() -> None:
    page, units = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8"), read_usage()["order"]["writes"]
    assert f"{units} write units ([cost](cost.md))" in page
    assert f"{10 * units:,} write units a" in page
    for limit in (4_000, 40_000):
        assert re.search(rf"\| {limit:,} write units a second.* \| {limit // units} orders a second", page)
