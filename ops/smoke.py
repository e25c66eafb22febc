"""`make smoke ENV=…`: checks a deployed stack and says in one table what is true of it. `make deploy` ends with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import boto3
import requests
import typer
from botocore.exceptions import BotoCoreError, ClientError

from ops import words
from ops.environments import read_environment
from ops.printing import hand_over, say, show_table
from ops.sentences import fail, in_one_sentence
from ops.smoke_alarms import LISTENERS_LINE, check_alarms
from ops.smoke_api import check_api
from ops.smoke_flows import check_as_customer
from ops.smoke_http import check_answers
from ops.smoke_outside import (
    CATALOGUE_LINE,
    COUNTRIES_LINE,
    SECRET_LINES,
    SENDER_LINES,
    SES_LINE,
    SMS_LINE,
    check_outside,
)
from ops.smoke_parts import check_parts
from ops.smoke_shop import Line, Shop, Verdict, bad, read_shop, unknown

PARTS: Final[tuple[tuple[str, Callable[[Shop], Iterator[Line]]], ...]] = (
    ("the stack's parts", check_parts),
    ("the API", check_api),
    ("the API's answers", check_answers),
    ("secrets, e-mails and messages", check_outside),
    ("the alarms", check_alarms),
    ("a customer", check_as_customer),
)
"""What is looked at, in this order."""

FIRST_GIVEN: Final = frozenset({CATALOGUE_LINE, *SECRET_LINES.values()})
"""What nobody has given to a shop that was deployed for the first time."""
GIVEN: Final = FIRST_GIVEN | {*SENDER_LINES.values(), SES_LINE, SMS_LINE, COUNTRIES_LINE, LISTENERS_LINE}
"""What people and AWS give, and no deployment can."""
NOT_BUILT: Final = ("InvalidAction", "UnknownOperationException", "NotImplemented", "InternalFailure", "501")
"""What an emulator says that does not know a question."""
NOT_ALLOWED: Final = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "AuthorizationError")


def check_stack(shop: Shop) -> Iterator[Line]:
    """Every line about the shop; what cannot be asked is a line too."""
    for what, ask in PARTS:
        try:
            yield from ask(shop)
        except (ClientError, BotoCoreError, requests.RequestException) as error:
            yield _unasked(shop, what, error)


def smoke(session: Any, stack: str, *, as_json: bool = False, address: str | None = None) -> list[Line]:  # noqa: ANN401 - a boto3 session
    """Look at a deployed stack and print what is true of it; the lines about what is not as it should be.

    `session` is a boto3 session in the stack's account and region, `address` another way to its API than its own output says.
    botocore's ClientError where there is no such stack.
    """
    lines = list(check_stack(read_shop(session, stack, datetime.now(UTC), address)))
    wrong = [line for line in lines if line.verdict is Verdict.NOT_OK]
    if as_json:
        hand_over(json.dumps({"stack": stack, "ok": not wrong, "lines": [asdict(line) for line in lines]}, indent=2))
    else:
        show_table(("What", "Found", "", "What to do"), [(one.what, one.found, one.verdict, one.do) for one in lines])
        open_ = sum(line.verdict is Verdict.UNKNOWN for line in lines)
        say(f"{stack}: {len(lines) - len(wrong) - open_} ok, {len(wrong)} not ok, {open_} not known here.")
    return wrong


def awaits_its_owner(wrong: list[Line]) -> bool:
    """Whether a deployment went well and nothing has been given to the shop yet: all that is wrong is what its people give."""
    return FIRST_GIVEN <= {line.what for line in wrong} <= GIVEN


def _unasked(shop: Shop, what: str, error: Exception) -> Line:
    """What is said where a question was not answered at all: nobody knows, unless AWS itself says that it does not work."""
    if isinstance(error, ClientError):
        code, operation = error.response["Error"].get("Code", ""), error.operation_name
        if code.startswith(NOT_ALLOWED):
            return unknown(what, f"you have no right to {operation}", "Ask with a role that may, or somebody who has one.")
        if shop.emulated and code in NOT_BUILT:
            return unknown(what, f"the emulator does not answer {operation} ({code})", "Look on an AWS account.")
        return bad(what, f"{operation} is answered {code}: {error.response['Error'].get('Message', '')}", "Try again.")
    return bad(what, f"{type(error).__name__}: {error}", "Try again; look at your own network first.")


def smoke_command(
    env: Annotated[str, typer.Argument(help="An environment of samconfig.toml, for instance dev.")] = "",
    stack_name: Annotated[str | None, words.option(help="A stack of that name in the caller's region instead.")] = None,
    address: Annotated[str | None, words.option(help="Where to reach the API, if not at the stack's PublicUrl.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Look at a deployed stack and say what is true of it; exits with 1 if anything is not as it should be."""
    with in_one_sentence():
        if stack_name is not None:
            session, stack = boto3.session.Session(), stack_name
        else:
            try:
                where = read_environment(env)
            except LookupError as error:
                fail(str(error.args[0]), error, exit_code=2)
            session, stack = boto3.session.Session(region_name=where.region), where.stack
        wrong = smoke(session, stack, as_json=as_json, address=address)
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(smoke_command)
