"""What the stack costs: counts that tests measure, assumptions that are named, prices from one file, and the arithmetic."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ops.resolve import Resolver
from ops.running import ROOT
from ops.template import load_template
from payfirst.settings import Watching

PRICES: Final = Path(__file__).with_name("prices.json")
USAGE: Final = Path(__file__).with_name("usage.json")
MINUTES: Final = 30 * 24 * 60
"""The minutes of a month."""

SWEEPS: Final = 3
KB: Final = Decimal(1024)
GB: Final = KB**3


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for each `per` of `unit`, as `source` says; `known` says whether it is the region's own."""

    usd: Decimal
    per: int
    unit: str
    source: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no test can measure before there is a deployed stack: per booking or order, unless it says otherwise.

    An event leaves in `stream_seconds` of a function of 0.5 GB, in a run of its own at most. `requests` are the calls that
    customers make besides the notice; `seconds` the time that they and the notice take in functions of `memory_gb`, most of
    which waits for a gateway; `sweep_seconds` what a run of a sweep takes, and `run_log_kb` what it and Lambda write about it,
    `run_metrics_kb` with metrics of its own besides.
    """

    requests: int = 12
    seconds: Decimal = Decimal("2.5")
    memory_gb: Decimal = Decimal("0.75")
    order_mails: int = 4
    booking_mails: int = 1
    queue_requests: int = 6
    log_kb: int = 12
    stored_kb: int = 12
    secret_reads: int = 4
    stream_seconds: Decimal = Decimal("0.15")
    sweep_seconds: Decimal = Decimal("0.25")
    run_log_kb: Decimal = Decimal("0.8")
    run_metrics_kb: Decimal = Decimal("0.7")
    idle_polls_minute: int = 15


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


def read_prices(region: str | None = None, file: Path = PRICES) -> dict[str, Price]:
    """The prices by name, of `region` or of the file's own; KeyError for a region of which the file knows none.

    Where it knows no price of that region, its own stands in for it.
    """
    kept: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    own: Mapping[str, Any] = {} if region in (None, kept["region"]) else kept["regions"][region]
    known = region in (None, kept["region"])
    return {
        name: Price(Decimal(own.get(name, one["usd"])), one["per"], one["unit"], one["source"], known or name in own)
        for name, one in kept["prices"].items()
    }


def regions(file: Path = PRICES) -> list[str]:
    """The regions of which prices are known."""
    kept: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return [kept["region"], *kept["regions"]]


def read_usage(file: Path = USAGE) -> dict[str, dict[str, int]]:
    """What tests have measured: units of the table and events for an order and a booking, queries of a round of sweeps."""
    usage: dict[str, dict[str, int]] = json.loads(file.read_text(encoding="utf-8"))
    return usage


def each(kind: str, thousands: Decimal, assumed: Assumed, prices: Mapping[str, Price]) -> list[Line]:
    """What `thousands` of orders or bookings (`kind`) add in the month in which they are made."""
    count, used = thousands * 1000, read_usage()[kind]
    calls, runs = count * (assumed.requests + 1), count * used["events"]
    amounts: dict[str, Decimal | int] = {
        "api_requests": calls,
        "lambda_requests": calls + runs,
        "lambda_gb_seconds": count * assumed.seconds * assumed.memory_gb + runs * assumed.stream_seconds / 2,
        "table_writes": count * used["writes"],
        "table_reads": count * used["reads"],
        "table_gb_months": count * assumed.stored_kb * KB / GB,
        "recovery_gb_months": count * assumed.stored_kb * KB / GB,
        "queue_requests": count * assumed.queue_requests,
        "secret_reads": count * assumed.secret_reads,
        "events": count * used["events"],
        "mails": count * (assumed.order_mails if kind == "order" else assumed.booking_mails),
        "log_gb": (count * assumed.log_kb + runs * assumed.run_log_kb) * KB / GB,
    }
    return [Line(name, Decimal(amount), prices[name]) for name, amount in amounts.items()]


def standing(assumed: Assumed, prices: Mapping[str, Price], how: Watching) -> list[Line]:
    """What a month costs in which nobody buys anything, in a shop that is watched so."""
    runs = Decimal(MINUTES * SWEEPS)
    watched = watching(how)
    log_kb = assumed.run_log_kb + (assumed.run_metrics_kb if how is Watching.FULL else 0)
    amounts: dict[str, Decimal | int] = {
        "schedules": runs,
        "lambda_requests": runs,
        "lambda_gb_seconds": MINUTES * assumed.sweep_seconds * watched["sweeps_mb"] / 1024,
        "table_reads": Decimal(MINUTES * read_usage()["sweeps"]["queries"]) / 2,  # an index is read at half the price
        "queue_requests": Decimal(MINUTES * assumed.idle_polls_minute),
        "secret_months": watched["secrets"],
        "log_gb": runs * log_kb * KB / GB,
        "alarm_metric_months": watched["alarm_metrics"],
        "custom_metric_months": watched["custom_metrics"],
        "dashboard_months": watched["dashboards"],
    }
    return [Line(name, Decimal(amount), prices[name]) for name, amount in amounts.items() if amount]


def declared(how: Watching, file: str = "template.yaml", *, codes: str = "off") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Logical id, type and properties of each resource that is made in AWS for a shop that is watched so, nested stacks' too;
    an alarm's `Metrics` are those that it then has. `codes` are those that customers sign in with."""
    template = load_template(ROOT / file)
    resolver = Resolver(template, {"Watching": how.value, "Stage": "production", "SignInCodes": codes})
    for logical_id, resource in template["Resources"].items():
        if "Condition" in resource and not resolver.condition(resource["Condition"]):
            continue
        properties = dict(resource.get("Properties", {}))
        if resource["Type"] == "AWS::CloudFormation::Stack":
            yield from declared(how, properties["TemplateURL"], codes=codes)
        for part in properties.pop("Metrics", []):
            name, then, otherwise = part.get("Fn::If", (None, part, part))
            chosen = then if name is None or resolver.condition(name) else otherwise
            if chosen != {"Ref": "AWS::NoValue"}:
                properties.setdefault("Metrics", []).append(chosen)
        yield logical_id, resource["Type"], properties


def watching(how: Watching) -> dict[str, int]:
    """How many secrets, metrics of alarms and dashboards are made, and custom metrics with those of functions; the memory of
    one run of each sweep."""
    made = list(declared(how))

    def of(kind: str) -> list[Mapping[str, Any]]:
        return [properties for _, each, properties in made if each == kind]

    alarms = of("AWS::CloudWatch::Alarm")
    own = measured() if how is Watching.FULL else {}
    sweeps = [
        function
        for function in of("AWS::Serverless::Function")
        if any(event["Type"] == "ScheduleV2" for event in function["Events"].values())
    ]
    counted = {each["MetricName"] for made in of("AWS::Logs::MetricFilter") for each in made["MetricTransformations"]}
    return {
        "secrets": len(of("AWS::SecretsManager::Secret")),
        "alarm_metrics": sum(max(1, sum("MetricStat" in part for part in alarm.get("Metrics", []))) for alarm in alarms),
        "custom_metrics": len(counted) + sum(len(names) for names in own.values()),
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
