"""What a merchant's PhonePe account needs in order to collect, and to recognise PhonePe's notices."""

from __future__ import annotations

from dataclasses import dataclass, field

from payfirst.gateways.base import OrderNotice
from payfirst.gateways.phonepe.webhook import is_authentic, read_webhook


@dataclass(frozen=True, slots=True)
class PhonePeCredentials:
    """The secrets of one PhonePe client; the repr shows no secret.

    `merchant_id` is what PhonePe calls the payee in its notices, if the operator wants it compared. The webhook's name
    and password are those set in PhonePe's dashboard; the previous pair stays valid while they are being changed. An
    empty name or password recognises nobody.
    """

    client_id: str
    client_secret: str = field(repr=False)
    client_version: str
    merchant_id: str | None = None
    webhook_username: str = field(default="", repr=False)
    webhook_password: str = field(default="", repr=False)
    previous_webhook_username: str = field(default="", repr=False)
    previous_webhook_password: str = field(default="", repr=False)

    @property
    def notice_header(self) -> str:
        """`Authorization`, which says nothing about the body."""
        return "Authorization"

    def recognises(self, header: str | None, raw: bytes) -> bool:  # noqa: ARG002 - the header does not cover the body
        """Whether the header is that of the current name and password, or of the previous ones."""
        current = (self.webhook_username, self.webhook_password)
        return is_authentic(header, (current, (self.previous_webhook_username, self.previous_webhook_password)))

    def read_notice(self, raw: bytes) -> OrderNotice | None:
        """What a notice speaks of."""
        notice = read_webhook(raw)
        return notice.as_order if notice else None
