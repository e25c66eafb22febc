"""The shop with the standing clock, beside the whole running stack of `tests.conftest`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.conftest import RunningStack
from tests.integration.gateways.shoppers import BookingShopper, ProduceShopper
from tests.integration.payments.conftest import queue, shop, simulators

__all__ = ["a_booker", "a_buyer", "queue", "shop", "simulators"]


@pytest.fixture
def a_buyer(stack: RunningStack) -> Iterator[ProduceShopper]:
    """Somebody new with tomatoes in a session; no rule of the simulators outlives the test."""
    yield ProduceShopper(stack)
    _forget_rules(stack)


@pytest.fixture
def a_booker(stack: RunningStack) -> Iterator[BookingShopper]:
    """Somebody new with a puja in a cart; no rule of the simulators outlives the test."""
    yield BookingShopper(stack)
    _forget_rules(stack)


def _forget_rules(stack: RunningStack) -> None:
    requests.delete(f"{stack.simulator_url}/control/script", timeout=10).raise_for_status()
