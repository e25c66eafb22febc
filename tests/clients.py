"""Which client asks the table: ours, which a function has in Lambda, or botocore's, which it has where more is asked of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import boto3

from local.embedded_aws import KEY, REGION, AwsEndpoint
from payfirst.storage.dynamodb.signed import Keys, SignedClient

SIGNED: Final = "signed"
BOTOCORE: Final = "botocore"
CLIENTS: Final = (SIGNED, BOTOCORE)
BOTOCORES_WORD: Final = "AWS_USE_FIPS_ENDPOINT"
"""Only botocore knows this variable, so that functions which have it take botocore's client; `false` changes nothing else."""


def choose(client: str | None) -> None:
    """Let the functions of stacks that this process starts have that client; their own choice for None."""
    if client == BOTOCORE:
        os.environ[BOTOCORES_WORD] = "false"


class _Signed(SignedClient):
    """Our client, and botocore's for what only tests ask for: tables, scans, writes of many items."""

    def __init__(self, aws: AwsEndpoint) -> None:
        limits: Any = {"connect_s": 3, "read_s": 30, "tries": 1, "authorities": None}
        super().__init__(Keys(KEY, KEY, None), REGION, aws.endpoint, **limits)
        self._more = aws.client("dynamodb")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._more, name)


def table_client(aws: AwsEndpoint, client: str) -> Any:
    """That client of the embedded DynamoDB; it tries nothing again."""
    return _Signed(aws) if client == SIGNED else aws.client("dynamodb")


def chosen(client: str | None) -> tuple[str, ...]:
    """That client; both for None."""
    return (client,) if client else CLIENTS


def client_of(environment: Mapping[str, str], service: str) -> Any:
    """A boto3 client of `service`, for instance `dynamodb`, by the environment that a running stack gives its functions."""
    names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return _client(service, *(environment[name] for name in names))


@cache
def _client(service: str, endpoint: str, region: str, key: str, secret: str) -> Any:
    """One for each stack: boto3 takes a tenth of a second to make one, and hundreds of tests look into the table."""
    session: Any = boto3.session.Session()  # its stubs know services only by literal names
    return session.client(
        service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret
    )


os.register_at_fork(after_in_child=_client.cache_clear)  # a process that was forked would share its parent's connections
