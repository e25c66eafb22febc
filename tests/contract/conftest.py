"""A second stack whose sessions end almost at once, for what the documents print about expired ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import RunningStack
from tests.issuer import TokenIssuer


@pytest.fixture(scope="session")
def short_lived_stack(issuer: TokenIssuer) -> Iterator[RunningStack]:
    """A whole stack in which a session lasts two seconds."""
    with RunningStack(issuer, variables={"SESSION_TTL_SECONDS": "2"}) as running:
        yield running
