"""Whether credentials are whole, fit where they are going, and are known to their gateway."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from ops.credential_input import Given
from ops.credential_target import Account, Target
from ops.printing import complain
from payfirst.domain.clock import utc_now
from payfirst.gateways.account import CredentialError, Field, Form, Values, checked
from payfirst.gateways.registry import declaration_of, terms_of
from payfirst.settings import Stage

TIMEOUT_S: Final = 15.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def forms_of(account: Account) -> tuple[Form, ...]:
    """What the account's secret may consist of."""
    return declaration_of(account.upper()).forms()


def fields_of(account: Account) -> tuple[Field, ...]:
    """Every field that the account's secret may have, in whatever form."""
    return tuple(field for form in forms_of(account) for field in form.fields)


def form_of(account: Account, kept: Values) -> Form:
    """What the account's secret consists of, by what it keeps."""
    forms = forms_of(account)
    return next((form for form in forms if form.mark in kept), forms[0])


def form_given(account: Account, given: Given, *, first_api: bool) -> Form:
    """What the operator wants to store: the gateway's other API if asked for, or if what marks it is given."""
    usual, *others = forms_of(account)
    for form in others:
        mark = next(field for field in form.fields if field.name == form.mark)
        if not first_api and given.variable(mark.variable) is None:
            continue
        if given.variable(usual.fields[0].variable) is not None:
            both = f"{mark.variable} and {usual.fields[0].variable}"
            raise CredentialError(f"{both} belong to two APIs of {terms_of(account.upper()).label}: give one of them.")
        return form
    return usual


def check_whole(account: Account, form: Form, values: Values, stage: Stage | None) -> None:
    """CredentialError names the first of `values` that is missing, is not what it must be, or does not fit the others."""
    for field in form.fields:
        if field.name in values:
            checked(field, values[field.name])
        elif field.required:
            raise CredentialError(f"{field.variable} is not stored: run `payfirst credentials set {account}`.")
    form.check_together(values, production=stage is Stage.PRODUCTION)


def stage_of(account: Account, given: Given, stage: str | None, target: Target) -> Stage | None:
    """Which of the gateway's worlds the credentials are for; None if neither the operator nor a stack says so."""
    variable = f"{account.upper()}_ENVIRONMENT"
    word = stage or given.variable(variable)
    if word is None:
        return target.stage
    if word not in ("sandbox", "production"):
        raise CredentialError(f"{'--stage' if stage else variable} must be sandbox or production.")
    if target.stage in (Stage.SANDBOX, Stage.PRODUCTION) and word != target.stage:
        raise CredentialError(f"The stack's stage is {target.stage}, and these credentials are for {word}.")
    return Stage(word)


def address_of(form: Form, stage: Stage | None, base_url: str | None, target: Target) -> str:
    """Where credentials are tried: the operator's address, else the stack's own, else the stage's.

    A gateway that gives tokens elsewhere is asked there.
    """
    its_own = target.settings.get(form.setting)
    if base_url is not None:
        address = base_url.rstrip("/") + form.token_path
    elif its_own is not None:
        address = its_own
    elif stage is not None and stage in form.addresses:
        address = form.addresses[stage]
    else:
        raise CredentialError(f"Say where {form.title} is to be asked: --stage sandbox or --stage production.")
    try:
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        is_safe = False
    if not is_safe:
        raise CredentialError("Credentials are sent to https addresses only, or to a simulator on this machine.")
    return address


def prove(form: Form, values: Values, address: str) -> None:
    """CredentialError unless the gateway at `address` gives a token for `values`, or takes their checksum."""
    failure = form.refusal(values, address, now=utc_now(), timeout_s=TIMEOUT_S)
    if failure is None:
        return
    reason = failure.reason
    for secret in sorted(form.secrets(values), key=len, reverse=True):
        reason = reason.replace(secret, "…")
    if failure.configuration:
        raise CredentialError(f"{form.title} does not know these credentials ({reason}); nothing was changed.")
    raise CredentialError(f"{form.title} could not be asked ({reason}); nothing was changed. Try again later.")


def check_callback_url(form: Form, url: str | None, stage: Stage | None) -> None:
    """Warn about an address at which the gateway would not post, CredentialError in production; only its origin is used."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        origin = url
    problem = form.callback_problem(origin, stage or Stage.SANDBOX)
    if problem is None:
        return
    message, is_refused = problem
    told = f"{form.title} would not post to the origin of {form.callback_variable}: {message}."
    if is_refused:
        raise CredentialError(told)
    complain(f"Warning: in production {told}")
