"""How much of AWS's limits the stack uses: what is most for any shop, any function, any role, with where that is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from checks.aws.relations import as_list, metrics_of, paths_of
from checks.aws.stacks import Shop

Counts = Iterator[tuple[str, int]]
API: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"
CLOUDFORMATION: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
CLOUDWATCH: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-data-queries.html"
COGNITO: Final = "https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html"
EVENTBRIDGE: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"


@dataclass(frozen=True)
class Quota:
    """One limit: `counts` yields what a shop uses of it, place by place."""

    name: str
    limit: int
    source: str
    counts: Callable[[Shop, Path], Counts]


def length(value: Any) -> int:
    """The bytes of `value` as JSON without blanks."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def section(name: str) -> Callable[[Shop, Path], Counts]:
    """A counter of the entries in one section of each template."""
    return lambda shop, _root: ((one.file, len(one.body.get(name, {}))) for one in shop.templates)


def declared_bytes(shop: Shop, root: Path) -> Counts:
    """The templates as they are uploaded, and as SAM translates them."""
    for one in shop.templates:
        yield one.file, (root / one.file).stat().st_size
        yield f"{one.file}, translated", length(one.body)


def stack_resources(shop: Shop, _root: Path) -> Counts:
    """What each stack makes for this shop."""
    yield from Counter(one.file for one in shop.resources if not one.kind.startswith("AWS::Serverless::")).items()


def api_resources(shop: Shop, _root: Path) -> Counts:
    """Every segment of every path is a resource, and so is the root."""
    for api in shop.of("AWS::ApiGateway::RestApi"):
        whole = [path.rstrip("/").split("/") for path in paths_of(api)]
        yield api.name, len({tuple(parts[:end]) for parts in whole for end in range(1, len(parts) + 1)})


def invocation_policies(shop: Shop, _root: Path) -> Counts:
    """The policy that Lambda keeps for each function's alias, statement by statement as `get-policy` prints it."""
    policies: dict[str, list[dict[str, Any]]] = {}
    for one in shop.of("AWS::Lambda::Permission"):
        given = one.properties
        who = given["Principal"]
        conditions: dict[str, Any] = {}
        if "SourceArn" in given:
            conditions["ArnLike"] = {"AWS:SourceArn": given["SourceArn"]}
        if "FunctionUrlAuthType" in given:
            conditions["StringEquals"] = {"lambda:FunctionUrlAuthType": given["FunctionUrlAuthType"]}
        if "InvokedViaFunctionUrl" in given:
            conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(given["InvokedViaFunctionUrl"]).lower()}
        statement = {
            "Sid": f"payfirst-{one.name}-1A2B3C4D5E6F",
            "Effect": "Allow",
            "Principal": who if who == "*" else {"Service": who},
            "Action": given["Action"],
            "Resource": given["FunctionName"],
            "Condition": conditions,
        }
        policies.setdefault(given["FunctionName"], []).append(statement)
    for target, statements in policies.items():
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
        yield target.split(":function:")[-1], length(policy)


def role_policies(shop: Shop, _root: Path) -> Counts:
    """All inline policies of a role together."""
    for role in shop.of("AWS::IAM::Role"):
        yield role.name, sum(length(one["PolicyDocument"]) for one in role.properties.get("Policies", []))


def environments(shop: Shop, _root: Path) -> Counts:
    """All variables of a function together, names and values."""
    for one in shop.of("AWS::Lambda::Function"):
        yield one.name, length(one.properties.get("Environment", {}).get("Variables", {}))


def unzipped(shop: Shop, root: Path) -> Counts:
    """Each function with its layer; nothing where nothing has been built."""
    built = root / ".aws-sam" / "build"
    layer = sum(one.stat().st_size for name in built.glob("*Layer") for one in name.rglob("*") if one.is_file())
    for function in shop.of("AWS::Lambda::Function"):
        if layer and (built / function.name).exists():
            yield function.name, layer + sum(one.stat().st_size for one in (built / function.name).rglob("*") if one.is_file())


def alarm_metrics(shop: Shop, _root: Path) -> Counts:
    """The metrics that one alarm's expression reads."""
    yield from Counter(where.name for where, *_ in metrics_of(shop) if where.kind == "AWS::CloudWatch::Alarm").items()


def event_rules(shop: Shop, _root: Path) -> Counts:
    """The rules of each event bus."""
    yield from Counter(str(one.properties.get("EventBusName", "default")) for one in shop.of("AWS::Events::Rule")).items()


def pool_attributes(shop: Shop, _root: Path) -> Counts:
    """The attributes of its own that each user pool has."""
    for pool in shop.of("AWS::Cognito::UserPool"):
        yield pool.name, len([one for one in pool.properties["Schema"] if one["Name"] not in {"email", "name", "phone_number"}])


def managed_policies(shop: Shop, _root: Path) -> Counts:
    """The managed policies of each role."""
    for role in shop.of("AWS::IAM::Role"):
        yield role.name, len(as_list(role.properties.get("ManagedPolicyArns", [])))


QUOTAS: Final = (
    Quota("resources of the API", 300, API, api_resources),
    Quota("resources of a stack", 500, CLOUDFORMATION, stack_resources),
    Quota("bytes of a template", 1_048_576, CLOUDFORMATION, declared_bytes),
    Quota("parameters of a template", 200, CLOUDFORMATION, section("Parameters")),
    Quota("outputs of a template", 200, CLOUDFORMATION, section("Outputs")),
    Quota("mappings of a template", 200, CLOUDFORMATION, section("Mappings")),
    Quota("bytes of who may call a function", 20_480, LAMBDA, invocation_policies),
    Quota("bytes of a function's variables", 4_096, LAMBDA, environments),
    Quota("bytes of function and layer", 262_144_000, LAMBDA, unzipped),
    Quota("bytes of a role's own policies", 10_240, IAM, role_policies),
    Quota("managed policies of a role", 10, IAM, managed_policies),
    Quota("metrics of an alarm", 10, CLOUDWATCH, alarm_metrics),
    Quota("rules of an event bus", 300, EVENTBRIDGE, event_rules),
    Quota("own attributes of customers", 50, COGNITO, pool_attributes),
)
