"""Makes the token that a signed-in customer of the local stack would hold."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class TokenError(Exception):
    """No token can be made; the message says why in one sentence."""


def mint(
    environment: Mapping[str, str],
    user_id: int,
    name: str,
    *,
    groups: Iterable[str] = (),
    only_new: bool = False,
    verified: bool = True,
) -> str:
    """An ID token of the customer `user_id`, signed up with `name` in the stack's user pool if need be.

    `environment` is that of a running local stack (`LocalStack.environment`, `.local/stack.json`). `name` is a mail address or
    a phone number (`+254712345678`). The same `name` is the same customer, with the same `sub`, in every token; TokenError if
    it belongs to another `user_id`. `groups` are joined for good. The shop writes to an address only where it is `verified`.

    Each call gives the customer a new password that nobody keeps; with `only_new`, which is for stacks with real
    customers, TokenError for somebody who has signed up before. Without an endpoint in `environment` the pool is that of the
    caller's own AWS account and region.
    """
    client = _client(environment)
    pool_id = environment["TOKEN_ISSUER"].rsplit("/", 1)[-1]
    _sign_up(client, pool_id, user_id, name, only_new=only_new)
    client.admin_update_user_attributes(
        UserPoolId=pool_id,
        Username=name,
        UserAttributes=[{"Name": f"{_attribute(name)}_verified", "Value": str(verified).lower()}],
    )
    for group in groups:
        client.admin_add_user_to_group(UserPoolId=pool_id, Username=name, GroupName=group)
    password = f"{secrets.token_hex(16)}a1"
    client.admin_set_user_password(UserPoolId=pool_id, Username=name, Password=password, Permanent=True)
    answer = client.initiate_auth(
        ClientId=environment["TOKEN_AUDIENCE"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    return answer["AuthenticationResult"]["IdToken"]


def _client(environment: Mapping[str, str]) -> CognitoIdentityProviderClient:
    config = Config(connect_timeout=3, read_timeout=15)
    if "AWS_ENDPOINT_URL" not in environment:
        return boto3.session.Session().client("cognito-idp", config=config)
    return boto3.session.Session().client(
        "cognito-idp",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )


def _attribute(name: str) -> str:
    return "email" if "@" in name else "phone_number"


def _sign_up(client: CognitoIdentityProviderClient, pool_id: str, user_id: int, name: str, *, only_new: bool) -> None:
    try:
        client.admin_create_user(
            UserPoolId=pool_id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": _attribute(name), "Value": name},
                {"Name": "custom:user_id", "Value": str(user_id)},
            ],
        )
    except client.exceptions.UsernameExistsException as exc:
        if only_new:
            raise TokenError(f"{name} has signed up already and would lose their password: choose another.") from exc
        known = client.admin_get_user(UserPoolId=pool_id, Username=name)["UserAttributes"]
        owner = next((attribute.get("Value") for attribute in known if attribute["Name"] == "custom:user_id"), None)
        if owner != str(user_id):
            raise TokenError(f"{name} belongs to the customer {owner}, not to {user_id}: choose another.") from exc
