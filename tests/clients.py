"""Which client asks the table: ours, which a function has in Lambda, or botocore's, which it has where more is asked of it."""

from __future__ import annotations

import os
from typing import Any, Final

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
