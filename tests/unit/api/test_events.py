"""An event that names a gateway or a currency which the shop does not have is none, whoever wrote it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from payfirst.api.wire.events import PaymentInitiated

SAID = {
    "id": "5f0c#3",
    "session": "5f0c",
    "sequence": 3,
    "kind": "order",
    "currency": "KES",
    "at": "2026-01-01T10:00:00Z",
    "amount": 35000,
    "gateway": "MPESA",
    "attempt": 1,
    "ordinal": 1,
}


def test_an_event_of_the_shops_own_gateway_is_one() -> None:
    assert PaymentInitiated.model_validate(SAID).gateway == "MPESA"


@pytest.mark.parametrize("unknown", [{"gateway": "BARTER"}, {"currency": "XTS"}])
def test_an_event_of_another_gateway_or_currency_is_none(unknown: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="must be one of"):
        PaymentInitiated.model_validate(SAID | unknown)
