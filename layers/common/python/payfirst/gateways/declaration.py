"""What each gateway's package declares and offers, so that nothing else knows it by its name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.gateways.base import Claim, Gateway, OrderNotice, RefundClaim, TokenStore
from payfirst.settings import ConfirmWithQuery, Networks

if TYPE_CHECKING:
    from payfirst.gateways.account import Form
    from payfirst.gateways.statements import StatementForm

T = TypeVar("T")
Readable = Literal["code", "amount", "time", "words"]
"""What people may read of a field: id or code, amount, instant (`YYYYMMDDhhmmss`, milliseconds, ISO 8601), free text."""

Credentials = Hashable
"""What a gateway's own module makes of its part of the secret; for gateways that sign notices a `Recogniser` too."""


@dataclass(frozen=True, slots=True)
class CheckoutScript:
    """A gateway's own script, which shows its page within the shop's: its address, the name of the object that it brings, and
    whose pages it shows, as a policy of content names them.

    That object's `transact({tokenUrl, type: "IFRAME", callback})` shows the page `tokenUrl` and calls back once it is over.
    """

    address: str
    name: str
    pages: str

    @property
    def origin(self) -> str:
        """Where the script comes from."""
        return origin_of(self.address)


class Declaration:
    """What a gateway's package offers; `payfirst.gateways.registry` has the list of them.

    Whoever overrides one of these imports what it needs inside, so that a function pays only for what it uses.
    """

    terms: GatewayTerms
    settings: type[Any]
    """A dataclass whose fields are the settings that it alone reads, by `payfirst.settings.settings_of`."""

    parameters: str
    """What its parameters and outputs in the template begin with, as in `MpesaBaseUrl`."""

    shown: ClassVar[Mapping[str, Readable]] = {}
    """The fields of its notices whose values say nothing of the payer and open nothing, and what kind of value each has
    (`payfirst.gateways.redaction`)."""

    def forms(self) -> tuple[Form, ...]:
        """What an operator may give as its credentials; the first is the usual one, any other has a `mark`."""
        raise NotImplementedError

    def statement(self) -> StatementForm | None:
        """What the files look like that its portal exports, for `payfirst reconcile`; None where it exports none."""
        return None

    def credentials(self, kept: Mapping[str, Any]) -> Credentials:
        """The credentials in its part of the gateways' secret; TypeError if one is missing."""
        raise NotImplementedError

    def client(self, credentials: Any, tokens: TokenStore, container: str) -> Gateway:  # noqa: ANN401 - its own credentials
        """A client with these credentials, whose access token `container` shares through `tokens`."""
        raise NotImplementedError

    def payer(self, written: str) -> str:
        """The number of the payer's phone as it takes it; ValueError with a sentence for the customer where it is none.

        For a gateway that prompts the payer on a phone.
        """
        raise NotImplementedError

    def notice_sources(self) -> Networks:
        """Where its notices may come from; empty means anywhere."""
        return ()

    def checkout_script(self) -> CheckoutScript | None:
        """The script that shows its page within the shop's; None where the payer leaves for it."""
        return None

    def confirm(self) -> ConfirmWithQuery:
        """How much its own status counts beside a notice on an attempt's own address."""
        return ConfirmWithQuery.STRICT

    def no_answer_after(self) -> timedelta:
        """How long the end of a push whose answer was lost is waited for, where it cannot be asked about."""
        return timedelta(0)

    def check_callbacks(self, origin: str) -> None:
        """MisconfiguredError if its notices would never reach `origin`, so that nothing is collected in vain."""

    def read_claim(self, raw: bytes) -> Claim | None:
        """What a notice on an attempt's own address claims; None when it is none, never an exception."""
        del raw
        return None

    def read_refund_claim(self, raw: bytes) -> RefundClaim | None:
        """What a notice on a refund's own address claims; None when it is none, never an exception."""
        del raw
        return None

    def readable(self, raw: bytes) -> bytes:
        """The JSON of a notice for people to read, where it comes wrapped in something else; never an exception."""
        return raw

    def read_signed(self, raw: bytes) -> OrderNotice | None:
        """What a notice that was signed in a header, and then stored, speaks of; None when it is none, never an exception."""
        del raw
        return None


def origin_of(address: str) -> str:
    """The origin of an absolute address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def from_secret(kind: type[T], kept: Mapping[str, Any]) -> T:
    """The dataclass `kind` from what is kept under its fields' names; TypeError if one without a default is missing."""
    known = {each.name: kept[each.name] for each in fields(kind) if each.name in kept}  # type: ignore[arg-type]
    return kind(**known)
