"""What `make smoke` says of the stack itself, of schedules and queue, and of the address that M-Pesa posts to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import requests

from ops.smoke_api import DEPLOY
from ops.smoke_shop import ALIAS, Line, Shop, if_there, judged, logical_id, ok, shown, unknown
from ops.tick import FUNCTIONS

STACK_LINE: Final = "the stack"
WARNINGS_LINE: Final = "the import of the routes (FailOnWarnings)"
SCHEDULES_LINE: Final = "the schedules"
QUEUE_LINE: Final = "the queue of attempts to settle and the table's stream"
URL_LINE: Final = "the right to call the webhook's own URL"
URL_ANSWERS_LINE: Final = "the webhook's own URL"
OUTPUTS: Final = ("ApiId", "PublicUrl", "UserPoolId", "UserPoolClientId", "TableName", "GatewaysSecretId", "AlarmTopicArn")
URL_RIGHTS: Final = {
    "lambda:InvokeFunctionUrl": ("lambda:FunctionUrlAuthType", "NONE"),
    "lambda:InvokeFunction": ("lambda:InvokedViaFunctionUrl", "true"),
}
"""Since October 2025 a function's URL needs both, each with its condition."""


def check_parts(shop: Shop) -> Iterator[Line]:
    """The lines about the stack's parts that no customer calls."""
    done = shop.status.endswith("_COMPLETE") and "ROLLBACK" not in shop.status and "DELETE" not in shop.status
    problems = [] if done else [shop.status]
    problems += [f"it has no output {name}, as this release's has" for name in OUTPUTS if name not in shop.outputs]
    yield judged(STACK_LINE, problems, f"{shop.name}: {shop.status}", DEPLOY)
    yield _warnings(shop)
    yield _schedules(shop)
    yield _queue(shop)
    yield from _function_url(shop)


def _warnings(shop: Shop) -> Line:
    if shop.parameters.get("FailOnWarnings") != "true":
        why = "a warning did not stop the deployment, so routes may have been dropped in silence"
        return unknown(WARNINGS_LINE, why, "Deploy with FailOnWarnings=true; the routes above say what there is.")
    if shop.emulated:
        return unknown(WARNINGS_LINE, "on, but an emulator imports without warnings", "Look on an AWS account.")
    return ok(WARNINGS_LINE, "on, and the deployment passed: API Gateway warned of nothing")


def _schedules(shop: Shop) -> Line:
    made, groups = shop.made("AWS::Scheduler::Schedule"), {"default", *shop.made("AWS::Scheduler::ScheduleGroup").values()}
    there = {
        one["Name"]: one
        for group in sorted(groups)
        for page in shop.client("scheduler").get_paginator("list_schedules").paginate(GroupName=group)
        for one in page["Schedules"]
    }
    problems = []
    for folder in FUNCTIONS.values():
        names = [name.rsplit("/", 1)[-1] for logical, name in made.items() if logical.startswith(logical_id(folder))]
        problems += [] if names else [f"{logical_id(folder)} has none"]
        for name in names:
            if name not in there:
                problems.append(f"{name} is gone")
                continue
            if there[name]["State"] != "ENABLED":
                problems.append(f"{name} is {there[name]['State']}")
            if not there[name]["Target"]["Arn"].endswith(f":{shop.function(folder)}:{ALIAS}"):
                problems.append(f"{name} does not call {logical_id(folder)}'s version {ALIAS}")
    return judged(SCHEDULES_LINE, problems, f"{len(made)} are on and call the version {ALIAS}", DEPLOY)


def _queue(shop: Shop) -> Line:
    functions, made = shop.client("lambda"), shop.made("AWS::Lambda::EventSourceMapping")
    problems = [] if made else ["nothing takes from them"]
    for name in made.values():
        mapping = if_there(functions.get_event_source_mapping, UUID=name)
        if not mapping:
            problems.append(f"the mapping {name} is gone")
            continue
        if mapping["State"] != "Enabled":
            problems.append(f"the mapping {name} is {mapping['State']}")
        if not mapping["FunctionArn"].endswith(f":{ALIAS}"):
            problems.append(f"the mapping {name} does not call the version {ALIAS}")
    return judged(QUEUE_LINE, problems, f"are taken from by the version {ALIAS}", DEPLOY)


def _function_url(shop: Shop) -> Iterator[Line]:
    functions, place = shop.client("lambda"), {"FunctionName": shop.function("webhook") or "-", "Qualifier": ALIAS}
    url = if_there(functions.get_function_url_config, **place).get("FunctionUrl")
    if not url:
        gone = [f"the version {ALIAS} has none any more"] if shop.made("AWS::Lambda::Url") else []
        none = f"there is none: notices come to {shop.outputs.get('NoticeUrl', shop.address)}"
        yield judged(URL_LINE, gone, none, DEPLOY)
        return
    statements = json.loads(if_there(functions.get_policy, **place).get("Policy", "{}")).get("Statement", [])
    missing = [
        f"nobody has the right {action}: AWS answers 403"
        for action, condition in URL_RIGHTS.items()
        if not any(_lets_everybody(one, action, condition) for one in statements)
    ]
    yield judged(URL_LINE, missing, f"everybody has {' and '.join(URL_RIGHTS)}, as AWS demands", DEPLOY)
    if shop.emulated:
        yield unknown(URL_ANSWERS_LINE, "leads to AWS, and an emulator is not there", "Look on an AWS account.")
        return
    try:  # what M-Pesa says when it gives up waiting: nothing comes of it
        answer = requests.post(f"{url}cb/late/smoke", timeout=15)
        problems = [] if answer.ok and "ResultCode" in answer.text else [f"{url} answers {shown(answer)}"]
    except requests.RequestException as error:
        problems = [f"{url} does not answer: {type(error).__name__}"]
    yield judged(URL_ANSWERS_LINE, problems, "takes what M-Pesa posts", "Look at the rights above, then into the log.")


def _lets_everybody(statement: Mapping[str, Any], action: str, condition: tuple[str, str]) -> bool:
    """Whether the statement of a function's policy allows `action` to anybody, on that condition alone."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    held = [(key, str(value).lower()) for rule in statement.get("Condition", {}).values() for key, value in rule.items()]
    return (
        statement["Effect"] == "Allow"
        and action in actions
        and statement["Principal"] in ("*", {"AWS": "*"})
        and held == [(condition[0], condition[1].lower())]
    )
