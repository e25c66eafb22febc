"""M-Pesa: Safaricom's Daraja API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from payfirst.domain.errors import MisconfiguredError
from payfirst.gateways.base import Claim, Gateway, RefundClaim, TokenStore
from payfirst.gateways.declaration import Declaration, Readable, from_secret
from payfirst.gateways.mpesa.settings import MpesaSettings
from payfirst.gateways.mpesa.terms import MPESA
from payfirst.observability import alarm, warn
from payfirst.settings import ConfirmWithQuery, Networks, settings, settings_of

if TYPE_CHECKING:
    from payfirst.gateways.account import Form
    from payfirst.gateways.mpesa.credentials import MpesaCredentials
    from payfirst.gateways.statements import StatementForm


class MpesaGateway(Declaration):
    """Its notices prove themselves by the word in their address."""

    terms = MPESA
    settings = MpesaSettings
    parameters = "Mpesa"
    shown: ClassVar[Mapping[str, Readable]] = {
        "ResultCode": "code",
        "ResultDesc": "words",
        "MerchantRequestID": "code",
        "Amount": "amount",
        "MpesaReceiptNumber": "code",
        "TransactionDate": "time",
    }

    def forms(self) -> tuple[Form, ...]:
        from payfirst.gateways.mpesa.account import FORM  # noqa: PLC0415 - see Declaration

        return (FORM,)

    def statement(self) -> StatementForm:
        from payfirst.gateways.mpesa.statement import MpesaStatement  # noqa: PLC0415 - likewise

        return MpesaStatement()

    def credentials(self, kept: Mapping[str, Any]) -> MpesaCredentials:
        from payfirst.gateways.mpesa.credentials import MpesaCredentials  # noqa: PLC0415 - see Declaration

        return from_secret(MpesaCredentials, kept)

    def client(self, credentials: MpesaCredentials, tokens: TokenStore, container: str) -> Gateway:
        from payfirst.gateways.mpesa.client import Mpesa  # noqa: PLC0415 - likewise

        return Mpesa(credentials, settings_of(MpesaSettings).mpesa_base_url, tokens, container)

    def payer(self, written: str) -> str:
        from payfirst.gateways.mpesa.phone import normalise_phone  # noqa: PLC0415 - likewise

        try:
            return normalise_phone(written)
        except ValueError as exc:
            raise ValueError("This is not a Kenyan mobile number; write it as 0712345678 or +254712345678.") from exc

    def notice_sources(self) -> Networks:
        return settings_of(MpesaSettings).mpesa_notice_sources

    def confirm(self) -> ConfirmWithQuery:
        return settings_of(MpesaSettings).mpesa_confirm_with_query

    def no_answer_after(self) -> timedelta:
        return timedelta(seconds=settings_of(MpesaSettings).mpesa_no_answer_seconds)

    def check_callbacks(self, origin: str) -> None:
        """MisconfiguredError in production for an address that Safaricom refuses; else a warning."""
        from payfirst.gateways.mpesa.deliverable_address import Severity, callback_address_problem  # noqa: PLC0415 - likewise

        problem = callback_address_problem(f"{origin}/cb/stk/", settings().stage)
        if problem is None:
            return
        facts = {"problem": problem.message, "word": problem.word, "place": problem.place}
        if problem.severity is Severity.ERROR:
            alarm("callback_address.refused", **facts)
            raise MisconfiguredError("M-Pesa cannot reach this shop; an operator has to mend the callback address.")
        warn("callback_address.doubtful", **facts)

    def read_claim(self, raw: bytes) -> Claim | None:
        from payfirst.gateways.mpesa.notices import read_stk_notice  # noqa: PLC0415 - likewise

        return read_stk_notice(raw)

    def read_refund_claim(self, raw: bytes) -> RefundClaim | None:
        from payfirst.gateways.mpesa.result_notices import read_result_notice  # noqa: PLC0415 - likewise

        return read_result_notice(raw)
