"""The addresses at which gateways and payers come back, made from the table of routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from payfirst.api.routes import ROUTES
from payfirst.domain.gateway_terms import GatewayTerms

_PATHS: Final = {route.operation: route.path for route in ROUTES}


@dataclass(frozen=True, slots=True)
class NoticeAddresses:
    """Where gateways post to this shop; `origin` (`https://shop.example`) is what each of them reaches it at."""

    origin: str

    def of_payment(self, terms: GatewayTerms, token: str) -> str:
        """Of notices: an address of the attempt's own, or one for all notices that the gateway signs in a header."""
        if terms.signs_notices:
            return self.origin + _PATHS["gateway_notice"].format(gateway=terms.name.lower())
        return self.origin + _PATHS["stk_callback"].format(token=token)

    def of_refund_result(self, token: str) -> str:
        """Of the result of a refund."""
        return self.origin + _PATHS["refund_result"].format(token=token)

    def of_refund_timeout(self, token: str) -> str:
        """Of the word that a refund will have no result."""
        return self.origin + _PATHS["refund_timeout"].format(token=token)


def return_address(origin: str) -> str:
    """Where a gateway's page sends the payer's browser back, unless the shop has a page of its own for that."""
    return origin + _PATHS["paid"]
