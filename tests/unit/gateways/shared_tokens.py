"""A token store in memory that keeps the promises of the shared one, and counts what it is asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from payfirst.gateways.base import GatewayName, StoredToken


@dataclass(slots=True)
class MemoryTokenStore:
    """One token and one lease per gateway; a write without the lease is an error that the test must see."""

    tokens: dict[GatewayName, StoredToken] = field(default_factory=dict)
    leases: dict[GatewayName, tuple[str, datetime]] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, gateway: GatewayName) -> StoredToken | None:
        with self.lock:
            self.reads += 1
            return self.tokens.get(gateway)

    def lease(self, gateway: GatewayName, *, owner: str, now: datetime, until: datetime) -> bool:
        with self.lock:
            holder = self.leases.get(gateway)
            if holder is not None and holder[0] != owner and now < holder[1]:
                return False
            self.leases[gateway] = (owner, until)
            return True

    def write(self, gateway: GatewayName, token: StoredToken, *, owner: str) -> None:
        with self.lock:
            assert self.leases[gateway][0] == owner, "only the holder of the lease may share a token"
            del self.leases[gateway]
            self.tokens[gateway] = token
            self.writes += 1
