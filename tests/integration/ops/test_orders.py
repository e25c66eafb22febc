"""What those who pack and deliver type, against a whole stack whose own schedules sleep."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from local.embedded_aws import AwsEndpoint
from local.stack import LocalStack
from ops.deployed import SETTINGS_OF
from payfirst.gateways.registry import setting_names
from payfirst.storage.dynamodb.keys import EVENTS
from tests.clients import client_of
from tests.integration.ops.commands import payfirst, succeeded
from tests.integration.ops.test_cli import DELIVERY, call, token
from tests.integration.ops.test_operator import home, running

__all__ = ["home", "running"]


@pytest.fixture
def order(running: LocalStack, home: Path) -> str:
    """The number of an order of two kilos of tomatoes."""
    bearer = token(home)
    call(running, bearer, "POST", "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
    session = call(running, bearer, "POST", "/api/payments/sessions/", {"delivery_details": DELIVERY})["session_id"]
    prompt = call(running, bearer, "POST", f"/api/payments/sessions/{session}/initiate_payment/")["checkout_request_id"]
    decided = requests.post(f"{running.simulator_url}/control/mpesa/{prompt}", json={"outcome": "pay"}, timeout=10)
    decided.raise_for_status()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        shown = call(running, bearer, "GET", f"/api/payments/sessions/{session}/status/")
        if shown["order"]:
            return str(shown["order"]["order_number"])
        time.sleep(0.1)
    raise AssertionError("the order was not made in a minute")


def test_an_order_is_listed_and_taken_to_the_door(running: LocalStack, home: Path, order: str) -> None:
    assert order in succeeded("orders", "list", "--status", "confirmed", "--home", home)
    assert succeeded("orders", "pack", order, "--home", home).strip() == f"{order} is packed."
    assert succeeded("orders", "dispatch", order, "--home", home).strip() == f"{order} is out_for_delivery."
    assert succeeded("orders", "deliver", order, "--home", home).strip() == f"{order} is delivered."
    assert order not in succeeded("orders", "list", "--status", "confirmed", "--home", home)
    shown = call(running, token(home), "GET", f"/api/orders/{order}/")
    assert [step["status"] for step in shown["timeline"]] == ["confirmed", "packed", "out_for_delivery", "delivered"]


def test_a_cancelled_order_says_why_and_how_its_money_stands(running: LocalStack, home: Path, order: str) -> None:
    said = succeeded("orders", "cancel", order, "--refund", "350.00", "--why", "The van broke down.", "--home", home)
    assert said.startswith(f"{order} is cancelled; 350.00 KES go back as RMT")
    shown = call(running, token(home), "GET", f"/api/orders/{order}/")
    assert shown["order_status"] == "cancelled"
    assert "reason" not in shown["timeline"][-1]
    assert "The van broke down." not in str(shown)
    said_of_it = "You get this amount back; the shop sees to it."
    assert shown["refund"] == {
        "amount": "350.00",
        "total": "350.00",
        "status": "due",
        "reason": "order_cancelled",
        "message": said_of_it,
    }
    assert shown["payment_status"] == "refund_due"
    assert "350.00 KES, refund_due" in succeeded("orders", "list", "--home", home)
    shown = succeeded("show", order, "--home", home)
    assert re.search(r"made 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d EAT", shown)
    assert "amount=350.00 KES" in shown
    assert "of 350.00 KES is due" in shown


def answered(answer: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What the command line says to somebody who answers its question so."""
    command = [sys.executable, "-m", "ops.main", *words]
    return subprocess.run(
        command, input=answer, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}, check=False
    )


def test_cancelling_an_order_says_what_goes_back_and_asks_first(home: Path, order: str) -> None:
    cancel = ["orders", "cancel", order, "--why", "The van broke down.", "--home", str(home)]
    said = "2 kg Fresh Tomatoes, John Doe. Of 350.00 KES that were paid, 350.00 KES go back."
    assert "cancelling gives back 350.00" in succeeded("orders", "show", order, "--home", home)

    turned_back = answered("n\n", *cancel)
    assert (turned_back.returncode, said in turned_back.stdout) == (1, True), turned_back.stderr
    assert f"{order} is confirmed" in succeeded("orders", "show", order, "--home", home)

    agreed = answered("y\n", *cancel)
    assert agreed.returncode == 0, agreed.stderr
    assert said in agreed.stdout
    assert f"{order} is cancelled; 350.00 KES go back" in agreed.stdout


def test_what_the_gateway_sent_is_shown_without_the_payers_number(home: Path, order: str) -> None:
    said = succeeded("show", order, "--notices", "--home", home)
    assert "MpesaReceiptNumber" in said
    assert re.search('\N{HORIZONTAL ELLIPSIS}[0-9]{3}"', said)
    assert str(DELIVERY["phone_number"])[-9:] not in said
    assert "MpesaReceiptNumber" not in succeeded("show", order, "--home", home)


def test_an_order_is_not_cancelled_where_something_else_goes_back_than_was_said(home: Path, order: str) -> None:
    done = payfirst("orders", "cancel", order, "--refund", "349.00", "--why", "The van broke down.", "--home", home)
    assert (done.returncode, "350.00" in done.stderr) == (1, True), done.stderr
    assert f"{order} is confirmed" in succeeded("orders", "show", order, "--home", home)


def test_no_command_prints_its_log_unless_it_is_asked_to(home: Path, order: str) -> None:
    """Each of these writes facts for the log; on the terminal there is a sentence."""
    commands = (
        ("orders", "pack", order),
        ("orders", "cancel", order, "--refund", "350.00", "--why", "The van broke down."),
        ("tick", "reconcile"),
        ("tick", "expire"),
        ("tick", "deliver"),
    )
    for words in commands:
        done = payfirst(*words, "--home", home)
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1), words
        assert done.stdout[0] != "{", words
    another = payfirst("--verbose", "tick", "expire", "--home", home)
    assert json.loads(another.stderr.splitlines()[-1])["event"] == "expiry.ran"
    assert another.stdout == "0 sessions expired, 0 bookings completed.\n"
    asked = payfirst("tick", "expire", "--json", "--home", home, account={"PAYFIRST_LOG": "1"})
    assert json.loads(asked.stdout)["expired"] == 0
    assert json.loads(asked.stderr.splitlines()[-1])["event"] == "expiry.ran"


def test_a_step_that_is_left_out_is_refused_in_one_sentence(home: Path, order: str) -> None:
    done = payfirst("orders", "deliver", order, "--home", home)
    assert done.returncode == 1
    assert done.stderr.strip() == f"{order} is confirmed: from there it cannot become delivered."


def test_the_orders_of_some_days_are_lines_for_a_spreadsheet(home: Path, order: str) -> None:
    day = f"{order[4:8]}-{order[8:10]}-{order[10:12]}"
    header, *lines = csv.reader(succeeded("export", "orders", "--from", day, "--to", day, "--home", home).splitlines())
    [found] = [dict(zip(header, line, strict=True)) for line in lines if line[0] == order]
    assert (found["status"], found["currency"], found["items_total"], found["total"]) == (
        "confirmed",
        "KES",
        "300.00",
        "350.00",
    )
    assert found["receipt"]
    assert found["made"].startswith(day)
    backwards = payfirst("export", "orders", "--from", day, "--to", "2020-01-01", "--home", home)
    assert backwards.returncode == 2
    assert succeeded("export", "bookings", "--from", day, "--home", home).startswith("booking,made,status,")


def test_a_day_that_is_none_is_refused_in_one_sentence(home: Path) -> None:
    done = payfirst("orders", "list", "--day", "yesterday", "--home", home)
    assert done.returncode == 2
    assert done.stderr.strip() == "'yesterday' is not a day; write it as YYYY-MM-DD."


def test_days_without_orders_say_so(home: Path) -> None:
    none = "No orders from 2020-01-01 to 2020-01-02."
    assert succeeded("orders", "list", "--day", "2020-01-02", "--days", "2", "--home", home).strip() == none
    said = succeeded("orders", "list", "--day", "2020-01-02", "--days", "1", "--status", "packed", "--home", home)
    assert said.strip() == "No packed orders from 2020-01-02 to 2020-01-02."


def test_a_deployed_stack_s_orders_are_worked_on_by_its_name(
    running: LocalStack, home: Path, order: str, stack_name: str, tmp_path: Path
) -> None:
    """`tmp_path` holds no local stack, so that only the name can lead to the table."""
    far = ("--stack-name", stack_name, "--home", tmp_path)
    account = {name: running.environment[name] for name in AWS_ACCOUNT}
    for words, said in (
        (("orders", "list"), order),
        (("orders", "pack", order), f"{order} is packed."),
        (("orders", "dispatch", order), f"{order} is out_for_delivery."),
        (
            ("orders", "cancel", order, "--refund", "350.00", "--why", "The van broke down."),
            f"{order} is cancelled; 350.00 KES go back",
        ),
        (("funnel",), "Of the sessions made since"),
        (("catalogue", "export"), "product_name: Fresh Tomatoes"),
        (("seed",), "0 added"),
        (("show", order), "order.cancelled"),
    ):
        if words == ("funnel",):
            succeeded("tick", "deliver", *far, account=account)
        assert said in succeeded(*words, *far, account=account), words
    assert order in succeeded("orders", "list", "--home", home)


AWS_ACCOUNT = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def stack_name(running: LocalStack) -> Iterator[str]:
    """The name of a deployed stack whose one function has the settings of the running stack's functions."""
    variables = {name: running.environment[name] for name in setting_names()}
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": "index.handler",
            "Runtime": "python3.11",
            "Role": "arn:aws:iam::000000000000:role/nobody",
            "Code": {"ZipFile": "def handler(event, context): return None"},
            "Environment": {"Variables": variables},
        },
    }
    environment = running.environment
    stacks = client_of(environment, "cloudformation")
    name = f"shop-{uuid4().hex[:8]}"
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {SETTINGS_OF: function}}))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    yield name
    stacks.delete_stack(StackName=name)


def test_events_and_e_mails_leave_by_the_tables_stream_though_no_schedule_runs(running: LocalStack, order: str) -> None:
    aws, deadline = AwsEndpoint(int(running.endpoint.rsplit(":", 1)[1])), time.monotonic() + 60
    name, client = running.environment["TABLE_NAME"], aws.client("dynamodb")
    while True:
        items = [item for page in client.get_paginator("scan").paginate(TableName=name) for item in page["Items"]]
        waiting = [item for item in items if item["sk"]["S"].startswith(EVENTS) and "due_pk" in item]
        if not waiting:
            break
        assert time.monotonic() < deadline, f"{len(waiting)} wait still: {waiting[0]}"
        time.sleep(0.2)
    sent = requests.get(f"{running.endpoint}/_ministack/ses/messages", timeout=10).json()["messages"]
    assert any(order in each["Subject"] for account in sent.values() for each in account)


def test_the_funnel_is_a_table_with_bars(home: Path, order: str) -> None:
    assert order
    succeeded("tick", "deliver", "--home", home)
    shown = succeeded("funnel", "--since", "24h", "--home", home)
    for word in ("Sessions made", "Payment started", "Payment received", "Order or booking", "Expired", "█"):
        assert word in shown
    done = payfirst("funnel", "--since", "yesterday", "--home", home)
    assert (done.returncode, done.stderr.strip()) == (2, "'yesterday' is no time back: A time like 90m, 24h or 7d is expected.")


def test_a_funnel_of_nothing_says_so(home: Path) -> None:
    said = succeeded("funnel", "--since", "1h", "--kind", "booking", "--home", home)
    assert said.startswith("No sessions were made since ")
