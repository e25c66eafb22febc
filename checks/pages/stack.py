"""The stack as AWS sees it, from `template.yaml`: who calls which function, and what that function's role lets it reach."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from ops.template import load_template
from payfirst.gateways.registry import GATEWAYS

ROOT: Final = Path(__file__).resolve().parents[2]
SHAPES: Final = {"AWS::DynamoDB::Table": "[({})]", "AWS::SQS::Queue": "[/{}/]", "AWS::Events::EventBus": "{{{{{}}}}}"}
"""How each kind of resource is drawn; any other is a box."""

WITHOUT_ANY: Final = "no right to anything"


@cache
def resources() -> Mapping[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load_template(ROOT / "template.yaml")["Resources"]
    return found


def of_functions() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in resources().items():
        if resource["Type"] == "AWS::Serverless::Function":
            yield name.removesuffix("Function"), resource["Properties"]


def reached(function: Mapping[str, Any]) -> list[str]:
    """What the role of `function` names: resources of the stack, and SES."""
    found: list[str] = []
    for policy in function.get("Policies", ()):
        for statement in policy["Statement"]:
            if "Resource" in statement:  # else a choice: the key of whoever brings their own
                said = str(statement["Resource"])
                word = re.search(r"'(\w+)', 'Arn|'(\w+)', 'Id|\$\{(\w+)\.Arn\}", said)
                name = next(filter(None, word.groups())) if word else "SES"
                name += "/due" if said.endswith("/index/due'}") else ""
                found += [name] if name not in found else []
    return found


def callers(function: Mapping[str, Any]) -> dict[str, str]:
    """Who calls `function`, with how."""
    found: dict[str, str] = {}
    routes = [each["Properties"] for each in function.get("Events", {}).values() if each["Type"] == "Api"]
    signed = [route for route in routes if "Auth" not in route and route["Method"] != "HEAD"]
    public = [route for route in routes if "Auth" in route and route["Method"] != "HEAD"]
    if routes:
        numbers = [f"{len(kind)} {said}" for kind, said in ((signed, "with a token"), (public, "without")) if kind]
        found["Api"] = f"routes: {', '.join(numbers)}"
    for event in function.get("Events", {}).values():
        if event["Type"] == "ScheduleV2":
            found["Sweeps"] = re.sub(r"rate\(1 (\w+)\)", r"every \1", event["Properties"]["ScheduleExpression"])
        elif event["Type"] == "SQS":
            found[event["Properties"]["Queue"]["Fn::GetAtt"][0]] = "messages"
        elif event["Type"] == "DynamoDB":
            found[event["Properties"]["Stream"]["Fn::GetAtt"][0]] = "its stream of new entries"
    return found


def functions() -> str:
    """One row for each function."""
    rows = []
    for _, properties in of_functions():
        called = "; ".join(f"{caller}, {how}" for caller, how in callers(properties).items())
        may = ", ".join(f"`{each}`" for each in reached(properties)) or WITHOUT_ANY
        rows.append(f"| `{properties['CodeUri']}` | {properties['Description']} | {called} | {may} |")
    return "\n".join(["| function | what it is for | called by | reaches |", "|---|---|---|---|", *rows])


def diagram() -> str:
    """Callers, functions, what they reach, and the gateways."""
    asks = {name: reached(properties) for name, properties in of_functions()}
    things = list(dict.fromkeys(thing for each in asks.values() for thing in each if "/" not in thing))
    gateways = ", ".join(gateway.terms.label for gateway in GATEWAYS)
    lines = [
        "Customers(Customers and operators) --> Api",
        f"Gateways({gateways}) -- notices --> Api",
        "Sweeps(Schedules: Sweeps)",
    ]
    lines += ["subgraph Functions", *(f"  {name}" for name in asks), "end"]
    for thing in things:
        shape = SHAPES.get(resources().get(thing, {}).get("Type", ""), "[{}]")
        lines.append(thing + shape.format(thing))
    edges: dict[tuple[str, str], list[str]] = {}
    for name, properties in of_functions():
        for caller in callers(properties):
            edges.setdefault(("", caller), []).append(name)
        for thing in asks[name]:
            if "/" not in thing:
                edges.setdefault((thing, ""), []).append(name)
    for (to, by), names in edges.items():
        lines.append(f"{by} --> {' & '.join(names)}" if by else f"{' & '.join(names)} --> {to}")
    lines.append(f"{' & '.join(edges['GatewaysSecret', ''])} -- ask and collect --> Gateways")
    return "\n".join(["```mermaid", "flowchart LR", *(f"  {line}" for line in lines), "```"])
