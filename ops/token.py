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
    environment: Mapping[str, str], user_id: int, email: str, *, groups: Iterable[str] = (), only_new: bool = False
) -> str:
    """An ID token of the customer `user_id`, signed up with `email` in the stack's user pool if need be.

    `environment` is that of a running local stack (`LocalStack.environment`, `.local/stack.json`). The same `email` is the
    same customer, with the same `sub`, in every token; TokenError if it belongs to another `user_id`. `groups` are joined
    for good. Each call gives the customer a new password that nobody keeps; with `only_new`, which is for stacks with real
    customers, TokenError for somebody who has signed up before. Without an endpoint in `environment` the pool is that of the
    caller's own AWS account and region.
    """
    client = _client(environment)
    pool_id = environment["TOKEN_ISSUER"].rsplit("/", 1)[-1]
    _sign_up(client, pool_id, user_id, email, only_new=only_new)
    for group in groups:
        client.admin_add_user_to_group(UserPoolId=pool_id, Username=email, GroupName=group)
    password = f"{secrets.token_hex(16)}a1"
    client.admin_set_user_password(UserPoolId=pool_id, Username=email, Password=password, Permanent=True)
    answer = client.initiate_auth(
        ClientId=environment["TOKEN_AUDIENCE"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password},
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


def _sign_up(client: CognitoIdentityProviderClient, pool_id: str, user_id: int, email: str, *, only_new: bool) -> None:
    try:
        client.admin_create_user(
            UserPoolId=pool_id,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
                {"Name": "custom:user_id", "Value": str(user_id)},
            ],
        )
    except client.exceptions.UsernameExistsException as exc:
        if only_new:
            raise TokenError(f"{email} has signed up already and would lose their password: choose another address.") from exc
        known = client.admin_get_user(UserPoolId=pool_id, Username=email)["UserAttributes"]
        owner = next((attribute.get("Value") for attribute in known if attribute["Name"] == "custom:user_id"), None)
        if owner != str(user_id):
            raise TokenError(f"{email} belongs to the customer {owner}, not to {user_id}: choose another address.") from exc
