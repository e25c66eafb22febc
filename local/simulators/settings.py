"""What a simulator process is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Both are printed on the developer portal for everybody to use.
SANDBOX_SHORTCODE: Final = "174379"
SANDBOX_PASSKEY: Final = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"


@dataclass(frozen=True, slots=True)
class Settings:
    """`state` is the SQLite file of the ledger. Times are seconds; `None` means never or anything.

    `mpesa_credentials` and `phonepe_credentials` are `id:secret` pairs that OAuth insists on; without them any pair of
    non-empty words gets a token. `phonepe_salts` are the keys of PhonePe's first API with their indexes, `(("1", "key"), …)`;
    requests may be signed with any of them, and notices are signed with the first. Without one that API knows nobody.
    `mail_source` lists the e-mails that the embedded AWS has taken.
    """

    state: Path
    phonepe_webhook_url: str | None = None
    phonepe_webhook_username: str = ""
    phonepe_webhook_password: str = ""
    phonepe_merchant_id: str = "PAYFIRSTUAT"
    phonepe_credentials: str | None = None
    phonepe_salts: tuple[tuple[str, str], ...] = ()
    mpesa_credentials: str | None = None
    mpesa_passkey: str = SANDBOX_PASSKEY
    refund_after_s: float = 0.5
    notice_timeout_s: float = 10.0
    mail_source: str | None = None
    webhook_retry_s: tuple[float, ...] = (1.0, 2.0, 4.0)


def read_salts(text: str) -> tuple[tuple[str, str], ...]:
    """The salts in `1:key,2:key`, an index before each key; ValueError for anything else."""
    pairs = [word.partition(":") for word in text.split(",") if word]
    if not all(index.isdigit() and key for index, _, key in pairs):
        raise ValueError("PHONEPE_SALTS is written like 1:key,2:key")
    return tuple((index, key) for index, _, key in pairs)
