"""The roles of the stack allow exactly what functions and schedules need: one action more or less, in any role, is noticed.

What the code needs was recorded: `tests/rights.json`, which every run of the tests compares with the calls that it saw
(`tests/recorded_rights.py`). What AWS needs on a function's behalf (its log, its queue, where failed runs go) follows from the
template itself. SAM gives its roles two policies of AWS that reach any log group and any queue; a role has of them what its
boundary allows, since IAM grants nothing that either of both does not.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from checks.aws.translated import translate
from ops.template import load_template
from tests.recorded_rights import agreed, compare

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = {
    name: Path(resource["Properties"]["CodeUri"]).name
    for name, resource in load_template(ROOT / "template.yaml")["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
IDENTITIES: Final = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"
"""SES knows a sender by its address or by its domain, whichever the shop has verified: the one pattern in all roles."""

TAKES: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
READS_STREAM: Final = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")

GIVEN_BY_SAM: Final = {
    "AWSLambdaBasicExecutionRole": {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"},
    "AWSLambdaSQSQueueExecutionRole": {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    },
    "AWSLambdaDynamoDBExecutionRole": {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        *READS_STREAM,
    },
}
"""What AWS' policies allow on every resource of an account, by their names."""

Template = dict[str, Any]
Right = tuple[str, str]


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: part["Properties"] for name, part in template["Resources"].items() if part["Type"] == kind}


def roles_of(template: Template) -> dict[str, Any]:
    """The roles of functions and schedules; Cognito's for SMS reaches nothing of the shop's."""
    return {name: role for name, role in of_type(template, "AWS::IAM::Role").items() if name != "SmsRole"}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(resource: Any) -> str:
    """A resource of a statement by its logical id, with what follows its ARN; its text where it is no resource of the stack."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn" | "Id"]} | {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), "StreamArn"]}:
            return f"{name}/stream"
        case {"Fn::Sub": str(text)}:
            return text.replace("${Table.Arn}", "Table")
        case _:
            return str(resource)


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that every shop has: what comes with the parameters `DataKeyArn` and `Tracing` is looked at by itself."""
    for policy in role.get("Policies", []):
        yield from (part for part in as_list(policy["PolicyDocument"]["Statement"]) if "Fn::If" not in part)


def granted(found: Iterable[dict[str, Any]]) -> set[Right]:
    return {
        (action, named(resource))
        for statement in found
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def within(template: Template) -> set[Right]:
    """The most that a function of the stack can have."""
    return granted(bounding(template))


def bounding(template: Template) -> list[dict[str, Any]]:
    """The statements of the boundary that every shop has."""
    [boundary] = of_type(template, "AWS::IAM::ManagedPolicy").values()
    return [statement for statement in boundary["PolicyDocument"]["Statement"] if "Fn::If" not in statement]


def allowed(template: Template, role: dict[str, Any]) -> set[Right]:
    """What a role can do: its own statements and AWS' policies, both as far as its boundary goes."""
    own = granted(statements(role))
    if "PermissionsBoundary" not in role:
        assert "ManagedPolicyArns" not in role
        return own
    assert role["PermissionsBoundary"] == {"Ref": "Boundary"}
    from_aws = {action for arn in role["ManagedPolicyArns"] for action in GIVEN_BY_SAM[arn.rsplit("/")[-1]]}
    return {(action, what) for action, what in within(template) if (action, what) in own or action in from_aws}


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
        source = named(feed["EventSourceArn"])
        found[role] |= {(action, source) for action in (READS_STREAM if source.endswith("/stream") else TAKES)}
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
    """One sentence for each right that a role lacks or has for nothing, and for each that the boundary does."""
    wanted, roles = needs(template), roles_of(template)
    found = [f"{name} belongs to nothing" for name in roles.keys() - wanted.keys()]
    for name, rights in sorted(wanted.items()):
        given = allowed(template, roles[name])
        written = granted(statements(roles[name]))
        found += [f"{name} lacks {action} on {what}" for action, what in sorted(rights - given)]
        found += [f"{name} allows {action} on {what} for nothing" for action, what in sorted((given | written) - rights)]
    of_functions = [rights for name, rights in wanted.items() if "PermissionsBoundary" in roles[name]]
    return found + [
        f"the boundary allows {action} on {what} for nothing"
        for action, what in sorted(within(template).difference(*of_functions))
    ]


def places(template: Template) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every list of statements that allows something, with a name for it: each role's own, and the boundary's."""
    for name, role in roles_of(template).items():
        yield name, list(statements(role))
    yield "Boundary", bounding(template)


def changed(template: Template, name: str, place: int, **parts: Any) -> Template:
    """The template with other `parts` in statement `place` of what `places` calls `name`."""
    other = template | {"Resources": template["Resources"] | {name: copy.deepcopy(template["Resources"][name])}}
    dict(places(other))[name][place].update(parts)
    return other


def test_every_role_allows_exactly_what_was_seen_to_be_needed(template: Template) -> None:
    assert differences(template) == []


def test_every_function_has_the_boundary_and_no_role_anything_else_of_aws_but_what_sam_gives(template: Template) -> None:
    roles = roles_of(template)
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert roles[role_of(function["Role"])]["PermissionsBoundary"] == {"Ref": "Boundary"}
    for name, role in roles.items():
        assert {arn.rsplit("/")[-1] for arn in role.get("ManagedPolicyArns", [])} <= set(GIVEN_BY_SAM), name
    assert of_type(template, "AWS::IAM::Policy") == {}


def test_tracing_adds_the_right_to_send_traces_and_nothing_else(template: Template) -> None:
    [boundary] = of_type(template, "AWS::IAM::ManagedPolicy").values()
    [traces] = [part["Fn::If"] for part in boundary["PolicyDocument"]["Statement"] if part.get("Fn::If", [""])[0] == "IsTraced"]
    assert all(action.startswith("xray:") for action in traces[1]["Action"])
    assert traces[2] == {"Ref": "AWS::NoValue"}
    traced = roles_of(translate({"Tracing": "Active"}))
    for name, role in roles_of(template).items():
        more = set(traced[name].get("ManagedPolicyArns", [])) - set(role.get("ManagedPolicyArns", []))
        assert {arn.rsplit("/")[-1] for arn in more} == ({"AWSXrayWriteOnlyAccess"} if "PermissionsBoundary" in role else set())


def test_the_shops_own_key_may_be_used_by_exactly_the_functions_that_touch_a_table_and_through_dynamodb_only(
    template: Template,
) -> None:
    def keys(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        return [part["Fn::If"][1] for part in found if part.get("Fn::If", [""])[0] == "HasDataKey"]

    [boundary] = of_type(template, "AWS::IAM::ManagedPolicy").values()
    [statement] = keys(boundary["PolicyDocument"]["Statement"])
    assert statement["Action"] == ["kms:Decrypt", "kms:DescribeKey"]
    assert statement["Resource"] == {"Ref": "DataKeyArn"}
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": {"Fn::Sub": "dynamodb.${AWS::Region}.amazonaws.com"}}}
    for name, role in roles_of(template).items():
        touches = any(action.startswith("dynamodb:") for action, _ in granted(statements(role)))
        written = (
            [part for policy in role["Policies"] for part in as_list(policy["PolicyDocument"]["Statement"])] if touches else []
        )
        assert keys(written) == ([statement] if touches else []), name


def test_one_action_less_in_any_role_is_noticed(template: Template) -> None:
    tried = 0
    for name, found in places(template):
        for place, statement in enumerate(found):
            for action in as_list(statement["Action"]):
                less = [other for other in as_list(statement["Action"]) if other != action]
                said = differences(changed(template, name, place, Action=less))
                assert any(action in difference for difference in said), f"{name} without {action}"
                tried += 1
    assert tried > 80


def test_one_action_more_in_any_role_is_noticed(template: Template) -> None:
    others = {"dynamodb:Scan", "dynamodb:DeleteTable", "*"}
    actions = {action for _, found in places(template) for action, _ in granted(found)} | others
    roles = roles_of(template)
    for name, found in places(template):
        before = granted(found) | (allowed(template, roles[name]) if name in roles else set())
        for place, statement in enumerate(found):
            for action in sorted(actions - set(as_list(statement["Action"]))):
                wider = changed(template, name, place, Action=[*as_list(statement["Action"]), action])
                if not granted(dict(places(wider))[name]) <= before:  # else another statement gave it already
                    said = differences(wider)
                    assert any(action in difference for difference in said), f"{name} with {action}"


def test_a_wider_resource_in_any_role_is_noticed(template: Template) -> None:
    for name, found in places(template):
        for place, _ in enumerate(found):
            said = differences(changed(template, name, place, Resource="*"))
            assert any("*" in difference for difference in said), name


def test_no_statement_is_anything_but_an_allowance_of_these_actions_on_these_resources(template: Template) -> None:
    for name, found in places(template):
        for statement in found:
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
