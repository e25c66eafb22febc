"""`template.yaml` as the tests read it: its functions, their events and what their roles say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops.template import load_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = load_template(ROOT / "template.yaml")
FUNCTION = "AWS::Serverless::Function"


def functions() -> dict[str, dict[str, Any]]:
    """The properties of each function by the name of its folder."""
    return {
        Path(resource["Properties"]["CodeUri"]).name: resource["Properties"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == FUNCTION
    }


def events_of_kind(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, function in functions().items():
        for event in function["Events"].values():
            if event["Type"] == kind:
                yield name, event["Properties"]


def statements(name: str) -> list[dict[str, Any]]:
    """What the function called `name` may do besides what SAM gives every function."""
    return [
        statement
        for policy in functions()[name].get("Policies", [])
        for statement in policy["Statement"]
        if "Effect" in statement
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(name: str) -> set[str]:
    return {action for statement in statements(name) for action in as_list(statement["Action"])}
