"""The gateways' access tokens that earlier releases kept among the shop's own items; now they have a table of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import to_wire

_KEYS: Final = [to_wire(keys.gateway_token(name)) for name in ("MPESA", "PHONEPE")]


def without_tokens(items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The items, as the low-level client answers them, but for those tokens."""
    return (item for item in items if not _is_token(item))


def forget(client: Any, table: str) -> None:  # noqa: ANN401 - a boto3 client
    """Delete those tokens from the shop's `table`, whether there are any or not."""
    for key in _KEYS:
        client.delete_item(TableName=table, Key=key)


def _is_token(item: Mapping[str, Any]) -> bool:
    return keys.key_of(item) in _KEYS
