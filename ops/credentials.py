"""`payfirst credentials`: sets, checks and rotates what the gateways know a shop by. It never prints a secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from ops.credential_check import (
    TITLES,
    account_of,
    address_of,
    check_callback_url,
    check_whole,
    form_given,
    form_of,
    prove,
    stage_of,
)
from ops.credential_fields import FIELDS, PAIRS, CredentialError, Field, Form, Values
from ops.credential_input import CALLBACK_URL, Given, ask_on_terminal, changes, given_by, whole_set
from ops.credential_target import Account, Target, find_target
from ops.running import HOME
from payfirst.settings import Stage

credentials_app = typer.Typer(
    name="credentials",
    help="Set, check and rotate the gateways' credentials.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

READ_AGAIN_AFTER: Final = timedelta(minutes=5)
"""How long functions go on with the secret that they have read."""
_CHANGED: Final = {
    Form.PHONEPE: "Notices with the new and with the previous name and password are taken: wait five minutes, change them in "
    "PhonePe's dashboard, then run `payfirst credentials rotate phonepe --finish`.",
    Form.PHONEPE_V1: "Requests are signed with the new salt key, and notices signed with the new and with the previous one are "
    "taken: wait five minutes, switch the previous one off in PhonePe's dashboard, then run "
    "`payfirst credentials rotate phonepe --finish`.",
}
_PAIR: Final = {Form.PHONEPE: "name and password", Form.PHONEPE_V1: "salt key"}
_WHOSE: Final = {Form.PHONEPE: "the webhook's", Form.PHONEPE_V1: "the"}

AccountArgument = Annotated[Account, typer.Argument(help="The gateway.")]
SecretId = Annotated[str | None, typer.Option(help="The secret's name or ARN; the stack's own if absent.")]
StackName = Annotated[str | None, typer.Option(help="A deployed stack; the local one that runs if absent.")]
StageOption = Annotated[
    str | None,
    typer.Option("--stage", help="sandbox or production: MPESA_ENVIRONMENT or PHONEPE_ENVIRONMENT, else the stack's."),
]
BaseUrl = Annotated[str | None, typer.Option(help="Where the gateway answers instead, for instance a simulator.")]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read a JSON object from standard input instead of the environment.")]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Store without asking the gateway for a token first.")]
Home = Annotated[Path, typer.Option(help="Where the local stack keeps its state.", show_default=".local")]


@credentials_app.command("set")
def set_command(
    account: AccountArgument,
    secret_id: SecretId = None,
    stack_name: StackName = None,
    stage: StageOption = None,
    base_url: BaseUrl = None,
    stdin: Stdin = False,
    no_check: NoCheck = False,
    first_api: Annotated[
        bool, typer.Option("--first-api", help="PhonePe: a salt key of its first API, instead of a client.")
    ] = False,
    home: Home = HOME,
) -> None:
    """Store a whole set of credentials, after the gateway has given a token for it.

    Values come from the environment (MPESA_CONSUMER_KEY, PHONEPE_CLIENT_ID and so on), from JSON with --stdin, or are asked
    for on the terminal. PHONEPE_SALT_KEY or --first-api means PhonePe's first API. Nothing is stored when a value is wrong or
    the gateway does not know the credentials.
    """
    with _in_one_sentence():
        target = find_target(account, secret_id=secret_id, stack_name=stack_name, home=home)
        given = given_by(os.environ, _fields(account), from_stdin=stdin)
        form = form_given(account, given, first_api=first_api)
        chosen = stage_of(account, given, stage, target)
        address = None if no_check else address_of(form, chosen, base_url, target)
        if account is Account.MPESA:
            check_callback_url(given.variable(CALLBACK_URL), chosen)
        values = whole_set(FIELDS[form], given, ask_on_terminal)
        check_whole(form, values, chosen)
        if address is not None:
            prove(form, values, address)
        target.write(values)
        _say_stored(form, target, tried=address is not None)


@credentials_app.command("check")
def check_command(
    account: Annotated[Account | None, typer.Argument(help="The gateway; both if absent.")] = None,
    secret_id: SecretId = None,
    stack_name: StackName = None,
    stage: StageOption = None,
    base_url: BaseUrl = None,
    home: Home = HOME,
) -> None:
    """Check what is stored: every value's form, and whether the gateway gives a token for it. Changes nothing."""
    if account is None and (secret_id is not None or base_url is not None):
        raise typer.BadParameter("--secret-id and --base-url belong to one gateway: name it.")
    failed = False
    for each in [account] if account else list(Account):
        try:
            with _in_one_sentence():
                target = find_target(each, secret_id=secret_id, stack_name=stack_name, home=home)
                _check_stored(each, target, stage, base_url)
        except typer.Exit:
            failed = True
    if failed:
        raise typer.Exit(1)


@credentials_app.command("rotate")
def rotate_command(
    account: AccountArgument,
    secret_id: SecretId = None,
    stack_name: StackName = None,
    stage: StageOption = None,
    base_url: BaseUrl = None,
    stdin: Stdin = False,
    no_check: NoCheck = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="PhonePe: stop taking notices with the previous name and password, or salt key.")
    ] = False,
    home: Home = HOME,
) -> None:
    """Replace some of the credentials while both sets are valid; what is not given stays.

    New keys are tried before they replace the old ones, which Secrets Manager keeps as AWSPREVIOUS. A new name or password of
    PhonePe's webhook, or a new salt key, is accepted beside the one it replaces until `rotate phonepe --finish`.
    """
    with _in_one_sentence():
        target = find_target(account, secret_id=secret_id, stack_name=stack_name, home=home)
        kept, form = _must_hold(account, target)
        if finish:
            _finish(form, target, kept)
            return
        given = given_by(os.environ, _fields(account), from_stdin=stdin)
        chosen = stage_of(account, given, stage, target)
        address = None if no_check else address_of(form, chosen, base_url, target)
        changed = changes(FIELDS[form], given, ask_on_terminal, kept)
        values = kept | _with_previous(form, changed, kept)
        check_whole(form, values, chosen)
        if address is not None:
            prove(form, values, address)
        target.write(values)
        _say_stored(form, target, tried=address is not None)
        if changed.keys() & set(PAIRS.get(form, ())):
            typer.echo(_CHANGED[form])


def _fields(account: Account) -> tuple[Field, ...]:
    """Every field that the account's secret may have, in whatever form."""
    return tuple(field for form in Form if account_of(form) is account for field in FIELDS[form])


def _with_previous(form: Form, changed: Values, kept: Values) -> Values:
    """`changed`, with what notices are recognised by now as the previous one where it is being replaced."""
    pair = PAIRS.get(form, ())
    if not changed.keys() & set(pair):
        return changed
    if _is_changing(kept):
        raise CredentialError(
            f"A change of {_named(form)} is still open: end it with "
            "`payfirst credentials rotate phonepe --finish` before the next one."
        )
    return changed | {f"previous_{name}": kept[name] for name in pair if name in kept}


def _named(form: Form, which: str = "") -> str:
    """What notices are recognised by, in words."""
    return " ".join(word for word in (_WHOSE[form], which, _PAIR[form]) if word)


def _is_changing(kept: Values) -> bool:
    return any(name.startswith("previous_") and value for name, value in kept.items())


def _finish(form: Form, target: Target, kept: Values) -> None:
    if form not in PAIRS:
        raise CredentialError("Only PhonePe's webhook has a previous name and password to end.")
    if not _is_changing(kept):
        raise CredentialError(f"No change of {_named(form)} is open.")
    target.write({name: value for name, value in kept.items() if not name.startswith("previous_")})
    typer.echo(f"Notices are taken with {_named(form, 'current')} only, from five minutes on at the latest.")


def _check_stored(account: Account, target: Target, stage: str | None, base_url: str | None) -> None:
    values, form = _must_hold(account, target)
    chosen = stage_of(account, Given(os.environ, may_ask=False), stage, target)
    check_whole(form, values, chosen)
    if account is Account.MPESA:
        check_callback_url(target.callback_origin, chosen)
    prove(form, values, address_of(form, chosen, base_url, target))
    proof = "takes its checksum" if form is Form.PHONEPE_V1 else "gives a token for it"
    typer.echo(f"{TITLES[form]}: {target.secret_id} is complete, and the gateway {proof}.")
    if _is_changing(values):
        typer.echo(f"PhonePe: notices with {_named(form, 'previous')} are still taken.")


def _must_hold(account: Account, target: Target) -> tuple[Values, Form]:
    kept = target.read()
    if kept is None:
        raise CredentialError(f"There are no credentials in {target.secret_id} yet: run `payfirst credentials set {account}`.")
    return kept, form_of(account, by_salt_key="salt_key" in kept)


def _say_stored(form: Form, target: Target, *, tried: bool) -> None:
    how = "known to the gateway" if tried else "not tried"
    minutes = int(READ_AGAIN_AFTER.total_seconds() // 60)
    typer.echo(f"{TITLES[form]}: stored in {target.secret_id}, {how}; functions take it within {minutes} minutes.")
    if form is Form.MPESA:
        typer.echo("Short code and passkey are proved by the first payment: Safaricom does not look at them before.")
    if target.stage is Stage.LOCAL:
        typer.echo("The local stack makes its own again when it starts the next time.")


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except CredentialError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
