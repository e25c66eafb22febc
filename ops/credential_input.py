"""Reads credentials from the environment, from JSON on standard input, or from a terminal that shows no secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import typer

from ops.printing import complain
from payfirst.gateways.account import CredentialError, Field, Values, checked
from payfirst.gateways.registry import GATEWAYS, names


def environments() -> list[str]:
    """The variables that say for which of a gateway's worlds its credentials are."""
    return [f"{name}_ENVIRONMENT" for name in names()]


def _beside() -> list[str]:
    """What such a configuration has besides credentials."""
    callbacks = [form.callback_variable for gateway in GATEWAYS for form in gateway.forms() if form.callback_variable]
    return [*callbacks, *environments()]


Ask = Callable[[Field, str], str]
"""Asks for a field on the terminal, with a remark for the operator; "" if nothing is typed."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the operator gave without being asked: variables by their names, and whether a terminal can be asked for more."""

    variables: Mapping[str, str]
    may_ask: bool

    def variable(self, name: str) -> str | None:
        """The variable of that name without blanks around it; None if it is absent or empty."""
        return self.variables.get(name, "").strip() or None


def given_by(environment: Mapping[str, str], fields: Sequence[Field], *, from_stdin: bool) -> Given:
    """What was given: standard input's JSON if asked for, else the environment."""
    if not from_stdin:
        return Given(environment, may_ask=sys.stdin.isatty())
    return Given(_json_variables(sys.stdin.read(), fields), may_ask=False)


def _json_variables(text: str, fields: Sequence[Field]) -> dict[str, str]:
    """The variables in a JSON object whose keys are variables' or fields' names."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not all(isinstance(word, str) for entry in body.items() for word in entry):
        raise CredentialError("Standard input must be a JSON object whose values are strings.")
    variables_of = {field.name: field.variable for field in fields}
    known = {*variables_of.values(), *_beside()}
    variables: dict[str, str] = {variables_of.get(str(key), str(key)): value for key, value in body.items()}
    if not variables.keys() <= known:
        # A key is not repeated: it may be a secret that slipped.
        raise CredentialError(f"The JSON has a key that is none of {', '.join(sorted(known))}.")
    return variables


def whole_set(fields: Sequence[Field], given: Given, ask: Ask) -> Values:
    """A value for each required field and the optional ones that there are; what is missing is asked for.

    CredentialError names the first field that is wrong, or missing with nobody to ask.
    """
    values: Values = {}
    for field in fields:
        text = given.variable(field.variable)
        if text is None and given.may_ask:
            text = ask(field, "") or None
        if text is not None:
            values[field.name] = checked(field, text)
        elif field.required:
            raise CredentialError(
                f"{field.variable} is missing: put it into the environment, into JSON with --stdin, or answer on a terminal."
            )
    return values


def changes(fields: Sequence[Field], given: Given, ask: Ask, kept: Values) -> Values:
    """The fields that are to change, with values other than those in `kept`; CredentialError if there is none."""
    changed: Values = {}
    for field in fields:
        text = given.variable(field.variable)
        if text is None and given.may_ask:
            text = ask(field, "empty keeps it") or None
        if text is not None and checked(field, text) != kept.get(field.name):
            changed[field.name] = text
    if not changed:
        raise CredentialError("Nothing is new, so nothing was changed: give the new values in the environment or with --stdin.")
    return changed


def ask_on_terminal(field: Field, remark: str) -> str:
    """One answer on the terminal, asked for again until it fits; a secret is not shown while it is typed."""
    title = f"{field.title} ({remark})" if remark else field.title
    while True:
        text = str(typer.prompt(title, default="", show_default=False, hide_input=field.hidden, err=True)).strip()
        if not text and (remark or not field.required):
            return ""
        try:
            return checked(field, text)
        except CredentialError as error:
            complain(str(error))
