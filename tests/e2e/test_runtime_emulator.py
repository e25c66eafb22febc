"""Every function under AWS' own Runtime Interface Emulator with `awslambdaric`: answers, time limits, errors by name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from local.emulator import RuntimeEmulator
from local.template import load_template
from payfirst.domain.ids import ref_of_callback_token
from tests.conftest import RunningStack

pytestmark = pytest.mark.xdist_group("emulator")  # a process and a stack for each; nothing is won by more at once

ROOT: Final = Path(__file__).resolve().parents[2]
TIMEOUTS: Final = {
    Path(resource["Properties"]["CodeUri"]).name: int(resource["Properties"]["Timeout"])
    for resource in load_template(ROOT / "template.yaml")["Resources"].values()
    if resource["Type"] == "AWS::Serverless::Function"
}


def example(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))


def emulated(name: str, variables: Mapping[str, str]) -> RuntimeEmulator:
    """The function with `variables` where API Gateway has verified tokens of the issuer that the events name."""
    claims = example("carts")["requestContext"]["authorizer"]["jwt"]["claims"]
    issuer = {"TOKEN_ISSUER": claims["iss"], "TOKEN_AUDIENCE": claims["aud"]}
    return RuntimeEmulator(ROOT / "functions" / name, {**variables, **issuer}, timeout=TIMEOUTS[name])


def http(status: int, says: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether API Gateway would answer `status` and a body of which `says` is true."""
    return lambda answer: answer["statusCode"] == status and says(json.loads(answer["body"]))


EXPECTED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "bookings": http(200, lambda body: body["results"] == [] and body["count"] == 0),
    "carts": http(200, lambda body: body["items"][0]["product_name"] == "Fresh Tomatoes"),
    "catalogue": http(200, lambda body: body["count"] == len(body["results"]) > 0),
    "create_session": http(400, lambda body: "empty" in json.dumps(body).lower()),
    "initiate_payment": http(404, bool),
    "read_payments": http(404, bool),
    "site": http(200, lambda body: body == {"status": "ok"}),
    "webhook": http(200, lambda body: body["ResultCode"] == 0),
    "deliver_events": lambda report: isinstance(report["delivered"], int),
    "expire_sessions": lambda report: isinstance(report["expired"], int),
    "reconcile_payments": lambda report: report == {"batchItemFailures": []},
}


def test_every_function_is_tried() -> None:
    assert set(EXPECTED) == set(TIMEOUTS)


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


def theirs(event: Any, sub: str) -> Any:
    """`event` as the customer `sub` would cause it, if it is one that customers cause."""
    authorizer = event.get("requestContext", {}).get("authorizer")
    if authorizer is not None:
        authorizer["jwt"]["claims"]["sub"] = sub
    return event


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
