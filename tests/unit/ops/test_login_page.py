"""`make deploy` opens Cognito's newer sign-in page where codes are entered.

No emulator has its branding, so the answers are made by hand.
"""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ops.login_page import open_login_page

POOL, CLIENT, DOMAIN = "ap-south-1_Shop00001", "client00000000000000000001", "shop-123456789012"
NAMED = {"UserPoolId": POOL, "ClientId": CLIENT}
PAGE = {"Domain": DOMAIN}


class Pool:
    """A user pool that answers these requests, in this order, and no other."""

    def __init__(self, **described: str) -> None:
        session: Any = boto3.session.Session("k", "s", region_name="ap-south-1")
        self.client = session.client("cognito-idp")
        self._answers = Stubber(self.client)
        self._answers.activate()
        self.answers("describe_user_pool", {"UserPoolId": POOL}, {"UserPool": described})

    def answers(self, call: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        self._answers.add_response(call, answer, asked)

    def refuses(self, call: str, asked: dict[str, Any], code: str) -> None:
        self._answers.add_client_error(call, code, "no", expected_params=asked)

    def is_opened(self) -> None:
        open_login_page(self.client, POOL, CLIENT)
        self._answers.assert_no_pending_responses()


@pytest.mark.parametrize("described", [{"UserPoolTier": "ESSENTIALS"}, {"UserPoolTier": "LITE", **PAGE}])
def test_a_pool_without_a_page_or_with_the_classic_one_is_left_alone(described: dict[str, str]) -> None:
    Pool(**described).is_opened()


def test_the_first_deployment_gives_the_page_a_look_before_it_is_switched_to(capsys: pytest.CaptureFixture[str]) -> None:
    pool = Pool(UserPoolTier="ESSENTIALS", **PAGE)
    pool.refuses("describe_managed_login_branding_by_client", NAMED, "ResourceNotFoundException")
    pool.answers("create_managed_login_branding", {**NAMED, "UseCognitoProvidedValues": True}, {})
    pool.answers("describe_user_pool_domain", PAGE, {"DomainDescription": {**PAGE, "ManagedLoginVersion": 1}})
    pool.answers("update_user_pool_domain", {"UserPoolId": POOL, **PAGE, "ManagedLoginVersion": 2}, {})
    pool.is_opened()
    assert "branding editor" in capsys.readouterr().out


def test_what_the_shop_made_of_its_page_stays(capsys: pytest.CaptureFixture[str]) -> None:
    pool = Pool(UserPoolTier="ESSENTIALS", **PAGE)
    pool.answers("describe_managed_login_branding_by_client", NAMED, {"ManagedLoginBranding": {"UserPoolId": POOL}})
    pool.answers("describe_user_pool_domain", PAGE, {"DomainDescription": {**PAGE, "ManagedLoginVersion": 2}})
    pool.is_opened()
    assert capsys.readouterr().out == ""


def test_a_page_without_a_look_is_never_switched_to_and_a_refusal_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    pool = Pool(UserPoolTier="ESSENTIALS", **PAGE)
    pool.refuses("describe_managed_login_branding_by_client", NAMED, "ResourceNotFoundException")
    pool.refuses("create_managed_login_branding", {**NAMED, "UseCognitoProvidedValues": True}, "LimitExceededException")
    pool.is_opened()
    assert "which then takes no codes" in capsys.readouterr().err
