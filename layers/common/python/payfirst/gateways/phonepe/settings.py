"""What PhonePe's clients read from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from payfirst.settings import Networks, gateway_address

_DOMAIN: Final = "phonepe.com"
_SANDBOX: Final = "api-preprod.phonepe.com"
_SANDBOX_PAGES: Final = "mercury-stg.phonepe.com"


PAGES: Final = f"https://*.{_DOMAIN}"
"""Where its script finds the page of a payment: on another host than its own, which differs."""


@dataclass(frozen=True, slots=True)
class PhonePeSettings:
    """Each field is the environment variable of the same name in upper case."""

    phonepe_base_url: str = field(metadata=gateway_address(_DOMAIN, sandbox=_SANDBOX))
    phonepe_token_url: str = field(metadata=gateway_address(_DOMAIN, sandbox=_SANDBOX))
    phonepe_notice_sources: Networks
    phonepe_script: str = field(metadata=gateway_address(_DOMAIN, sandbox=_SANDBOX_PAGES, may_be_empty=True))
