"""The Postman collection, run by newman in its own order; ids are taken from the answers, as its user would. And ours, which
takes them itself, in one go."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.compare import differences
from tests.contract.exchanges import DOCUMENTS, document
from tests.contract.walk import Customer, Stack, new_customer, pay_phonepe, wait_until
from tests.tools import NEWMAN, node

NEWMAN_SECONDS = 120
OURS = Path(__file__).parents[2] / "docs" / "postman" / "payfirst.postman_collection.json"

Execution = tuple[str, int, Any]


def run(items: tuple[str, ...], customer: Customer, ids: dict[str, int], folder: Path) -> list[Execution]:
    """Name, status and parsed answer of every request that newman sends for these folders or requests."""
    variables = {"base_url": customer.base_url, "token": customer.token, **ids}
    values = [{"key": key, "value": str(value), "enabled": True} for key, value in variables.items()]
    environment = folder / "environment.json"
    environment.write_text(json.dumps({"name": "answers", "values": values}), encoding="utf-8")
    report = folder / f"{uuid4()}.json"
    command = [node(), str(NEWMAN), "run", str(DOCUMENTS / "okpuja.postman_collection.json")]
    command += [word for item in items for word in ("--folder", item)]
    command += ["--environment", str(environment), "--reporters", "json", "--reporter-json-export", str(report)]
    command += ["--ignore-redirects", "--timeout-request", "30000"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=NEWMAN_SECONDS, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    told = json.loads(report.read_text(encoding="utf-8"))["run"]
    assert not told["failures"]
    return [(each["item"]["name"], each["response"]["code"], _answer(each["response"])) for each in told["executions"]]


def _answer(response: dict[str, Any]) -> Any:
    return json.loads(bytes(response["stream"]["data"]))


@pytest.mark.needs("newman")
def test_the_collection_runs_in_its_own_order_and_every_request_succeeds(stack: Stack, tmp_path: Path) -> None:
    customer = new_customer(stack)
    ids: dict[str, int] = {}

    done = run(("Create Cart",), customer, ids, tmp_path)
    ids["cart_id"] = done[-1][2]["id"]
    done += run(("Get Active Carts", "Apply Promo Code"), customer, ids, tmp_path)

    done += run(("Initiate Payment (Payment-First)",), customer, ids, tmp_path)
    payment = done[-1][2]
    ids["payment_id"] = payment["payment_id"]
    pay_phonepe(stack, payment["merchant_transaction_id"])
    booked = wait_until(
        lambda: customer.get(f"/api/payments/{payment['payment_id']}/check-booking"),
        lambda answer: answer["booking_created"],
    )
    ids["booking_id"] = booked["booking"]["id"]
    done += run(("Check Payment Status", "Check Booking After Payment"), customer, ids, tmp_path)

    done += run(("Booking",), customer, ids, tmp_path)
    _demand_all(done)


def _demand_all(done: list[Execution]) -> None:
    printed = document("postman")
    assert [name for name, _, _ in done] == list(printed)
    known: dict[str, Any] = {}
    for name, status, answer in done:
        exchange = printed[name]
        assert status == exchange.status, f"{name}: {status} {answer}"
        found = differences(exchange.expected(), answer, patterns=exchange.patterns, known=known)
        assert not found, f"{name}:\n  " + "\n  ".join(found)


def requests_of(collection: Any) -> list[Any]:
    return [each for folder in collection["item"] for each in folder["item"]]


@pytest.mark.needs("newman")
def test_our_own_collection_runs_in_one_go_with_a_token_alone(stack: Stack, tmp_path: Path) -> None:
    customer, report = new_customer(stack), tmp_path / "report.json"
    given = {"base_url": customer.base_url, "phones_url": stack.simulator_url, "token": customer.token}
    command = [node(), str(NEWMAN), "run", str(OURS), "--reporters", "json", "--reporter-json-export", str(report)]
    command += [word for name, value in given.items() for word in ("--env-var", f"{name}={value}")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=NEWMAN_SECONDS, check=False)
    told = json.loads(report.read_text(encoding="utf-8"))["run"]
    assert not told["failures"], [failure["error"]["message"] for failure in told["failures"]]
    assert ended.returncode == 0
    assert (told["stats"]["items"]["total"], told["stats"]["items"]["failed"]) == (9, 0)
    assert len({each["item"]["name"] for each in told["executions"] if each.get("assertions")}) == 9


def test_our_own_collection_asks_what_the_printed_one_asks_and_holds_no_day_and_no_token() -> None:
    ours, printed = (
        json.loads(file.read_text(encoding="utf-8")) for file in (OURS, DOCUMENTS / "okpuja.postman_collection.json")
    )

    def asked(collection: Any) -> list[tuple[str, str]]:
        found = [(each["request"]["method"], each["request"]["url"]["raw"]) for each in requests_of(collection)]
        return [(method, address.replace("/api/payments/payments/", "/api/payments/")) for method, address in found]

    assert asked(ours) == asked(printed)
    assert {each["key"] for each in printed["variable"]} < {each["key"] for each in ours["variable"]}
    assert not re.search(r"20[0-9]{2}-[0-9]{2}|eyJ", OURS.read_text(encoding="utf-8"))
