"""Customers in a user pool made from the template: signing up, tokens, groups, and being erased."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from local.embedded_aws import TEMPLATE
from local.resources import UserPool, create_user_pool
from ops.erase import accounts_of
from ops.token import TokenError, mint
from tests.unit.aws.conftest import InProcessAws

AMINA = "amina@example.com"


@pytest.fixture
def pool(aws: InProcessAws) -> UserPool:
    return create_user_pool(aws.client("cognito-idp"), TEMPLATE, "shop")


@pytest.fixture
def environment(pool: UserPool) -> dict[str, str]:
    """What the functions of a deployed stack know of the pool."""
    return {"TOKEN_ISSUER": pool.issuer, "TOKEN_AUDIENCE": pool.audience}


def claims(token: str) -> dict[str, Any]:
    read: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return read


def test_a_token_says_who_signed_up_by_the_pool_s_own_name_for_them(environment: dict[str, str]) -> None:
    first, second = (claims(mint(environment, 7, AMINA)) for _ in range(2))
    assert (first["sub"], first["email"]) == (second["sub"], AMINA)
    assert (first["iss"], first["aud"], first["token_use"]) == (
        environment["TOKEN_ISSUER"],
        environment["TOKEN_AUDIENCE"],
        "id",
    )


def test_an_address_belongs_to_one_customer(environment: dict[str, str]) -> None:
    mint(environment, 7, AMINA)
    with pytest.raises(TokenError, match="belongs to the customer 7, not to 8"):
        mint(environment, 8, AMINA)
    with pytest.raises(TokenError, match="has signed up already and would lose their password"):
        mint(environment, 7, AMINA, only_new=True)


def test_a_customer_may_have_a_phone_and_no_address(environment: dict[str, str]) -> None:
    number = "+254712345678"
    first, second = (claims(mint(environment, 7, number)) for _ in range(2))
    assert (first["sub"], first["phone_number"], first["custom:user_id"]) == (second["sub"], number, "7")
    assert str(first["phone_number_verified"]).lower() == "true"
    assert "email_verified" not in first  # moto writes the name into `email`, whatever it is; AWS leaves that out
    with pytest.raises(TokenError, match="belongs to the customer 7, not to 8"):
        mint(environment, 8, number)
    accounts = accounts_of(environment)
    assert accounts is not None
    assert set(accounts.names("phone_number", number)) == {first["sub"]}


def test_an_operator_is_in_the_template_s_group(aws: InProcessAws, pool: UserPool, environment: dict[str, str]) -> None:
    token = mint(environment, 7, AMINA, groups=["operators"], verified=False)
    assert claims(token)["cognito:groups"] == ["operators"]
    [user] = aws.client("cognito-idp").list_users(UserPoolId=pool.pool_id)["Users"]
    assert {"Name": "email_verified", "Value": "false"} in user["Attributes"]


def test_a_customer_is_found_by_address_and_by_sub_and_is_gone_when_deleted(environment: dict[str, str]) -> None:
    sub = claims(mint(environment, 7, AMINA))["sub"]
    other = claims(mint(environment, 8, "other@example.com"))["sub"]
    accounts = accounts_of(environment)
    assert accounts is not None
    by_address, by_sub = accounts.names("email", AMINA), accounts.names("sub", sub)
    assert by_address == by_sub
    assert set(by_sub) == {sub}
    accounts.delete(by_sub[sub])
    assert accounts.names("sub", sub) == {}
    assert set(accounts.names("sub", other)) == {other}


def test_customers_whom_somebody_else_signs_in_have_no_account_here() -> None:
    assert accounts_of({"TOKEN_ISSUER": "https://login.example/realm"}) is None
