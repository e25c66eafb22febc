"""An operator with an empty secret, and simulated gateways that insist on the right credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local.embedded_aws import EmbeddedAws
from local.simulators.settings import Settings
from tests.integration.simulators.merchant import running

from .operator import Canaries, Operator


@pytest.fixture(scope="session")
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture(scope="session")
def gateway_url(canaries: Canaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(
        state=tmp_path_factory.mktemp("gateways") / "ledger.sqlite",
        mpesa_credentials=f"{canaries.key}:{canaries.secret}",
        phonepe_credentials=f"SHOP_2611:{canaries.client_secret}",
        phonepe_salts=(("1", canaries.salt_key), ("2", canaries.new_salt_key)),
    )
    with running(settings) as address:
        yield address


@pytest.fixture(scope="session")
def keeper(embedded_aws: EmbeddedAws) -> Any:
    return embedded_aws.client("secretsmanager")


@pytest.fixture
def operator(embedded_aws: EmbeddedAws, keeper: Any, gateway_url: str, canaries: Canaries) -> Iterator[Operator]:
    """Ends with the proof that nothing secret was printed by any command of the test."""
    secret_id = f"payfirst-{uuid4().hex}/gateway"
    keeper.create_secret(Name=secret_id)
    someone = Operator(embedded_aws, keeper, secret_id, gateway_url, canaries)
    yield someone
    printed = "".join("".join(output.split()) for output in someone.printed)
    assert someone.printed
    assert [name for name, canary in zip([*canaries.__slots__, "pair"], canaries.all(), strict=True) if canary in printed] == []
