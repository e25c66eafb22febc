"""The gateways' access tokens, shared by all containers through a table of their own, which is in no backup."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.clock import instant, lasting, read_instant
from payfirst.gateways.base import StoredToken
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update, absent, any_of, at_most, equal
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, get, write

PATIENCE_S: Final = 2.0
KEPT_AFTER_ITS_END: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SharedTokens:
    """A `TokenStore` in `table`; the lease is one conditional write."""

    table: Table

    def _table(self) -> Table:
        return replace(self.table, deadline=lasting(PATIENCE_S))

    def read(self, gateway: str) -> StoredToken | None:
        """The shared token, however old; None before the first."""
        item = get(self._table(), keys.gateway_token(gateway))
        if item is None or "value" not in item:
            return None
        return StoredToken(item["value"], read_instant(item["expires_at"]), read_instant(item["renew_at"]))

    def lease(self, gateway: str, *, owner: str, now: datetime, until: datetime) -> bool:
        """Whether `owner` alone may fetch a token until `until`."""
        free = any_of(absent("lease_until"), at_most("lease_until", instant(now)), equal("lease_owner", owner))
        change = Update(
            "token",
            keys.gateway_token(gateway),
            when=(free,),
            set={"lease_owner": owner, "lease_until": instant(until)},
        )
        try:
            write(self._table(), change)
        except ConditionFailedError:
            return False
        return True

    def write(self, gateway: str, token: StoredToken, *, owner: str) -> None:
        """Share `token` and give the lease back; one fetched under a lease that ran out meanwhile is not shared."""
        change = Update(
            "token",
            keys.gateway_token(gateway),
            when=(equal("lease_owner", owner),),
            set={
                "value": token.value,
                "expires_at": instant(token.expires_at),
                "renew_at": instant(token.renew_at),
                "ttl": int((token.expires_at + KEPT_AFTER_ITS_END).timestamp()),
            },
            remove=("lease_owner", "lease_until"),
        )
        try:
            write(self._table(), change)
        except ConditionFailedError:
            return
