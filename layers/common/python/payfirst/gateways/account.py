"""What an operator is asked for to open a gateway to a shop: what its credentials consist of, and how they are tried.

A gateway has one form of credentials, or two where it has two APIs. Sentences name variables and never repeat a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from payfirst.gateways.base import Recogniser
from payfirst.gateways.tokens import TokenFailure
from payfirst.settings import Stage

Values = dict[str, str]
"""Credentials by the names of the fields of the gateway's own dataclass."""


class CredentialError(Exception):
    """Why nothing was stored or why a check failed: one sentence for the operator, without any secret."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value: `name` in the secret's JSON, `variable` in the environment, `title` on the terminal, `rule` in a sentence."""

    name: str
    variable: str
    title: str
    rule: str
    holds: Callable[[str], bool]
    hidden: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Proof:
    """What notices are recognised by: these fields, in words `of` and `what`, as in (`the webhook's`, `name and password`).

    While they are changed, those before are kept beside them as `previous_…`; `changed` says what the operator does then.
    """

    fields: tuple[str, ...]
    of: str
    what: str
    changed: str

    def named(self, which: str = "") -> str:
        """`the webhook's previous name and password`."""
        return " ".join(word for word in (self.of, which, self.what) if word)


class Form:
    """One form of a gateway's credentials.

    `addresses` are where they are tried in each of the gateway's worlds, and `setting` the setting that says it for a stack; to
    an address that the operator gives, `token_path` is added. A stored secret has this form if it has the field `mark`.
    `succeeds` says what shows that they are known, `remark` what is said once they are stored. `callback_variable` is the
    variable of its usual configuration that says where notices go.
    """

    title: str
    fields: tuple[Field, ...]
    addresses: Mapping[Stage, str]
    setting: str
    token_path: str = ""
    mark: str | None = None
    succeeds: str = "gives a token for it"
    remark: str = ""
    proof: Proof | None = None
    callback_variable: str | None = None

    def check_together(self, values: Mapping[str, str], *, production: bool) -> None:
        """CredentialError where values that are right by themselves do not fit together, or do not fit production."""

    def refusal(self, values: Values, address: str, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        """None if the gateway at `address` knows these values, else why not."""
        raise NotImplementedError

    def secrets(self, values: Values) -> list[str]:
        """What must not be shown, should a gateway repeat it."""
        return [values[each.name] for each in self.fields if each.hidden and each.name in values]

    def recogniser(self, values: Values) -> Recogniser:
        """What recognises its notices, where there is a `proof`."""
        raise NotImplementedError

    def harmless_notice(self, values: Values) -> tuple[tuple[str, str], bytes]:
        """A notice about nothing as the gateway would sign it, (header, body), made without the code that checks it."""
        raise NotImplementedError

    def callback_problem(self, origin: str, stage: Stage) -> tuple[str, bool] | None:
        """Why notices would not reach `origin`, and whether that is to be refused; None if they would."""
        del origin, stage
        return None


def like(pattern: str) -> Callable[[str], bool]:
    """Whether a text is as a whole like `pattern`, in ASCII."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


VISIBLE: Final = like(r"[!-~]{1,512}")
NO_BLANKS: Final = "must be 1 to 512 letters, digits and signs without blanks"


def checked(field: Field, text: str) -> str:
    """`text` as it will be stored; CredentialError if it is not what `field` must be."""
    if not field.holds(text):
        raise CredentialError(f"{field.variable} {field.rule}.")
    return text
