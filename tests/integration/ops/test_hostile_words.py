"""Every command of `payfirst`, over a shop whose people wrote markup, controls, right-to-left text and a lot of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import requests
import typer
import yaml
from typer.testing import CliRunner

from local.stack import LocalStack
from ops.main import app
from ops.printing import visible
from tests.clients import client_of
from tests.integration.ops.test_cli import DELIVERY, NEVER, PAYFIRST, call, token
from tests.tools import need

WORDS: Final = (
    "[/bold] [link=https://e.example]Jane[/link] :smile: =HYPERLINK(1) </td><script> "
    "\x1b[31m\x1b]0;title\x07\x9b2J\r\nlevel=ERROR \u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 "
    "\u0928\u092e\u0938\u094d\u0924\u0947 \U0001f64f "
)
LONG: Final = (WORDS * 100)[:10_000]
SAID: Final = frozenset(
    {"full_name", "detailed_address", "delivery_time_slot", "product_name", "farm_name", "name", "description", "by", "why"}
    | {"reason", "detail", "unit", "special_instructions", "promo_code"}
)
"""Attributes that hold somebody's words."""


@pytest.fixture(scope="module")
def running() -> Iterator[LocalStack]:
    """A stack whose sweeps run only when they are told to."""
    need("aws")
    with LocalStack(schedule_seconds=NEVER) as stack:
        yield stack


@pytest.fixture(scope="module")
def home(running: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("home")
    told = {"pid": os.getpid(), "base_url": running.base_url, "environment": running.environment}
    (directory / "stack.json").write_text(json.dumps(told), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def order(running: LocalStack, home: Path) -> str:
    """The number of an order in a table in which every word that somebody wrote is hostile."""
    bearer = token(home)
    call(running, bearer, "POST", "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
    session = call(running, bearer, "POST", "/api/payments/sessions/", {"delivery_details": DELIVERY})["session_id"]
    prompt = call(running, bearer, "POST", f"/api/payments/sessions/{session}/initiate_payment/")["checkout_request_id"]
    requests.post(f"{running.simulator_url}/control/mpesa/{prompt}", json={"outcome": "pay"}, timeout=10).raise_for_status()
    ends = time.monotonic() + 60
    while not (shown := call(running, bearer, "GET", f"/api/payments/sessions/{session}/status/"))["order"]:
        assert time.monotonic() < ends
        time.sleep(0.2)
    known = running.environment
    dynamodb = client_of(known, "dynamodb")
    for page in dynamodb.get_paginator("scan").paginate(TableName=known["TABLE_NAME"], ConsistentRead=True):
        for item in page["Items"]:
            dynamodb.put_item(TableName=known["TABLE_NAME"], Item=hostile(item))
    return str(shown["order"]["order_number"])


def hostile(value: Any) -> Any:
    """The item with every word of somebody replaced."""
    if isinstance(value, list):
        return [hostile(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: {"S": LONG if name in {"full_name", "by"} else WORDS}
        if name in SAID and isinstance(each, Mapping) and "S" in each
        else hostile(each)
        for name, each in value.items()
    }


def commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command of the application, by what is typed for it."""
    if not hasattr(group, "commands"):
        yield before, group
        return
    for name, command in group.commands.items():
        yield from commands(command, f"{before} {name}".strip())


COMMANDS: Final = dict(commands(typer.main.get_command(app)))
BY: Final = ("--by", "[link=x]Amina[/link] [/]")
WHY: Final = ("--why", "[/bold] kind :smile:")

CASES: Final[Mapping[str, tuple[str, ...]]] = {
    "orders list": (),
    "show": ("{order}",),
    "stuck": (),
    "funnel": (),
    "find": ("{order}", *BY),
    "export orders": ("--from", "2026-03-02"),
    "export bookings": ("--from", "2026-03-02"),
    "export payments": ("--from", "2026-03-02"),
    "export refunds": ("--from", "2026-03-02"),
    "totals": (),
    "reconcile": ("--check",),
    "catalogue export": (),
    "catalogue show": ("123",),
    "catalogue change": ("123", "--name", "[/bold] Kale", *BY),
    "catalogue set-stock": ("123", "7"),
    "catalogue add-stock": ("123", "1"),
    "catalogue import": ("{folder}/shop.yaml", "--dry-run"),
    "seed": (),
    "backup export": ("{folder}/all.jsonl.gz",),
    "backup restore": ("{folder}/all.jsonl.gz",),
    "orders show": ("{order}",),
    "orders slip": ("{order}",),
    "orders pack": ("{order}", *BY),
    "orders dispatch": ("{order}", *BY),
    "orders deliver": ("{order}", *BY),
    "orders undo": ("{order}", "packed", *BY),
    "orders cancel": ("{order}", "--refund", "350.00", *WHY, *BY),
    "bookings list": (),
    "bookings index": (),
    "bookings show": ("BK-00000000",),
    "bookings move": ("BK-00000000", "2026-03-02", "10:30", *WHY, *BY),
    "bookings cancel": ("BK-00000000", "--refund", "0.00", *WHY, *BY),
    "bookings complete": ("BK-00000000", *BY),
    "refund": ("MT0000000000000", *WHY, *BY),
    "resolve": ("MT0000000000000", *WHY, *BY, "--found", "paid", "--receipt", "[/red]"),
    "replay": ("INBOX#[/bold]",),
    "erase": ("[/bold]", "--dry-run", *BY),
    "tick": ("deliver",),
    "token": ("--user-id", "77", "--email", "[b]@example.com"),
    "credentials check": ("mpesa",),
    "credentials set": ("mpesa", "--secret-id", "[/bold]"),
    "credentials rotate": ("mpesa", "--secret-id", "[/bold]"),
    "cost": (),
    "openapi": ("--check",),
    "events": ("--check",),
}
"""What is typed after each command; `show` is typed once more at the end, when operators have said their words."""


def test_every_command_has_a_case() -> None:
    assert CASES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", [*CASES, "show"])
def test_no_command_falls_over_anybodys_words_or_swallows_them(home: Path, order: str, command: str) -> None:
    (home / "shop.yaml").write_text(
        'listings: [{id: 123, product_name: "[/bold] Kale", farm_name: "[b]", unit: kg, price: "1", available: 1}]',
        encoding="utf-8",
    )
    typed = [part.format(order=order, folder=home) for part in CASES[command]]
    takes_home = any(parameter.name == "home" for parameter in COMMANDS[command].params)
    known = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [PAYFIRST, *command.split(), *typed, *(["--home", str(home)] if takes_home else [])],
        capture_output=True,
        check=False,
        env={**known, "AWS_PROFILE": "somebody-elses", "NO_COLOR": "1"},
    )
    out, said = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in said, said[-2000:]
    assert done.returncode in {0, 1, 2}
    assert [each for each in out.replace("\n", "") if not each.isprintable()] == []
    assert [each for each in said.replace("\n", "") if not each.isprintable()] == []
    if command in {"orders list", "show"}:
        assert visible(LONG) in out
    if command == "catalogue export":
        exported = {listing["id"]: listing["product_name"] for listing in yaml.safe_load(out)["listings"]}
        assert exported.pop(123) in {WORDS, "[/bold] Kale"}, "`catalogue change` may have come before"
        assert set(exported.values()) == {WORDS}


def texts(command: Any) -> list[Any]:
    """The parameters that take any text."""
    return [each for each in command.params if "str" in str(each.type_descriptor.annotation)]


@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_is_typed_is_answered_in_sentences(command: str, tmp_path: Path) -> None:
    """No stack runs in `tmp_path`: nothing is reached."""
    for words in (WORDS, LONG, "[/bold]", "\u202e", ""):
        typed = list(command.split())
        for each in texts(COMMANDS[command]):
            if each.name != "stack_name":
                typed += [words or "-"] if each.param_type_name == "argument" else [each.opts[0], words]
        if any(parameter.name == "home" for parameter in COMMANDS[command].params):
            typed += ["--home", str(tmp_path)]
        if len(typed) == len(command.split()):
            continue
        done = CliRunner().invoke(app, typed, env={"NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"})
        assert done.exception is None or isinstance(done.exception, SystemExit), (typed[-1], done.exception)
        assert not any(mark in done.output for mark in "\x1b\x9b\u202e\x07"), done.output[:300]
