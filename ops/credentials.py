"""`payfirst credentials`: sets, checks and rotates what the gateways know a shop by. It never prints a secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Final

import typer

from ops import words
from ops.credential_check import (
    address_of,
    check_callback_url,
    check_whole,
    fields_of,
    form_given,
    form_of,
    prove,
    stage_of,
)
from ops.credential_input import Given, ask_on_terminal, changes, environments, given_by, whole_set
from ops.credential_notice import try_notice
from ops.credential_target import Account, Target, find_target
from ops.deployed import Home, StackName
from ops.printing import complain, hand_over_json, say
from ops.running import HOME
from ops.sentences import in_one_sentence
from payfirst.gateways.account import CredentialError, Form, Values
from payfirst.gateways.registry import names, terms_of
from payfirst.settings import Stage

credentials_app = typer.Typer(
    name="credentials",
    help="Set, check and rotate the gateways' credentials.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

READ_AGAIN_AFTER: Final = timedelta(minutes=5)
"""How long functions go on with the secret that they have read."""


def _accounts() -> list[Account]:
    return [name.lower() for name in names()]


def _account(given: str) -> Account:
    if given not in _accounts():
        raise typer.BadParameter(f"{given!r} is not one of {', '.join(_accounts())}.")
    return given


_ONE_OF: Final = "|".join(_accounts())

AccountArgument = Annotated[Account, typer.Argument(help="The gateway.", parser=_account, metavar=_ONE_OF)]
SecretId = Annotated[str | None, words.option(help="The secret's name or ARN; the stack's own if absent.")]
StageOption = Annotated[
    str | None,
    words.option(
        "--stage",
        help=f"sandbox or production: {' or '.join(environments())}, else the stack's.",
    ),
]
BaseUrl = Annotated[str | None, words.option(help="Where the gateway answers instead, for instance a simulator.")]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read a JSON object from standard input instead of the environment.")]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Store without asking the gateway for a token first.")]


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
        bool, typer.Option("--first-api", help="Where a gateway has two APIs: its first, with a salt key instead of a client.")
    ] = False,
    home: Home = HOME,
) -> None:
    """Store a whole set of credentials, after the gateway has given a token for it.

    Values come from the environment (MPESA_CONSUMER_KEY, PHONEPE_CLIENT_ID and so on), from JSON with --stdin, or are asked
    for on the terminal. PHONEPE_SALT_KEY or --first-api means PhonePe's first API. Nothing is stored when a value is wrong or
    the gateway does not know the credentials. On PhonePe's dashboard choose "Basic (SHA)" for the webhook, not HMAC.
    """
    with in_one_sentence():
        target = find_target(account, secret_id=secret_id, stack_name=stack_name, home=home)
        given = given_by(os.environ, fields_of(account), from_stdin=stdin)
        form = form_given(account, given, first_api=first_api)
        chosen = stage_of(account, given, stage, target)
        address = None if no_check else address_of(form, chosen, base_url, target)
        if form.callback_variable:
            check_callback_url(form, given.variable(form.callback_variable), chosen)
        values = whole_set(form.fields, given, ask_on_terminal)
        _store(target, form, values, chosen, address)


@credentials_app.command("check")
def check_command(
    account: Annotated[
        Account | None, typer.Argument(help="The gateway; all if absent.", parser=_account, metavar=_ONE_OF)
    ] = None,
    secret_id: SecretId = None,
    stack_name: StackName = None,
    stage: StageOption = None,
    base_url: BaseUrl = None,
    as_json: words.AsJson = False,
    home: Home = HOME,
) -> None:
    """Check what is stored: every value's form, and whether the gateway gives a token for it. Changes nothing.

    PhonePe's notices are tried too: what it would send with the stored name and password, or salt key, has to be taken by the
    stack's webhook.
    """
    if account is None and (secret_id is not None or base_url is not None):
        raise typer.BadParameter("--secret-id and --base-url belong to one gateway: name it.")
    found = []
    for each in [account] if account else _accounts():
        sentences: list[str] = []
        try:
            target = find_target(each, secret_id=secret_id, stack_name=stack_name, home=home)
            for sentence in _check_stored(each, target, stage, base_url):
                sentences.append(sentence)
                if not as_json:
                    say(sentence)
        except CredentialError as error:
            found.append({"gateway": each, "passed": False, "said": [*sentences, str(error)]})
            if not as_json:
                complain(str(error))
        else:
            found.append({"gateway": each, "passed": True, "said": sentences})
    if as_json:
        hand_over_json(found)
    if not all(each["passed"] for each in found):
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
        bool, typer.Option("--finish", help="Stop taking notices with the previous name and password, or key.")
    ] = False,
    home: Home = HOME,
) -> None:
    """Replace some of the credentials while both sets are valid; what is not given stays.

    New keys are tried before they replace the old ones, which Secrets Manager keeps as AWSPREVIOUS. A new name or password of
    PhonePe's webhook, or a new salt key, is accepted beside the one it replaces until `rotate phonepe --finish`.
    """
    with in_one_sentence():
        target = find_target(account, secret_id=secret_id, stack_name=stack_name, home=home)
        kept, form = _must_hold(account, target)
        if finish:
            _finish(account, form, target, kept)
            return
        given = given_by(os.environ, fields_of(account), from_stdin=stdin)
        chosen = stage_of(account, given, stage, target)
        address = None if no_check else address_of(form, chosen, base_url, target)
        changed = changes(form.fields, given, ask_on_terminal, kept)
        values = kept | _with_previous(account, form, changed, kept)
        _store(target, form, values, chosen, address)
        if form.proof and changed.keys() & set(form.proof.fields):
            say(f"{form.proof.changed}, then run `payfirst credentials rotate {account} --finish`.")


def _with_previous(account: Account, form: Form, changed: Values, kept: Values) -> Values:
    """`changed`, with what notices are recognised by now as the previous one where it is being replaced."""
    proof = form.proof
    if proof is None or not changed.keys() & set(proof.fields):
        return changed
    if _is_changing(kept):
        raise CredentialError(
            f"A change of {proof.named()} is still open: end it with "
            f"`payfirst credentials rotate {account} --finish` before the next one."
        )
    return changed | {f"previous_{name}": kept[name] for name in proof.fields if name in kept}


def _is_changing(kept: Values) -> bool:
    return any(name.startswith("previous_") and value for name, value in kept.items())


def _finish(account: Account, form: Form, target: Target, kept: Values) -> None:
    proof = form.proof
    if proof is None:
        raise CredentialError(f"{terms_of(account.upper()).label} signs no notices, so there is nothing to finish.")
    if not _is_changing(kept):
        raise CredentialError(f"No change of {proof.named()} is open.")
    target.write({name: value for name, value in kept.items() if not name.startswith("previous_")})
    say(f"Notices are taken with {proof.named('current')} only, from five minutes on at the latest.")


def _check_stored(account: Account, target: Target, stage: str | None, base_url: str | None) -> Iterator[str]:
    """What holds of the stored credentials, sentence by sentence; CredentialError for the first thing that does not."""
    values, form = _must_hold(account, target)
    chosen = stage_of(account, Given(os.environ, may_ask=False), stage, target)
    check_whole(account, form, values, chosen)
    check_callback_url(form, target.callback_origin, chosen)
    prove(form, values, address_of(form, chosen, base_url, target))
    yield f"{form.title}: {target.secret_id} is complete, and the gateway {form.succeeds}."
    taken = try_notice(form, values, target)
    if taken is not None:
        yield f"{form.title}: {taken}"
    if form.proof and _is_changing(values):
        yield f"{terms_of(account.upper()).label}: notices with {form.proof.named('previous')} are still taken."


def _must_hold(account: Account, target: Target) -> tuple[Values, Form]:
    kept = target.read()
    if kept is None:
        raise CredentialError(f"There are no credentials in {target.secret_id} yet: run `payfirst credentials set {account}`.")
    return kept, form_of(account, kept)


def _store(target: Target, form: Form, values: Values, stage: Stage | None, address: str | None) -> None:
    """Store `values` once they are whole and, if there is an `address`, the gateway there knows them; say what functions do."""
    check_whole(target.account, form, values, stage)
    if address is not None:
        prove(form, values, address)
    target.write(values)
    how = "not tried" if address is None else "known to the gateway"
    minutes = int(READ_AGAIN_AFTER.total_seconds() // 60)
    say(f"{form.title}: stored in {target.secret_id}, {how}; functions take it within {minutes} minutes.")
    if form.remark:
        say(form.remark)
    if target.stage is Stage.LOCAL:
        say("The local stack makes its own again when it starts the next time.")
