"""Where a request came from, for the gateways' notices."""

from __future__ import annotations

import ipaddress

from payfirst.api.request import Request
from payfirst.settings import Networks


def comes_from(request: Request, networks: Networks) -> bool:
    """Whether the caller's address lies in one of `networks`; always when there are none.

    The address is the one that API Gateway (or the function's URL) saw the connection come from. A forwarded header is
    never looked at: whoever calls writes it.
    """
    if not networks:
        return True
    try:
        seen = ipaddress.ip_address(request.event["requestContext"]["http"]["sourceIp"])
    except (KeyError, ValueError):
        return False
    address = getattr(seen, "ipv4_mapped", None) or seen
    return any(address in network for network in networks)
