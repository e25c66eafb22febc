"""The rules of `rules.yaml` that look at more than one resource: each is a function with the name of its rule."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from checks.aws.stacks import Resource, Shop
from payfirst.api.routes import ROUTES

ANY: Final = "x-amazon-apigateway-any-method"
GREEDY: Final = "{proxy+}"
LONGEST_WAIT: Final = 29
WORD: Final = re.compile(r"\b[A-Z][A-Za-z]+\b")
SENT: Final[Mapping[str, tuple[str, str, str]]] = {
    "AWS/ApiGateway": ("ApiName", "ApiGateway::RestApi", "4XXError 5XXError Count Latency IntegrationLatency"),
    "AWS/DynamoDB": (
        "TableName",
        "DynamoDB::Table",
        "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents SystemErrors UserErrors",
    ),
    "AWS/Events": ("RuleName", "Events::Rule", "MatchedEvents TriggeredRules Invocations FailedInvocations"),
    "AWS/Lambda": ("FunctionName", "Lambda::Function", "Invocations Errors Throttles Duration ConcurrentExecutions"),
    "AWS/SQS": (
        "QueueName",
        "SQS::Queue",
        "ApproximateNumberOfMessagesVisible ApproximateAgeOfOldestMessage NumberOfMessagesSent NumberOfMessagesReceived",
    ),
    "AWS/Scheduler": (
        "ScheduleGroup",
        "Scheduler::ScheduleGroup",
        "InvocationAttemptCount TargetErrorCount InvocationDroppedCount InvocationThrottleCount",
    ),
}
"""By namespace: the dimension that a metric has to have, the type that it names, and the metrics that AWS documents for it."""
OF_THE_ACCOUNT: Final = {("AWS/SNS", "SMSMonthToDateSpentUSD")}
"""What AWS counts in a whole account and region: namespace and name, without dimensions."""


@dataclass(frozen=True)
class Finding:
    """What breaks a rule, and where; `words` may stand in the line that says it, the likeliest first."""

    file: str
    name: str
    what: str
    words: tuple[str, ...] = ()


Found = Iterator[Finding]
Relation = Callable[[Shop, Path], Found]
RELATIONS: dict[str, Relation] = {}


def relation(name: str) -> Callable[[Relation], Relation]:
    """Make the function the rule called `name` in `rules.yaml`."""

    def named(function: Relation) -> Relation:
        RELATIONS[name] = function
        return function

    return named


def at(resource: Resource, *words: str, what: str) -> Finding:
    """`what` is wrong with the resource, in the line with the first of `words`."""
    return Finding(resource.file, resource.name, ": ".join((*words, what)), words)


def paths_of(api: Resource) -> dict[str, dict[str, Any]]:
    """The methods of each path that the API imports."""
    found: dict[str, dict[str, Any]] = api.properties["Body"]["paths"]
    return found


def is_protected(api: Resource, method: Mapping[str, Any]) -> bool:
    """Whether an authorizer looks at a token before the method is called."""
    schemes = api.properties["Body"].get("components", {}).get("securitySchemes", {})
    return any(name in schemes for one in method.get("security", []) for name in one)


def as_list(value: Any) -> list[Any]:
    """IAM takes one where it takes a list."""
    return value if isinstance(value, list) else [value]


@relation("one-variable-a-level")
def _(shop: Shop, _root: Path) -> Found:
    for api in shop.of("AWS::ApiGateway::RestApi"):
        names: dict[str, str] = {}
        for path in sorted(paths_of(api)):
            parts = path.split("/")
            for end, part in enumerate(parts):
                if part.startswith("{") and part != GREEDY and names.setdefault("/".join(parts[:end]), part) != part:
                    yield at(api, path, what=f"{part} stands where another path has {names['/'.join(parts[:end])]}")


@relation("token-on-every-route")
def _(shop: Shop, _root: Path) -> Found:
    public = {(method.lower(), route.path) for route in ROUTES if route.public for method in route.methods}
    public |= {(ANY, "/"), (ANY, f"/{GREEDY}")}
    for api in shop.of("AWS::ApiGateway::RestApi"):
        for path, methods in paths_of(api).items():
            for verb, method in methods.items():
                if verb != "options" and not is_protected(api, method) and (verb, path) not in public:
                    yield at(api, path, what=f"{verb} asks for no token")


@relation("own-authorizer")
def _(shop: Shop, _root: Path) -> Found:
    pools = {one.ref for one in shop.of("AWS::Cognito::UserPool")}
    for api in shop.of("AWS::ApiGateway::RestApi"):
        for name, scheme in api.properties["Body"].get("components", {}).get("securitySchemes", {}).items():
            arns = scheme.get("x-amazon-apigateway-authorizer", {}).get("providerARNs", [])
            if [arn for arn in arns if arn.split("/")[-1] in pools] != arns or not arns:
                yield at(api, name, what=f"takes tokens of {arns}")
        for path, methods in paths_of(api).items():
            if any(scopes for method in methods.values() for one in method.get("security", []) for scopes in one.values()):
                yield at(api, path, what="asks for a scope")


@relation("open-preflight")
def _(shop: Shop, _root: Path) -> Found:
    for api in shop.of("AWS::ApiGateway::RestApi"):
        paths = paths_of(api)
        for path, methods in paths.items():
            above = [path.rsplit("/", up)[0] + f"/{GREEDY}" for up in range(1, path.count("/") + 1)]
            places = [methods, *(paths[one] for one in above if one in paths)]
            answer = next(
                (place.get("options", place.get(ANY)) for place in places if "options" in place or ANY in place), None
            )
            if answer and is_protected(api, answer):
                yield at(api, path, what="OPTIONS asks for a token")


@relation("api-waits-29-seconds")
def _(shop: Shop, _root: Path) -> Found:
    called = json.dumps([paths_of(api) for api in shop.of("AWS::ApiGateway::RestApi")])
    for function in shop.of("AWS::Lambda::Function"):
        if f":function:{function.ref}:" in called and int(function.properties.get("Timeout", 3)) > LONGEST_WAIT:
            yield at(function, "Timeout", what=f"{function.properties['Timeout']} s")


@relation("url-has-both-rights")
def _(shop: Shop, _root: Path) -> Found:
    for url in shop.of("AWS::Lambda::Url"):
        target = url.properties["TargetFunctionArn"]
        rights = [one.properties for one in shop.of("AWS::Lambda::Permission")]
        public = [one for one in rights if one["FunctionName"] == target and one["Principal"] == "*"]
        has = {
            "lambda:InvokeFunctionUrl": any(one.get("FunctionUrlAuthType") == "NONE" for one in public),
            "lambda:InvokeFunction": any(one.get("InvokedViaFunctionUrl") is True for one in public),
        }
        for action, given in has.items():
            if not (given and action in {one["Action"] for one in public}):
                yield at(url, "FunctionUrlConfig", what=f"nobody may {action}")


def metrics_of(shop: Shop) -> Iterator[tuple[Resource, str, str, dict[str, str]]]:
    """Each metric that an alarm or a dashboard reads: where, namespace, name and dimensions."""
    for alarm in shop.of("AWS::CloudWatch::Alarm"):
        own = alarm.properties
        for one in [own, *(part.get("MetricStat", {}).get("Metric", {}) for part in own.get("Metrics", []))]:
            if "MetricName" in one:
                dimensions = {part["Name"]: part["Value"] for part in one.get("Dimensions", [])}
                yield alarm, one["Namespace"], one["MetricName"], dimensions
    for dashboard in shop.of("AWS::CloudWatch::Dashboard"):
        for widget in json.loads(dashboard.properties["DashboardBody"])["widgets"]:
            before: list[str] = []
            for row in widget["properties"].get("metrics", []):
                names = [part for part in row if isinstance(part, str)]
                if names[:1] == ["..."]:
                    names = before[: len(before) - len(names) + 1] + names[1:]
                names = [before[at] if part == "." else part for at, part in enumerate(names)]
                if names:
                    before = names
                    yield dashboard, names[0], names[1], dict(zip(names[2::2], names[3::2], strict=True))


@relation("metrics-that-are-sent")
def _(shop: Shop, root: Path) -> Found:
    filters = [part for one in shop.of("AWS::Logs::MetricFilter") for part in one.properties["MetricTransformations"]]
    filtered = {(part["MetricNamespace"], part["MetricName"]) for part in filters}
    places = (root / "functions", root / "layers" / "common" / "python" / "payfirst")
    code = {word for place in places for path in place.rglob("*.py") for word in WORD.findall(path.read_text(encoding="utf-8"))}
    for where, namespace, name, dimensions in metrics_of(shop):
        if namespace in SENT:
            dimension, kind, known = SENT[namespace]
            names = {one.properties["Name"] if dimension == "ApiName" else one.ref for one in shop.of(f"AWS::{kind}")}
            sent = name in known.split() and dimensions.get(dimension) in names
        else:
            whole = not dimensions and (namespace, name) in OF_THE_ACCOUNT
            sent = whole or (namespace, name) in filtered or ("service" in dimensions and name in code)
        if not sent:
            yield at(where, name, what=f"nobody sends it in {namespace} by {dimensions or 'no dimension'}")


@relation("one-period-an-alarm")
def _(shop: Shop, _root: Path) -> Found:
    for alarm in shop.of("AWS::CloudWatch::Alarm"):
        periods = {part["MetricStat"]["Period"] for part in alarm.properties.get("Metrics", []) if "MetricStat" in part}
        if len(periods) > 1:
            yield at(alarm, "Period", what=" and ".join(map(str, sorted(periods))))


@relation("rights-on-the-data-key")
def _(shop: Shop, _root: Path) -> Found:
    keys = {one.properties.get("SSESpecification", {}).get("KMSMasterKeyId") for one in shop.of("AWS::DynamoDB::Table")} - {
        None
    }
    for role in shop.of("AWS::IAM::Role"):
        policies = role.properties.get("Policies", [])
        statements = [one for policy in policies for one in as_list(policy["PolicyDocument"]["Statement"])]
        if not any(action.startswith("dynamodb:") for one in statements for action in as_list(one["Action"])):
            continue
        for key in keys:
            through = [
                one
                for one in statements
                if key in as_list(one["Resource"]) and "kms:ViaService" in json.dumps(one.get("Condition", {}))
            ]
            missing = {"kms:Decrypt", "kms:DescribeKey"} - {action for one in through for action in as_list(one["Action"])}
            if missing:
                yield at(role, "Policies", what=f"no {' and no '.join(sorted(missing))} on the key of the table")


@relation("capabilities-for-nested-stacks")
def _(shop: Shop, root: Path) -> Found:
    wanted = {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
    if any("RoleName" in role.properties for role in shop.of("AWS::IAM::Role")):
        wanted.add("CAPABILITY_NAMED_IAM")
    for name, stage in tomllib.loads((root / "samconfig.toml").read_text(encoding="utf-8")).items():
        if isinstance(stage, dict) and "deploy" in stage:
            given = " ".join(as_list(stage["deploy"]["parameters"].get("capabilities", "")))
            for missing in sorted(wanted - set(given.split())):
                yield Finding(
                    "samconfig.toml", f"[{name}.deploy.parameters]", f"no {missing}", (f"[{name}.deploy.parameters]",)
                )
