"""What M-Pesa's clients and rules read from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field

from payfirst.settings import ConfirmWithQuery, Networks, gateway_address, whole


@dataclass(frozen=True, slots=True)
class MpesaSettings:
    """Each field is the environment variable of the same name in upper case. Times are seconds."""

    mpesa_base_url: str = field(metadata=gateway_address("safaricom.co.ke", sandbox="sandbox.safaricom.co.ke"))
    mpesa_no_answer_seconds: int = field(metadata=whole(60, 900, locally=1))
    mpesa_confirm_with_query: ConfirmWithQuery
    mpesa_notice_sources: Networks
