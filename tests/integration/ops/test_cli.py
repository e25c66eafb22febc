"""`payfirst` as an operator types it, against a whole stack whose own schedules sleep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
import requests

from local.stack import LocalStack
from tests.integration.ops.commands import payfirst, succeeded
from tests.tools import need

PAYFIRST: Final = str(Path(sys.executable).with_name("payfirst"))
NEVER: Final = 86_400.0
DELIVERY: Final = {
    "full_name": "John Doe",
    "phone_number": "0712345678",
    "county_id": 1,
    "subcounty_id": 5,
    "detailed_address": "123 Main Street",
}


@pytest.fixture(scope="module")
def running() -> Iterator[LocalStack]:
    """A stack with the customers of its own user pool, whose sessions last a second, and of which nothing leaves by itself."""
    need("aws")
    with LocalStack(schedule_seconds=NEVER, streams=False, variables={"SESSION_TTL_SECONDS": "1"}) as stack:
        yield stack


@pytest.fixture(scope="module")
def home(running: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack is announced, as `make run` does it."""
    directory = tmp_path_factory.mktemp("home")
    told = {"pid": os.getpid(), "base_url": running.base_url, "environment": running.environment}
    (directory / "stack.json").write_text(json.dumps(told), encoding="utf-8")
    return directory


def token(home: Path, *words: str) -> str:
    return succeeded("token", "--home", home, *words).removesuffix("\n")


def call(running: LocalStack, bearer: str, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {bearer}"}
    answer = requests.request(method, f"{running.base_url}{path}", json=body, headers=headers, timeout=20)
    assert answer.ok, f"{path} answers {answer.status_code}: {answer.text}"
    return answer.json()


def test_a_token_is_printed_alone_and_opens_the_api_for_that_customer(running: LocalStack, home: Path) -> None:
    command = [PAYFIRST, "token", "--home", str(home), "--user-id", "7", "--email", "seven@example.com"]
    environment = {**os.environ, "AWS_PROFILE": "somebody-elses"}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    claims = jwt.decode(printed, options={"verify_signature": False})
    assert (claims["custom:user_id"], claims["email"]) == ("7", "seven@example.com")
    cart = {"service_type": "ASTROLOGY", "astrology_service": 1, "selected_date": "2027-01-01", "selected_time": "9:00 AM"}
    assert call(running, printed, "POST", "/api/cart/carts/", cart)["user"] == 7


def test_an_operator_s_token_opens_what_a_customer_s_does_not(running: LocalStack, home: Path) -> None:
    operator, customer = token(home, "--operator"), token(home)
    assert jwt.decode(operator, options={"verify_signature": False})["email"] == "operator@example.com"
    assert call(running, operator, "GET", "/api/operators/stuck/")["waiting"] == []
    refused = requests.get(
        f"{running.base_url}/api/operators/stuck/", headers={"Authorization": f"Bearer {customer}"}, timeout=20
    )
    assert refused.status_code == 404


def test_the_address_of_a_customer_is_verified_unless_that_is_not_wanted(home: Path) -> None:
    words = ("--user-id", "12", "--email", "twelve@example.com")
    for more, verified in (((), True), (("--unverified",), False), ((), True)):
        claims = jwt.decode(token(home, *words, *more), options={"verify_signature": False})
        assert claims["email_verified"] in (verified, str(verified).lower()), more


def test_the_same_customer_stays_the_same_and_an_address_belongs_to_one(home: Path) -> None:
    first, second = (jwt.decode(token(home, "--user-id", "8"), options={"verify_signature": False}) for _ in range(2))
    assert first["sub"] == second["sub"]
    refused = payfirst("token", "--home", home, "--user-id", "9", "--email", first["email"])
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.strip().count("\n") == 0
    assert "Traceback" not in refused.stderr


def test_a_customer_signs_up_by_phone_where_that_is_given_and_buys_like_any_other(running: LocalStack, home: Path) -> None:
    printed = token(home, "--user-id", "13", "--phone", "+254 712 345-678")
    claims = jwt.decode(printed, options={"verify_signature": False})
    assert (claims["phone_number"], claims["custom:user_id"], "email" in claims) == ("+254712345678", "13", False)
    assert call(running, printed, "POST", "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})["total_items"] == 2
    for words, said in (
        (["0712345678"], "with its country"),
        (["+254712345678", "--email", "a@b.example"], "--email or --phone"),
    ):
        refused = payfirst("token", "--home", home, "--phone", *words)
        assert (refused.returncode != 0, refused.stdout) == (True, "")
        assert said in refused.stderr


def test_the_sweeps_do_at_once_what_the_schedule_would_and_say_what_they_did(running: LocalStack, home: Path) -> None:
    bearer = token(home, "--user-id", "10")
    call(running, bearer, "POST", "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
    session = call(running, bearer, "POST", "/api/payments/sessions/", {"delivery_details": DELIVERY})
    path = f"/api/payments/sessions/{session['session_id']}/status/"
    while call(running, bearer, "GET", path)["session_status"] != "expired":
        time.sleep(0.2)
    assert succeeded("tick", "expire", "--home", home) == "1 session expired, 0 bookings completed.\n"
    assert json.loads(succeeded("tick", "expire", "--json", "--home", home))["expired"] == 0
    assert json.loads(succeeded("tick", "deliver", "--json", "--home", home))["delivered"] >= 2
    assert succeeded("tick", "deliver", "--home", home) == "0 events delivered, 0 e-mails sent.\n"
    assert json.loads(succeeded("tick", "reconcile", "--json", "--home", home))["finished"] is True


def test_seeding_a_running_stack_again_changes_nothing_and_adds_what_is_new(
    running: LocalStack, home: Path, tmp_path: Path
) -> None:
    assert succeeded("seed", "--home", home).startswith("0 added")
    new = tmp_path / "new.yaml"
    entry = '{id: 900, product_name: Kale, farm_name: Hill Farm, unit: bunch, price: "20", available: "5"}'
    new.write_text(f"listings: [{entry}]", encoding="utf-8")
    assert succeeded("seed", "--home", home, new).startswith("1 added, 0 left")
    listing = requests.get(f"{running.base_url}/api/listings/900/", timeout=20).json()
    assert (listing["product_name"], listing["price"], listing["available"]) == ("Kale", "20.00", 5)


def test_a_catalogue_with_a_mistake_is_refused_in_one_sentence(home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("listings: [{id: 1, colour: red}]", encoding="utf-8")
    refused = payfirst("seed", "--home", home, bad)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "colour" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_catalogue_is_imported_exported_and_restocked(running: LocalStack, home: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    entry = '{id: 901, product_name: Okra, farm_name: Hill Farm, unit: kg, price: "20", available: "5"}'
    new.write_text(f"listings: [{entry}]", encoding="utf-8")
    assert "+ listing 901: Okra" in succeeded("catalogue", "import", "--dry-run", "--home", home, new)
    assert requests.get(f"{running.base_url}/api/listings/901/", timeout=20).status_code == 404
    assert succeeded("catalogue", "import", "--home", home, new).strip() == "1 added, 0 changed, 0 as they are."
    assert succeeded("catalogue", "set-stock", "901", "2.5", "--home", home).strip() == "listing 901: 5 -> 2.5"
    assert requests.get(f"{running.base_url}/api/listings/901/", timeout=20).json()["available"] == 2.5
    exported = tmp_path / "all.yaml"
    exported.write_text(succeeded("catalogue", "export", "--home", home), encoding="utf-8")
    assert succeeded("catalogue", "import", "--home", home, exported).startswith("0 added, 0 changed")


@pytest.mark.parametrize("words", [("token",), ("tick", "expire"), ("seed",)])
def test_without_a_stack_the_operator_is_told_to_start_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = payfirst(*words, "--home", tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "No local stack is running; start one with `make run` and try again.\n"


def test_a_stack_that_died_without_a_word_counts_as_none(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "stack.json").write_text(json.dumps({"pid": ended.pid, "base_url": "", "environment": {}}), encoding="utf-8")
    assert "make run" in payfirst("token", "--home", tmp_path).stderr
