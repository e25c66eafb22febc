"""The roles of the stack allow exactly what functions and schedules need: one action more or less, in any role, is noticed.

What the code needs was recorded: `tests/rights.json`, which every run of the tests compares with the calls that it saw
(`tests/recorded_rights.py`). What AWS needs on a function's behalf (its log, its queue, where failed runs go) follows from the
template itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from local.template import load_template
from local.translated import translate
from tests.recorded_rights import agreed, compare

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = {
    name: Path(resource["Properties"]["CodeUri"]).name
    for name, resource in load_template(ROOT / "template.yaml")["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
IDENTITIES: Final = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"
"""SES knows a sender by its address or by its domain, whichever the shop has verified: the one pattern in all roles."""

Template = dict[str, Any]
Right = tuple[str, str]


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: part["Properties"] for name, part in template["Resources"].items() if part["Type"] == kind}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(resource: Any) -> str:
    """A resource of a statement by its logical id, with what follows its ARN; its text where it is no resource of the stack."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn" | "Id"]} | {"Ref": str(name)}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace("${Table.Arn}", "Table")
        case _:
            return str(resource)


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Policies"]:
        yield from as_list(policy["PolicyDocument"]["Statement"])


def allowed(role: dict[str, Any]) -> set[Right]:
    return {
        (action, named(resource))
        for statement in statements(role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def role_of(value: Any) -> str:
    return str(value["Fn::GetAtt"][0])


def needs(template: Template) -> dict[str, set[Right]]:
    """What each role has to allow, by the role's name: neither more nor less."""
    found: dict[str, set[Right]] = {}
    functions = of_type(template, "AWS::Lambda::Function")
    for name, function in functions.items():
        variables = function["Environment"]["Variables"]
        found[role_of(function["Role"])] = rights = {
            ("logs:CreateLogStream", function["LoggingConfig"]["LogGroup"]["Ref"]),
            ("logs:PutLogEvents", function["LoggingConfig"]["LogGroup"]["Ref"]),
        }
        for line in agreed().get(FOLDERS[name], set()):
            action, resource = line.split(" on ")
            variable, slash, more = resource.partition("/")
            rights.add((action, IDENTITIES if action == "ses:SendEmail" else named(variables[variable]) + slash + more))
    for feed in of_type(template, "AWS::Lambda::EventSourceMapping").values():
        role = role_of(functions[feed["FunctionName"]["Ref"].removesuffix("Aliaslive")]["Role"])
        takes = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
        found[role] |= {(action, named(feed["EventSourceArn"])) for action in takes}
    for config in of_type(template, "AWS::Lambda::EventInvokeConfig").values():
        role = role_of(functions[config["FunctionName"]["Ref"]]["Role"])
        found[role].add(("sqs:SendMessage", named(config["DestinationConfig"]["OnFailure"]["Destination"])))
    for schedule in of_type(template, "AWS::Scheduler::Schedule").values():
        target = schedule["Target"]
        found[role_of(target["RoleArn"])] = {
            ("lambda:InvokeFunction", named(target["Arn"])),
            ("sqs:SendMessage", named(target["DeadLetterConfig"]["Arn"])),
        }
    return found


def differences(template: Template) -> list[str]:
    """One sentence for each right that a role lacks or has for nothing."""
    wanted, roles = needs(template), of_type(template, "AWS::IAM::Role")
    found = [f"{name} belongs to nothing" for name in roles.keys() - wanted.keys()]
    for name, rights in sorted(wanted.items()):
        given = allowed(roles[name])
        found += [f"{name} lacks {action} on {what}" for action, what in sorted(rights - given)]
        found += [f"{name} allows {action} on {what} for nothing" for action, what in sorted(given - rights)]
    return found


@pytest.fixture(scope="module")
def template() -> Template:
    return translate()


def test_every_role_allows_exactly_what_was_seen_to_be_needed(template: Template) -> None:
    assert differences(template) == []


def test_no_role_takes_rights_from_elsewhere_unless_tracing_is_asked_for(template: Template) -> None:
    kept = {"Fn::If": ["IsTraced", [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"}], []]}
    for name, role in of_type(template, "AWS::IAM::Role").items():
        assert "PermissionsBoundary" not in role, name
        assert role.get("ManagedPolicyArns", []) in ([], kept), name
    assert of_type(template, "AWS::IAM::Policy") == of_type(template, "AWS::IAM::ManagedPolicy") == {}


def test_one_action_less_in_any_role_is_noticed(template: Template) -> None:
    tried = 0
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for place, statement in enumerate(statements(role)):
            for action in as_list(statement["Action"]):
                changed = copy.deepcopy(template)
                cut = list(statements(changed["Resources"][name]["Properties"]))[place]
                cut["Action"] = [other for other in as_list(cut["Action"]) if other != action]
                assert any(action in difference for difference in differences(changed)), f"{name} without {action}"
                tried += 1
    assert tried > 80


def test_one_action_more_in_any_role_is_noticed(template: Template) -> None:
    roles = of_type(template, "AWS::IAM::Role")
    actions = {action for role in roles.values() for action, _ in allowed(role)} | {
        "dynamodb:Scan",
        "dynamodb:DeleteTable",
        "*",
    }
    for name, role in roles.items():
        for place, statement in enumerate(statements(role)):
            for action in sorted(actions - set(as_list(statement["Action"]))):
                changed = copy.deepcopy(template)
                widened = list(statements(changed["Resources"][name]["Properties"]))[place]
                before = allowed(changed["Resources"][name]["Properties"])
                widened["Action"] = [*as_list(widened["Action"]), action]
                if allowed(changed["Resources"][name]["Properties"]) != before:  # else another statement gave it already
                    assert any(action in difference for difference in differences(changed)), f"{name} with {action}"


def test_a_wider_resource_in_any_role_is_noticed(template: Template) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for place, _ in enumerate(statements(role)):
            changed = copy.deepcopy(template)
            list(statements(changed["Resources"][name]["Properties"]))[place]["Resource"] = "*"
            assert any("*" in difference for difference in differences(changed)), name


def test_no_statement_is_anything_but_an_allowance_of_these_actions_on_these_resources(template: Template) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for statement in statements(role):
            assert set(statement) - {"Sid"} == {"Effect", "Action", "Resource"}, name
            assert statement["Effect"] == "Allow", name


def test_a_run_that_needs_more_or_a_whole_run_that_needs_less_differs_from_the_file() -> None:
    kept = {"carts": {"sqs:SendMessage on A_QUEUE_URL", "dynamodb:Query on TABLE_NAME"}}
    needed = {"carts": {"sqs:SendMessage on A_QUEUE_URL", "dynamodb:Scan on TABLE_NAME"}}
    more = "carts needed dynamodb:Scan on TABLE_NAME, which rights.json does not hold"
    assert compare(needed, kept, complete=False) == [more]
    less = "carts never needed dynamodb:Query on TABLE_NAME, which rights.json holds"
    assert compare(needed, kept, complete=True) == [more, less]
    assert compare(kept, kept, complete=True) == []
