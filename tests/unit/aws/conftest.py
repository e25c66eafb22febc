"""AWS in this process, by moto: botocore's own requests and answers, without a server.

moto is imported by the first test that asks for it, so that no other run of tests pays for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.fresh import forget

REGION = "eu-west-1"
ELSEWHERE = "us-east-1"


class InProcessAws:
    """An empty account in `REGION`."""

    def client(self, service: str, region: str = REGION) -> Any:
        """boto3's client of that service."""
        session: Any = boto3.session.Session()  # its stubs know services only by literal names
        return session.client(service, region_name=region)

    def own(self, make: Any) -> Any:
        """The client that `make` of the package makes for a container."""
        return make.__wrapped__()

    def heard(self, client: Any, operation: str) -> list[dict[str, Any]]:
        """The parameters of every such request of `client` from now on."""
        requests: list[dict[str, Any]] = []
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"provide-client-params.{service}.{operation}", lambda params, **_: requests.append(params))
        return requests


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessAws]:
    """AWS for one test. Whatever moto does not know would go to the network, which no test reaches."""
    from moto import mock_aws  # noqa: PLC0415 - see above

    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    forget()  # a client that was made before moto was imported goes to the network
    with mock_aws():
        yield InProcessAws()
    forget()
