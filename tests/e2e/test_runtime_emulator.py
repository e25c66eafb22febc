"""Every function under AWS' own Runtime Interface Emulator with `awslambdaric`: answers, time limits, errors by name."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.container import FUNCTIONS, verified_by
from local.emulator import RuntimeEmulator
from payfirst.domain.ids import ref_of_callback_token
from tests.conftest import RunningStack
from tests.e2e.examples import EXPECTED, ROOT, example, theirs


def emulated(name: str, variables: Mapping[str, str]) -> RuntimeEmulator:
    """The function with `variables` where API Gateway has verified tokens of the issuer that the events name."""
    _, timeout = FUNCTIONS[name]
    return RuntimeEmulator(ROOT / "functions" / name, {**variables, **verified_by(example("carts"))}, timeout=timeout)


def test_every_function_is_tried() -> None:
    assert set(EXPECTED) == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_function_answers_its_event_as_it_would_in_lambda(name: str, stack: RunningStack) -> None:
    with emulated(name, stack.environment) as emulator:
        answer = emulator.invoke(theirs(example(name), f"only-{name}"))
        assert EXPECTED[name](answer), f"{answer}\n{emulator.said()}"


def test_a_cart_filled_by_one_function_is_paid_for_through_another(stack: RunningStack) -> None:
    with emulated("carts", stack.environment) as carts:
        added = carts.invoke(theirs(example("carts"), "emulated-customer"))
    with emulated("create_session", stack.environment) as sessions:
        event = theirs(example("create_session"), "emulated-customer")
        first, second = sessions.invoke(event), sessions.invoke(event)
    assert (added["statusCode"], first["statusCode"]) == (200, 201)
    assert json.loads(first["body"])["session_status"] == "pending"
    assert json.loads(first["body"])["session_id"] == json.loads(second["body"])["session_id"]


def test_the_webhooks_event_carries_an_address_of_the_form_that_mpesa_is_given() -> None:
    event = example("webhook")
    assert ref_of_callback_token(event["pathParameters"]["token"]) is not None
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == f"/cb/stk/{event['pathParameters']['token']}"


def test_a_function_that_takes_too_long_is_ended_and_the_next_call_is_answered(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import time\ndef handler(event, context):\n    time.sleep(event['seconds'])\n    return 'in time'\n", encoding="utf-8"
    )
    with RuntimeEmulator(tmp_path, {}, timeout=1) as emulator:
        assert emulator.invoke({"seconds": 0}) == "in time"
        started = time.monotonic()
        assert emulator.invoke({"seconds": 30}) == "Task timed out after 1.00 seconds"
        assert time.monotonic() - started < 10
        assert emulator.invoke({"seconds": 0}) == "in time"


def test_a_function_that_cannot_be_imported_says_so(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import payfirst.nowhere\n", encoding="utf-8")
    with RuntimeEmulator(tmp_path, {}, timeout=5) as emulator:
        answer = emulator.invoke({})
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "payfirst.nowhere" in answer["errorMessage"]


def test_a_function_without_one_of_its_settings_names_it(stack: RunningStack) -> None:
    without = {name: value for name, value in stack.environment.items() if name != "TABLE_NAME"}
    with emulated("expire_sessions", without) as emulator:
        answer = emulator.invoke(example("expire_sessions"))
    assert "TABLE_NAME" in answer["errorMessage"]
