"""What a merchant's M-Pesa account needs in order to collect, look up and pay back."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MpesaCredentials:
    """The secrets and names of one Daraja app; the repr shows only the numbers that every customer sees.

    `shortcode` is the PayBill number, or the head office number when `till` is given: then customers buy goods at that
    till. `initiator_name` and `security_credential` (the initiator's password, already encrypted with Safaricom's
    certificate) are needed for reversals, payouts and the transaction status only; many merchants have none.
    """

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    shortcode: str
    passkey: str = field(repr=False)
    till: str | None = None
    initiator_name: str | None = field(default=None, repr=False)
    security_credential: str | None = field(default=None, repr=False)
