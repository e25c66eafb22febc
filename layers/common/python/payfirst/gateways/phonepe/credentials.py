"""What a merchant's PhonePe account needs in order to collect, and to recognise PhonePe's notices."""

from __future__ import annotations

from dataclasses import dataclass, field


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
