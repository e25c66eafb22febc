"""What the reason of a refund may be, where its customer reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.api_reference import samples
from payfirst.api.wire.operators import GivenBackOut
from payfirst.api.wire.operators_orders import ShopOrderOut
from payfirst.api.wire.outcome import RefundOut
from payfirst.api.wire.tracking import OrderOut
from payfirst.domain import refund
from payfirst.domain.booking import Step
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import REASONS, Refund
from payfirst.domain.session import Failure, RefundShown
from payfirst.storage.refunds import refund_from_item, refund_to_item

NOW = datetime(2026, 7, 20, 8, tzinfo=UTC)
WORDS = "He shouts at the driver"


def item(**more: Any) -> dict[str, Any]:
    made = Refund(
        "MT0123456789abc", 1, "sub", 7, "PHONEPE", Money(9900, Currency.INR), RefundStatus.DUE, "given_back", NOW, why=WORDS
    )
    return {**refund_to_item(made), **more}


def test_every_failure_that_sends_money_back_is_a_reason_that_customers_read() -> None:
    failures = [value for value in vars(refund).values() if isinstance(value, Failure)]
    assert len(failures) > 3
    assert {failure.code for failure in failures} <= REASONS


def test_what_an_operator_wrote_is_kept_beside_the_reason() -> None:
    kept = refund_from_item(item())
    assert (kept.reason, kept.why) == ("given_back", WORDS)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_reason_is_read_as_it_was_stored(reason: str) -> None:
    earlier = item(reason=reason)
    del earlier["why"]
    kept = refund_from_item(earlier)
    assert (kept.reason, kept.why) == (reason, None)


def test_the_words_that_an_earlier_release_stored_as_the_reason_stay_with_the_operators() -> None:
    earlier = item(reason=WORDS)
    del earlier["why"]
    kept = refund_from_item(earlier)
    assert (kept.reason, kept.why) == ("given_back", WORDS)
    shown = RefundShown(Money(9900, Currency.INR), "due", WORDS)
    assert RefundOut.of(shown).reason == "given_back"


def test_a_refund_before_a_person_says_what_to_do_and_none_that_has_ended_does() -> None:
    waits = replace(refund_from_item(item()), status=RefundStatus.NEEDS_REVIEW, detail="its receipt never came", receipt=None)
    amount = f"{waits.amount} {waits.amount.currency}"
    said = f"its receipt never came. Pay back {amount} for receipt (unknown) in the gateway's own portal, then record it"
    assert GivenBackOut.of(waits).detail == said
    assert GivenBackOut.of(replace(waits, status=RefundStatus.REFUNDED)).detail == "its receipt never came"
    assert GivenBackOut.of(replace(waits, status=RefundStatus.DUE, detail=None)).detail is None


def test_the_words_in_an_orders_steps_are_for_operators() -> None:
    order = replace(samples.ORDER, timeline=(Step("cancelled", NOW, reason=WORDS),))
    assert WORDS not in OrderOut.of(order).model_dump_json()
    assert WORDS in ShopOrderOut.of(order).model_dump_json()
