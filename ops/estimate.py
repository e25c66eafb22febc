"""What the stack costs: counts that tests measure, assumptions that are named, prices from one file, and the arithmetic."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from local.template import load_template
from ops.running import ROOT

PRICES: Final = Path(__file__).with_name("prices.json")
USAGE: Final = Path(__file__).with_name("usage.json")
MINUTES: Final = 30 * 24 * 60
"""The minutes of a month."""

SWEEPS: Final = 3
KB: Final = Decimal(1024)
GB: Final = KB**3


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for each `per` of `unit`, as `source` says."""

    usd: Decimal
    per: int
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no test can measure before there is a deployed stack: per booking or order, unless it says otherwise.

    `requests` are the calls that customers make besides the notice; `seconds` the time that they and the notice take in
    functions of `memory_gb`, most of which waits for a gateway; `sweep_seconds` what a run of a sweep takes.
    """

    requests: int = 12
    seconds: Decimal = Decimal("2.5")
    memory_gb: Decimal = Decimal("0.75")
    mails: int = 1
    queue_requests: int = 6
    log_kb: int = 12
    stored_kb: int = 12
    sweep_seconds: Decimal = Decimal("0.25")
    idle_polls_minute: int = 15
    secret_reads_hour: int = 12 * 8


@dataclass(frozen=True, slots=True)
class Line:
    """`count` of what the price `name` is for."""

    name: str
    count: Decimal
    price: Price

    @property
    def usd(self) -> Decimal:
        """What it costs."""
        return self.count * self.price.usd / self.price.per


def read_prices(file: Path = PRICES) -> dict[str, Price]:
    """The prices by name."""
    kept: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["prices"]
    return {name: Price(Decimal(one["usd"]), one["per"], one["unit"], one["source"]) for name, one in kept.items()}


def read_usage(file: Path = USAGE) -> dict[str, dict[str, int]]:
    """What tests have measured: units of the table and events for an order and a booking, queries of a round of sweeps."""
    usage: dict[str, dict[str, int]] = json.loads(file.read_text(encoding="utf-8"))
    return usage


def each(kind: str, thousands: Decimal, assumed: Assumed, prices: Mapping[str, Price]) -> list[Line]:
    """What `thousands` of orders or bookings (`kind`) add in the month in which they are made."""
    count, used = thousands * 1000, read_usage()[kind]
    calls = count * (assumed.requests + 1)
    amounts: dict[str, Decimal | int] = {
        "api_requests": calls,
        "lambda_requests": calls,
        "lambda_gb_seconds": count * assumed.seconds * assumed.memory_gb,
        "table_writes": count * used["writes"],
        "table_reads": count * used["reads"],
        "table_gb_months": count * assumed.stored_kb * KB / GB,
        "recovery_gb_months": count * assumed.stored_kb * KB / GB,
        "queue_requests": count * assumed.queue_requests,
        "events": count * used["events"],
        "mails": count * assumed.mails,
        "log_gb": count * assumed.log_kb * KB / GB,
    }
    return [Line(name, Decimal(amount), prices[name]) for name, amount in amounts.items()]


def standing(assumed: Assumed, prices: Mapping[str, Price]) -> list[Line]:
    """What a month costs in which nobody buys anything."""
    runs = Decimal(MINUTES * SWEEPS)
    watched = watching()
    amounts: dict[str, Decimal | int] = {
        "schedules": runs,
        "lambda_requests": runs,
        "lambda_gb_seconds": MINUTES * assumed.sweep_seconds * watched["sweeps_mb"] / 1024,
        "table_reads": Decimal(MINUTES * read_usage()["sweeps"]["queries"]) / 2,  # an index is read at half the price
        "queue_requests": Decimal(MINUTES * assumed.idle_polls_minute),
        "secret_months": watched["secrets"],
        "secret_reads": Decimal(30 * 24 * assumed.secret_reads_hour),
        "alarm_metric_months": watched["alarm_metrics"],
        "custom_metric_months": watched["custom_metrics"],
        "dashboard_months": watched["dashboards"],
    }
    return [Line(name, Decimal(amount), prices[name]) for name, amount in amounts.items()]


def watching() -> dict[str, int]:
    """How many secrets, metrics of alarms and dashboards the templates declare, and custom metrics with those of functions;
    the memory of one run of each sweep."""
    resources = [
        resource
        for file in ("template.yaml", "alarms.yaml", "dashboard.yaml")
        for resource in load_template(ROOT / file)["Resources"].values()
    ]

    def of(kind: str) -> list[Mapping[str, Any]]:
        return [resource.get("Properties", {}) for resource in resources if resource["Type"] == kind]

    alarms = of("AWS::CloudWatch::Alarm")
    sweeps = [
        function
        for function in of("AWS::Serverless::Function")
        if any(event["Type"] == "ScheduleV2" for event in function["Events"].values())
    ]
    counted = {each["MetricName"] for made in of("AWS::Logs::MetricFilter") for each in made["MetricTransformations"]}
    return {
        "secrets": len(of("AWS::SecretsManager::Secret")),
        "alarm_metrics": sum(max(1, sum("MetricStat" in part for part in alarm.get("Metrics", []))) for alarm in alarms),
        "custom_metrics": len(counted) + sum(len(names) for names in measured().values()),
        "sweeps_mb": sum(int(function["MemorySize"]) for function in sweeps),
        "dashboards": len(of("AWS::CloudWatch::Dashboard")),
    }


def measured() -> dict[str, set[str]]:
    """The metrics that each function gives with `measure`, read from its source; each function's are its own."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "functions").glob("*/app.py"):
        code = ast.parse(file.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(code) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "measure"]
        if calls:
            found[file.parent.name] = {name for call in calls for name in _named(call, code)}
    return found


def _named(call: ast.Call, code: ast.Module) -> Iterator[str]:
    """The names that a call gives: its keywords, and for `**` the keys of the module's mapping that stands in it."""
    mappings = {
        str(getattr(node.target, "id", "")): [str(ast.literal_eval(key)) for key in node.value.keys if key is not None]
        for node in code.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)
    }
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg
            continue
        for node in ast.walk(keyword.value):
            if isinstance(node, ast.Name):
                yield from mappings.get(node.id, ())


def total(lines: list[Line]) -> Decimal:
    """The sum of the lines."""
    return sum((line.usd for line in lines), Decimal(0))
