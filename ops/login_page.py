"""Cognito's newer sign-in page, the one that takes codes: it answers nothing until a branding is made for it."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from ops.printing import complain, say

TAKES_CODES: Final = 2
"""The version of Cognito's page that asks for codes; the first, classic one asks for passwords only."""


def open_login_page(users: Any, pool: str, client: str) -> None:  # noqa: ANN401 - a boto3 client
    """Let customers of `pool` sign in with a code at a page, which `client` gets Cognito's own look for unless it has one.

    Nothing is done where the pool has no page, or is in the tier that has the classic one only. CloudFormation cannot do it:
    switched over without a look, the page is "unavailable". What AWS refuses is said, and left for the next deployment.
    """
    try:
        _open(users, pool, client)
    except ClientError as error:
        complain(
            f"AWS refused to set up the sign-in page, which then takes no codes: {error}. The next `make deploy` tries again."
        )


def _open(users: Any, pool: str, client: str) -> None:  # noqa: ANN401 - a boto3 client
    found = users.describe_user_pool(UserPoolId=pool)["UserPool"]
    if "Domain" not in found or found.get("UserPoolTier") == "LITE":
        return
    named = {"UserPoolId": pool, "ClientId": client}
    try:
        users.describe_managed_login_branding_by_client(**named)
    except users.exceptions.ResourceNotFoundException:
        users.create_managed_login_branding(**named, UseCognitoProvidedValues=True)
        say("The sign-in page has Cognito's own look; Cognito's branding editor gives it another, which stays.")
    page = users.describe_user_pool_domain(Domain=found["Domain"])["DomainDescription"]
    if page.get("ManagedLoginVersion") != TAKES_CODES:
        users.update_user_pool_domain(UserPoolId=pool, Domain=found["Domain"], ManagedLoginVersion=TAKES_CODES)
