"""What the tests of the gateway clients share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .scripted_gateway import ScriptedGateway, scripted_gateway


@pytest.fixture
def gateway() -> Iterator[ScriptedGateway]:
    """A scripted gateway on loopback."""
    with scripted_gateway() as running:
        yield running
