"""What an account has to have is asked before anything is deployed, and answered with what to set.

No emulator has the limits of a new account, so the answers are made by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
import pytest
import typer
from botocore.stub import Stubber

from ops.account import FOR_SWEEPS, RESERVING, check_concurrency, say_where_mail_goes, with_access_logs
from ops.running import ROOT
from ops.template import load_template

REGION = "ap-south-1"
SENDER = {"OrdersMailSender": "Shop <orders@shop.example>"}


def answering(service: str, call: str, answer: dict[str, Any] | str) -> Any:
    """A client whose one answer to `call` is that; a text is the code of an error."""
    session: Any = boto3.session.Session("k", "s", region_name=REGION)  # its stubs know services only by literal names
    client = session.client(service)
    stubber = Stubber(client)
    if isinstance(answer, str):
        stubber.add_client_error(call, answer, "User is not authorized")
    else:
        stubber.add_response(call, answer)
    stubber.activate()
    return client


def account(total: int, unreserved: int, held: Sequence[int] = ()) -> Any:
    """An account with so many executions, whose stack holds so many of them for each function that reserves some."""
    session: Any = boto3.session.Session("k", "s", region_name=REGION)
    client = session.client("lambda")
    stubber = Stubber(client)
    for function, count in zip(RESERVING, held, strict=False):
        asked = {"FunctionName": f"shop-{function}"}
        stubber.add_response("get_function_concurrency", {"ReservedConcurrentExecutions": count} if count else {}, asked)
    limits = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": unreserved}
    stubber.add_response("get_account_settings", {"AccountLimit": limits})
    stubber.activate()
    return client


@pytest.mark.parametrize(("total", "unreserved"), [(10, 10), (100, 100), (127, 127), (1000, 120)])
def test_too_few_executions_are_told_with_what_to_set(total: int, unreserved: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        check_concurrency(account(total, unreserved), {"NoticeConcurrency": "20"}, {}, stack="shop", region=REGION)
    said = capsys.readouterr().err
    assert "would reserve 44 executions (20 of them by NoticeConcurrency)" in said
    assert f"of the {total} that this account may run at once {unreserved} are unreserved" in said
    assert "Set NoticeConcurrency=-1 in samconfig.toml" in said
    assert "--quota-code L-B99A9384" in said
    assert f"--region {REGION}" in said
    assert "\n" not in said.removesuffix("\n")


@pytest.mark.parametrize(
    ("given", "standing", "held", "unreserved"),
    [
        ({"NoticeConcurrency": "20"}, {}, (), 144),
        ({"NoticeConcurrency": "20"}, {"NoticeConcurrency": "20"}, (20, 1, 6, 17), 100),  # it has them already
        ({}, {"NoticeConcurrency": "20"}, (20, 1, 6, 17), 100),  # what is not given stays
        ({}, {"NoticeConcurrency": "20"}, (20, 1, 6, 1), 116),  # a release before reserved fewer for deliver_events
        ({"NoticeConcurrency": "25"}, {"NoticeConcurrency": "20"}, (20, 1, 6, 17), 105),
        ({"NoticeConcurrency": "-1"}, {}, (), 101),
        ({"NoticeConcurrency": "-1"}, {"NoticeConcurrency": "20"}, (), 101),
        ({}, {}, (), 101),
    ],
)
def test_what_the_account_can_carry_is_not_remarked_upon(
    given: dict[str, str],
    standing: dict[str, str],
    held: tuple[int, ...],
    unreserved: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    check_concurrency(account(1000, unreserved, held), given, standing, stack="shop", region=REGION)
    assert capsys.readouterr() == ("", "")


def test_a_release_that_reserves_more_than_the_one_before_is_told_of_before_anything_is_deployed() -> None:
    standing = {"NoticeConcurrency": "20"}
    with pytest.raises(typer.Exit):
        check_concurrency(account(1000, 115, (20, 1, 6, 1)), {}, standing, stack="shop", region=REGION)


def test_a_new_account_is_told_that_it_has_few_even_where_none_are_reserved(capsys: pytest.CaptureFixture[str]) -> None:
    check_concurrency(account(10, 10), {"NoticeConcurrency": "-1"}, {}, stack="shop", region=REGION)
    assert capsys.readouterr().out.startswith("This account may run 10 functions at once")


def test_the_executions_beside_those_for_notices_are_those_of_the_template() -> None:
    functions = load_template(ROOT / "template.yaml")["Resources"].values()
    reserved = [str(one.get("Properties", {}).get("ReservedConcurrentExecutions")) for one in functions]
    fixed = [int(number) for text in reserved for number in text.split(", ")[1:2] if number.isdecimal()]
    assert sum(fixed) == FOR_SWEEPS


def test_who_may_not_ask_is_told_and_may_deploy(capsys: pytest.CaptureFixture[str]) -> None:
    denied = answering("lambda", "get_account_settings", "AccessDeniedException")
    check_concurrency(denied, {"NoticeConcurrency": "20"}, {}, stack="shop", region=REGION)
    assert capsys.readouterr().out == (
        "You may not ask Lambda for the account's quota, so that was not looked at before deploying.\n"
    )


def agree_never(question: str, *, harmless: bool) -> bool:
    assert question
    assert not harmless
    return False


def test_logs_of_requests_are_left_out_where_nobody_wants_the_role(capsys: pytest.CaptureFixture[str]) -> None:
    gateway = answering("apigateway", "get_account", {})
    assert with_access_logs({}, gateway, None, agree_never) == {"AccessLogs": "false"}
    assert "AccessLogs=false in samconfig.toml" in capsys.readouterr().out
    assert with_access_logs({"AccessLogs": "false"}, None, None, agree_never) == {"AccessLogs": "false"}


def test_logs_that_are_asked_for_without_the_role_are_no_deployment_that_fails_later(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit):
        with_access_logs({"AccessLogs": "true"}, answering("apigateway", "get_account", {}), None, agree_never)
    assert "Nothing was deployed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "outside", "said"),
    [(SENDER, False, "SES is in its sandbox here"), (SENDER, True, ""), ({}, False, "")],
)
def test_the_sandbox_of_ses_is_told_where_letters_would_leave(
    given: dict[str, str], outside: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_where_mail_goes(answering("sesv2", "get_account", {"ProductionAccessEnabled": outside}), given, REGION)
    out = capsys.readouterr().out
    assert out.startswith(said)
    assert bool(out) == bool(said)
