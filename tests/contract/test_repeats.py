"""`Idempotency-Key` on every POST of a customer: one answer for 24 hours, to one customer, for one body, at one address."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import requests

from payfirst.api.repeat import KEPT_S
from payfirst.api.routes import ROUTES, family_of
from payfirst.storage.dynamodb import keys
from tests.conftest import RunningStack
from tests.contract.error_shapes import shape_problem
from tests.contract.repeatable import READY, Owner, Ready, new_operator, new_owner
from tests.contract.stack_table import Raw, changed, damaged, put_raw, raw_items, table_of
from tests.contract.walk import PER_CALL, script

LONGEST_TIMEOUT_S = 30
EVERY_POST = pytest.mark.parametrize("operation", READY)


def somebody(stack: RunningStack, operation: str) -> Owner:
    """A new customer, or a new operator where only operators are taken."""
    return new_operator(stack) if operation.startswith("operators_") else new_owner(stack)


@pytest.fixture
def owner(stack: RunningStack, request: pytest.FixtureRequest) -> Owner:
    return somebody(stack, str(request.node.callspec.params["operation"]))


def send(owner: Owner, path: str, body: Any, key: str) -> requests.Response:
    return owner.api.send("POST", path, body, headers={"Idempotency-Key": key})


def told(response: requests.Response) -> tuple[int, bytes, Mapping[str, str]]:
    """All of an answer that is not of one call only."""
    headers = {name.lower(): value for name, value in response.headers.items() if name.lower() not in PER_CALL}
    return response.status_code, response.content, headers


def possessions(owner: Owner) -> list[Raw]:
    """Everything of the customer's but the kept answers, and what the gateways' sweeps change by themselves."""
    found = raw_items(table_of(owner.stack), keys.owner(owner.sub))
    mine = [item for item in found if not item["sk"]["S"].startswith(("IDEMPOTENCY#", "E#"))]
    return sorted(mine, key=lambda item: str(item["sk"]["S"]))


def kept(owner: Owner) -> list[Raw]:
    """The customer's kept answers."""
    found = raw_items(table_of(owner.stack), keys.owner(owner.sub))
    return [item for item in found if item["sk"]["S"].startswith("IDEMPOTENCY#")]


def refused(ready: Ready, response: requests.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert shape_problem(family_of(ready.path), response) is None, response.text
    assert response.json()["error_code"] == code


def test_every_post_of_a_customer_is_tried() -> None:
    posts = {route.operation for route in ROUTES if route.method == "POST" and not route.public}
    assert posts == set(READY), "give a new POST its request in tests/contract/repeatable.py"


@EVERY_POST
def test_the_same_request_twice_is_answered_byte_for_byte_and_done_once(owner: Owner, operation: str) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    first = send(owner, ready.path, ready.body, key)
    assert first.status_code == ready.status, first.text
    done = possessions(owner)
    assert told(send(owner, ready.path, ready.body, key)) == told(first)
    assert told(send(owner, f"{ready.path}/", ready.body, key)) == told(first)
    assert [item["sk"] for item in possessions(owner)] == [item["sk"] for item in done]
    [record] = kept(owner)
    assert KEPT_S - 60 < int(record["ttl"]["N"]) - time.time() <= KEPT_S


@EVERY_POST
def test_a_refusal_is_repeated_as_it_was(owner: Owner, operation: str) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    first = send(owner, ready.path, {"colour": "red"}, key)
    assert first.status_code == 400, first.text
    assert told(send(owner, ready.path, {"colour": "red"}, key)) == told(first)


@EVERY_POST
def test_a_key_with_another_body_is_refused_and_does_nothing(owner: Owner, operation: str) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    first = send(owner, ready.path, ready.body, key)
    assert first.status_code == ready.status, first.text
    done = [item["sk"] for item in possessions(owner)]
    refused(ready, send(owner, ready.path, ready.other, key), 422, "IDEMPOTENCY_KEY_REUSED")
    assert [item["sk"] for item in possessions(owner)] == done
    assert told(send(owner, ready.path, ready.body, key)) == told(first)


@EVERY_POST
def test_a_key_belongs_to_one_customer_and_one_address(stack: RunningStack, owner: Owner, operation: str) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    send(owner, ready.path, ready.body, key)
    elsewhere = "/api/carts/remove_item" if ready.path != "/api/carts/remove_item" else "/api/carts/add_item"
    assert send(owner, elsewhere, {"colour": "red"}, key).status_code == 400

    stranger = somebody(stack, operation)
    answer = send(stranger, ready.path, ready.other, key)
    assert answer.json().get("error_code") not in {"IDEMPOTENCY_KEY_REUSED", "REQUEST_IN_PROGRESS"}, answer.text
    assert len(kept(stranger)) == 1


@EVERY_POST
def test_a_request_whose_first_is_still_running_waits_and_one_whose_first_was_killed_is_done(
    owner: Owner, operation: str
) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    refusal = send(owner, ready.path, {"colour": "red"}, key)
    assert refusal.status_code == 400
    [record] = kept(owner)
    table = table_of(owner.stack)
    ends = int(record["in_progress_expiration"]["N"]) / 1000
    assert 0 < ends - time.time() <= LONGEST_TIMEOUT_S

    # As the table looks while the function of the first request runs …
    later = str(int((time.time() + 20) * 1000))
    running = {"status": {"S": "INPROGRESS"}, "in_progress_expiration": {"N": later}}
    with changed(table, {name: record[name]["S"] for name in ("pk", "sk")}, **running):
        waiting = send(owner, ready.path, {"colour": "red"}, key)
        refused(ready, waiting, 409, "REQUEST_IN_PROGRESS")
        assert int(waiting.headers["Retry-After"]) >= 1

    # … and once its time is up, whatever became of it.
    put_raw(table, {**record, **running, "in_progress_expiration": {"N": str(int((time.time() - 1) * 1000))}})
    assert told(send(owner, ready.path, {"colour": "red"}, key)) == told(refusal)
    [record] = kept(owner)
    assert record["status"] == {"S": "COMPLETED"}


@EVERY_POST
def test_a_fault_of_ours_is_not_kept(owner: Owner, operation: str) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    with damaged(table_of(owner.stack), ready.needs):
        failed = send(owner, ready.path, ready.body, key)
        assert failed.status_code == 500, failed.text
        assert shape_problem(family_of(ready.path), failed) is None, failed.text
    assert kept(owner) == []
    again = send(owner, ready.path, ready.body, key)
    assert again.status_code == ready.status, again.text


@EVERY_POST
def test_a_key_has_1_to_255_characters(owner: Owner, operation: str) -> None:
    ready = READY[operation](owner)
    before = possessions(owner)
    for given in ("", "k" * 256):
        response = send(owner, ready.path, ready.body, given)
        refused(ready, response, 400, "INVALID_INPUT")
        assert "Idempotency-Key" in response.text
    assert (possessions(owner), kept(owner)) == (before, [])
    assert send(owner, ready.path, ready.body, "k" * 255).status_code == ready.status


@pytest.mark.parametrize(
    ("operation", "gateway", "call"), [("initiate_payment", "mpesa", "push"), ("process_cart", "phonepe", "pay")]
)
def test_two_at_once_with_one_key_are_one_payment(owner: Owner, operation: str, gateway: str, call: str) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    script(owner.stack, gateway=gateway, call=call, answer_delay_s=8, times=1)
    with ThreadPoolExecutor(2) as both:
        asked = [both.submit(send, owner, ready.path, ready.body, key) for _ in range(2)]
        waiting, first = sorted((each.result() for each in asked), key=lambda answer: answer.ok)
    refused(ready, waiting, 409, "REQUEST_IN_PROGRESS")
    assert first.status_code == ready.status, first.text
    assert told(send(owner, ready.path, ready.body, key)) == told(first)


@pytest.mark.parametrize(
    ("operation", "gateway", "call", "answer"),
    [("initiate_payment", "mpesa", "push", "no_product"), ("process_cart", "phonepe", "pay", "rate_limit")],
)
def test_a_gateway_s_refusal_is_not_kept(owner: Owner, operation: str, gateway: str, call: str, answer: str) -> None:
    ready, key = READY[operation](owner), str(uuid4())
    script(owner.stack, gateway=gateway, call=call, answer=answer, times=1)
    refused(ready, send(owner, ready.path, ready.body, key), 502, "GATEWAY_REJECTED")
    assert kept(owner) == []
    again = send(owner, ready.path, ready.body, key)
    assert again.status_code == ready.status, again.text


def test_what_is_kept_is_the_answer_and_no_word_of_the_request(stack: RunningStack) -> None:
    owner = new_owner(stack)
    ready = READY["create_session"](owner)
    send(owner, ready.path, ready.body, "a-key-that-nobody-else-has")
    [record] = kept(owner)
    written = json.dumps({name: value for name, value in record.items() if name != "data"})
    assert "a-key-that-nobody-else-has" not in written
    assert "123 Main Street" not in written
