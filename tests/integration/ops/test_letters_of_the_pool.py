"""Who sends the user pool's own letters, about codes: SES where the shop has a sender, else Cognito's own mailer."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from local.embedded_aws import TEMPLATE, EmbeddedAws
from ops.template import load_template

ACCOUNT = "arn:aws:ses:us-east-1:000000000000:identity"


def letters_of(aws: EmbeddedAws, **parameters: str) -> dict[str, Any]:
    """How the pool of a stack with these parameters sends its letters, as Cognito tells it."""
    name, clouds = f"letters-{uuid4().hex[:8]}", aws.client("cloudformation")
    whole = load_template(TEMPLATE)
    parts = {key: whole[key] for key in ("Parameters", "Conditions", "Mappings")}
    only = {**parts, "Resources": {"UserPool": whole["Resources"]["UserPool"]}}
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    clouds.create_stack(StackName=name, TemplateBody=json.dumps(only), Parameters=given)
    clouds.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    pool = clouds.describe_stack_resource(StackName=name, LogicalResourceId="UserPool")["StackResourceDetail"]
    users = aws.client("cognito-idp")
    found: dict[str, Any] = users.describe_user_pool(UserPoolId=pool["PhysicalResourceId"])["UserPool"]["EmailConfiguration"]
    clouds.delete_stack(StackName=name)
    return found


@pytest.mark.parametrize(
    ("bookings", "orders", "sender", "address"),
    [
        ("Puja <puja@shop.example>", "", "Puja <puja@shop.example>", "puja@shop.example"),
        ("", "farm@shop.example", "farm@shop.example", "farm@shop.example"),
        ("puja@shop.example", "Farm <farm@shop.example>", "puja@shop.example", "puja@shop.example"),
    ],
)
def test_a_shop_that_writes_letters_sends_the_pools_through_ses_too(
    embedded_aws: EmbeddedAws, bookings: str, orders: str, sender: str, address: str
) -> None:
    found = letters_of(embedded_aws, BookingsMailSender=bookings, OrdersMailSender=orders)
    assert found == {"EmailSendingAccount": "DEVELOPER", "From": sender, "SourceArn": f"{ACCOUNT}/{address}"}


def test_ses_may_know_the_senders_domain_instead_and_in_another_region(embedded_aws: EmbeddedAws) -> None:
    domain = "arn:aws:ses:eu-west-1:000000000000:identity/shop.example"
    found = letters_of(embedded_aws, OrdersMailSender="farm@shop.example", MailIdentityArn=domain)
    assert (found["EmailSendingAccount"], found["SourceArn"]) == ("DEVELOPER", domain)


def test_without_a_sender_cognito_sends_them_itself(embedded_aws: EmbeddedAws) -> None:
    assert letters_of(embedded_aws) == {"EmailSendingAccount": "COGNITO_DEFAULT"}
