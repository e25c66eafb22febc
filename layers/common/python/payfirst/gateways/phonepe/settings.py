"""What PhonePe's clients read from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from payfirst.settings import Networks, gateway_address

_DOMAIN: Final = "phonepe.com"
_SANDBOX: Final = "api-preprod.phonepe.com"


@dataclass(frozen=True, slots=True)
class PhonePeSettings:
    """Each field is the environment variable of the same name in upper case."""

    phonepe_base_url: str = field(metadata=gateway_address(_DOMAIN, sandbox=_SANDBOX))
    phonepe_token_url: str = field(metadata=gateway_address(_DOMAIN, sandbox=_SANDBOX))
    phonepe_notice_sources: Networks
