"""`docs/gateways/poll.js`, run by node against the running stack: it ends with what really became of the session."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import PooledStack, RunningStack, SecondFront, SettingsBeside
from tests.contract.walk import new_customer
from tests.integration.front_end.test_poll import HARNESS, POLL
from tests.integration.gateways.shoppers import ProduceShopper
from tests.tools import node

BRIEF = {"SESSION_TTL_SECONDS": "8"}


@pytest.fixture(scope="module")
def brief(request: pytest.FixtureRequest, stack_with: SettingsBeside) -> Iterator[RunningStack | PooledStack | SecondFront]:
    """A stack whose sessions do not live long."""
    if request.config.getoption("deployed"):
        stack: PooledStack = request.getfixturevalue("deployed")
        with stack.settings_of("CreateSessionFunction", **BRIEF):
            yield stack
        return
    with stack_with(**BRIEF) as other:
        new_customer(other).send("GET", "/api/payments/sessions/1/status")  # a function that is cold takes of the eight seconds
        yield other


def polled(stack: RunningStack, shopper: ProduceShopper) -> Any:
    """What the function resolves to, which states it told, and how long it waited in between."""
    given = {
        "url": f"{stack.base_url}/api/payments/sessions/{shopper.session_id}/status/",
        "token": shopper.customer.token,
        "realTime": True,
        "firstWaitMs": 300,
        "longestWaitMs": 1000,
        "limitMs": 60_000,
    }
    command = [node(), "--unhandled-rejections=strict", str(HARNESS), str(POLL), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_session_that_nobody_pays_for_ends_as_expired(brief: RunningStack) -> None:
    told = polled(brief, ProduceShopper(brief))
    assert (told["result"]["outcome"], told["seen"][0]) == ("expired", "pending")
    assert set(told["seen"]) == {"pending", "expired"}


@pytest.mark.parametrize(("outcome", "end"), [("pay", "order_created"), ("cancel", "failed")])
def test_a_prompt_that_is_answered_ends_the_waiting(stack: RunningStack, outcome: str, end: str) -> None:
    shopper = ProduceShopper(stack)
    shopper.rule(call="push", outcome=outcome, after_s=1.5, times=1)
    shopper.initiate()

    told = polled(stack, shopper)

    assert told["result"]["outcome"] == end
    assert told["seen"][0] == "payment_initiated"
    assert told["result"]["session"]["session_status"] == end
