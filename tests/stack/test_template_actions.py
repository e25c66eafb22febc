"""`template.yaml` gives no function more than it needs."""

from __future__ import annotations

import ast

import pytest

from payfirst.api.routes import ROUTES
from tests.stack.template import ROOT, actions, as_list, functions, statements

READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


GATEWAY_SECRETS = {"GatewaysSecret"}


def secrets_of(name: str) -> set[str]:
    return {
        resource["Fn::GetAtt"][0]
        for statement in statements(name)
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


@pytest.mark.parametrize("name", sorted(functions()))
def test_no_function_may_do_everything_with_anything(name: str) -> None:
    for statement in statements(name):
        assert not any("*" in action for action in as_list(statement["Action"])), statement
        assert all(isinstance(resource, dict) for resource in as_list(statement["Resource"])), statement


@pytest.mark.parametrize("name", ["read_payments", "catalogue"])
def test_functions_that_read_cannot_write(name: str) -> None:
    assert {action for action in actions(name) if action.startswith("dynamodb:")} <= READS


def test_only_the_functions_that_talk_to_gateways_may_read_their_secrets() -> None:
    assert {name for name in functions() if secrets_of(name) & GATEWAY_SECRETS} == {
        "initiate_payment",
        "webhook",
        "reconcile_payments",
    }


def test_only_functions_that_keep_answers_to_repeated_requests_or_keep_a_list_of_news_may_delete_items() -> None:
    repeatable = {route.function for route in ROUTES if route.method == "POST" and not route.public}
    assert {name for name in functions() if "dynamodb:DeleteItem" in actions(name)} == repeatable | {"deliver_events"}


def test_the_site_may_do_nothing_but_write_its_log() -> None:
    assert actions("site") == set()


def test_no_function_may_delete_or_change_the_table_itself() -> None:
    allowed = {
        *READS,
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:ConditionCheckItem",
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "secretsmanager:GetSecretValue",
        "events:PutEvents",
        "ses:SendEmail",
    }
    assert {action for name in functions() for action in actions(name)} <= allowed


def test_the_layer_describes_every_service_that_the_package_calls() -> None:
    packed = ast.parse((ROOT / "layers" / "common" / "python" / "build_layer.py").read_text(encoding="utf-8"))
    [kept] = [
        ast.literal_eval(node.value)
        for node in packed.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "SERVICES"
    ]
    clients = {"ses": "sesv2"}  # where the word of a right is not the name of the client
    words = {action.split(":")[0] for name in functions() for action in actions(name)}
    services = {clients.get(word, word) for word in words}
    assert services == set(kept)
