"""Cowry: a gateway that nobody has, in one folder, so that it is seen what adding one takes.

It prompts a phone as M-Pesa does, signs its notices and knows a refund by our reference as PhonePe does, and collects shillings
of Tanzania, which no other gateway here does, and rupees beside PhonePe, in steps of five.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as with_metadata
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Currency, Money
from payfirst.gateways.account import NO_BLANKS, VISIBLE, Field, Form, Proof, Values
from payfirst.gateways.base import Gateway, NoAnswer, OrderNotice, Recogniser, StatusQuery, TokenStore
from payfirst.gateways.declaration import Declaration, from_secret
from payfirst.gateways.registry import GATEWAYS
from payfirst.gateways.statements import Paid, Row, Said, StatementForm
from payfirst.gateways.tokens import TokenFailure
from payfirst.settings import Stage, gateway_address, settings_of
from tests.madeup_gateway.client import HEADER, Cowry, CowryCredentials, read_notice, signature

TERMS: Final = GatewayTerms(
    name="COWRY",
    label="Cowry",
    currencies=frozenset({Currency.TZS, Currency.INR}),
    least=500,
    most=None,
    step=500,
    collects="Cowry can collect multiples of 5.00.",
    pays_back="Cowry pays back multiples of 5.00",
    check_schedule=(15, 60, 600, 3600, 86400),
    prompts_phone=True,
    asked_by_its_id=False,
    knows_refunds=True,
    signs_notices=True,
    at_once=4,
    per_second=20,
)


@dataclass(frozen=True, slots=True)
class CowrySettings:
    """What it reads from the environment."""

    cowry_base_url: str = with_metadata(metadata=gateway_address("cowry.example", sandbox="sandbox.cowry.example"))


class CowryForm(Form):
    """Its one key."""

    title = TERMS.label
    fields = (Field("key", "COWRY_KEY", "Key", NO_BLANKS, VISIBLE, hidden=True),)
    addresses = {Stage.PRODUCTION: "https://api.cowry.example"}  # noqa: RUF012 - a mapping that nobody writes to
    setting = "COWRY_BASE_URL"
    proof = Proof(("key",), "the", "key", "Both keys are taken: wait five minutes, end the previous one in Cowry's portal")

    def refusal(self, values: Values, address: str, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        client = Cowry(CowryCredentials(values["key"]), address, TERMS)
        answer = client.status(StatusQuery("nobody", None, Money(TERMS.least, Currency.TZS)), now=now, timeout_s=timeout_s)
        return TokenFailure(answer.reason, configuration=True) if isinstance(answer, NoAnswer) else None

    def recogniser(self, values: Values) -> Recogniser:
        return CowryCredentials(values["key"])

    def harmless_notice(self, values: Values) -> tuple[tuple[str, str], bytes]:
        raw = b'{"ref": "nobody", "state": "open"}'
        return (HEADER, signature(values["key"], raw)), raw


class CowryStatement(StatementForm):
    """Its portal lists what came in shillings under our references, by the clock of Dar es Salaam."""

    shown = "Cowry's (Our Reference, Received, Received At)"
    needed = (("ourreference",), ("received",), ("receivedat",))
    currency = Currency.TZS
    by_receipt = False

    def read(self, row: Row) -> Said:
        ref, amount = row.named("Our Reference", "ourreference"), row.minor(self.currency, "Received", "received")
        at = row.moment(ZoneInfo("Africa/Dar_es_Salaam"), "Received At", "receivedat").astimezone(UTC)
        return Said("payment", ref, at, Paid(ref, "", amount, at))


class CowryGateway(Declaration):
    """Its notices prove themselves by a signature over the body."""

    terms = TERMS
    settings = CowrySettings
    parameters = "Cowry"

    def forms(self) -> tuple[Form, ...]:
        return (CowryForm(),)

    def statement(self) -> CowryStatement:
        return CowryStatement()

    def credentials(self, kept: Mapping[str, Any]) -> CowryCredentials:
        return from_secret(CowryCredentials, kept)

    def client(self, credentials: CowryCredentials, tokens: TokenStore, container: str) -> Gateway:
        del tokens, container  # its one key is all that a request needs
        return Cowry(credentials, settings_of(CowrySettings).cowry_base_url, TERMS)

    def payer(self, written: str) -> str:
        digits = "".join(filter(str.isdigit, written))
        if not digits.isascii() or not digits:
            raise ValueError("Cowry needs a phone number in digits.")
        return digits

    def read_signed(self, raw: bytes) -> OrderNotice | None:
        return read_notice(raw)


@contextmanager
def registered() -> Iterator[CowryGateway]:
    """While it is open the shop has this gateway too."""
    gateway = CowryGateway()
    GATEWAYS.append(gateway)
    try:
        yield gateway
    finally:
        GATEWAYS.remove(gateway)
