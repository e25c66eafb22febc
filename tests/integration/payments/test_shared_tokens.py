"""Gateways' access tokens are shared by whoever fetches one first, sweeps as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from mypy_boto3_dynamodb import DynamoDBClient

from local.embedded_aws import TEMPLATE
from local.resources import create_table
from payfirst.api.shared_tokens import SharedTokens
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import PASSKEY, Shop, new_customer


def test_a_sweep_that_finds_no_access_token_fetches_one_and_shares_it(shop: Shop, dynamodb: DynamoDBClient) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    name = f"payfirst-{uuid4().hex}-gateway-tokens"
    create_table(dynamodb, TEMPLATE, name, logical_id="GatewayTokens", expires=False)
    shared = SharedTokens(replace(shop.table, name=name))
    known = MpesaCredentials("key", "secret", "174379", PASSKEY)
    shop.gateways["MPESA"] = Mpesa(known, f"{shop.simulators}/mpesa", shared, "sweep")
    shop.now += timedelta(seconds=30)

    assert reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3)).settled == {"fulfilled": 1}
    assert shared.read("MPESA") is not None
