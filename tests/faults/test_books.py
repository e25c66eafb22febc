"""The books are equalities: whatever is wrong in either ledger, about any field that is compared, is a difference."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

import pytest

from ops.reconcile.books import WITHIN, Became, Difference, Field, Returned
from ops.reconcile.comparison import compare
from tests.faults.two_ledgers import REFUND_WRONGS, Two, drop, everything_once, put


@pytest.fixture(scope="module")
def everything() -> Two:
    return everything_once()


@pytest.fixture
def two(everything: Two) -> Two:
    return copy.deepcopy(everything)


def test_equal_ledgers_have_no_difference_and_what_is_open_is_shown_in_its_own_words(two: Two) -> None:
    books = compare(two.ledger, two.items)

    assert books.differences == []
    assert {two_refs: line.became for line in books.lines for two_refs, ref in two.refs.items() if ref == line.attempt} == {
        "by hand": Became.REFUND,
        "reversed": Became.REFUND,
        "refunded": Became.REFUND,
        "cancelled booking": Became.BOOKING,
        "cancelled order": Became.ORDER,
        "goodwill": Became.BOOKING,
        "order": Became.ORDER,
        "booking": Became.BOOKING,
        "not fulfilled": Became.REVIEW,
        "under way": Became.REFUND,
        "not told": Became.STATUS_CHECK,
    }
    assert sorted(map(str, books.open)) == sorted(
        [
            f"mpesa {two.refs['by hand']}: paid by hand, 100.00 KES",
            f"mpesa {two.refs['not fulfilled']}: needs review, 350.00 KES",
            f"phonepe {two.refs['under way']}: refund accepted, 100.00 INR",
            f"mpesa {two.refs['not told']}: status check, 350.00 KES collected",
        ]
    )


# Each field, on each side


class Side(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"


Mutation = Callable[[Two], Any]


def _both(two: Two, which: str, amount: int) -> None:
    """Both ledgers agree about another amount, so that only what it became can tell."""
    attempt = two.item(which)
    attempt["captured"], attempt["refundable"] = amount, attempt["refundable"] + amount - attempt["captured"]
    two.collected(which, amount=amount)


def _halves(two: Two) -> None:
    refund = two.item("refunded", "R#001")
    half = {"amount": refund["amount"] // 2}
    two.items.remove(refund)
    two.items += [refund | half, refund | half | {"sk": "R#002", "number": 2, "refund_id": "R#002"}]


def _owed_less(two: Two) -> None:
    """A cancelled booking whose refund, with all that speaks of it, is one paisa short."""
    refund, attempt = two.item("cancelled booking", "R#001"), two.item("cancelled booking")
    refund["amount"] -= 1
    attempt["refundable"] += 1
    two.returned("cancelled booking", refund["amount"])


MUTATIONS: Final[Mapping[tuple[Field, Side], tuple[Mutation, ...]]] = {
    (Field.PAYMENT, Side.OURS): (
        lambda two: drop(two, two.item("booking")),
        lambda two: two.item("booking").update(status="failed"),
        lambda two: two.item("booking").pop("captured"),
    ),
    (Field.PAYMENT, Side.THEIRS): (
        lambda two: two.listed(two.ledger.captures[1:]),
        lambda two: two.collected("order", ref="MT0000000000000"),
        lambda two: two.collected("order", ref=None),
    ),
    (Field.GATEWAY, Side.OURS): (lambda two: put(two.item("booking"), "gateway", "MPESA"),),
    (Field.GATEWAY, Side.THEIRS): (lambda two: two.collected("booking", gateway="mpesa"),),
    (Field.CAPTURES, Side.OURS): (lambda two: two.collected("booking", ref=two.refs["refunded"]),),
    (Field.CAPTURES, Side.THEIRS): (
        lambda two: two.listed([*two.ledger.captures, *two.captures_of("booking")]),
        lambda two: two.listed([*two.ledger.captures, *two.captures_of("not told")]),
    ),
    (Field.CAPTURED, Side.OURS): (
        lambda two: put(two.item("order"), "captured", 34999),
        lambda two: put(two.item("refunded"), "captured", 1),
        lambda two: put(two.item("not fulfilled"), "captured", 1),
    ),
    (Field.CAPTURED, Side.THEIRS): (
        lambda two: two.collected("order", amount=35001),
        lambda two: two.collected("cancelled booking", amount=1),
    ),
    (Field.CURRENCY, Side.OURS): (
        lambda two: put(two.item("order"), "currency", "INR"),
        lambda two: put(two.item("refunded", "R#001"), "currency", "KES"),
        lambda two: put(two.owned("booking", "B"), "currency", "KES"),
    ),
    (Field.CURRENCY, Side.THEIRS): (
        lambda two: two.collected("order", currency="INR"),
        lambda two: two.more("order", 100, "INR"),
    ),
    (Field.RECEIPT, Side.OURS): (lambda two: put(two.item("order"), "receipt", "N999999999"),),
    (Field.RECEIPT, Side.THEIRS): (lambda two: two.collected("order", receipts=frozenset({"N999999999"})),),
    (Field.REFUNDED, Side.OURS): (
        lambda two: drop(two, two.item("refunded", "R#001")),
        lambda two: put(two.item("reversed", "R#001"), "amount", 5000),
        lambda two: put(two.item("refunded", "R#001"), "status", "failed"),
        lambda two: put(two.item("refunded", "R#001"), "detail", "paid in coins besides"),
    ),
    (Field.REFUNDED, Side.THEIRS): (
        lambda two: two.returned("refunded"),
        lambda two: two.returned("reversed", 5000),
        lambda two: two.returned("goodwill", 200, 200),
        lambda two: two.more("by hand", 10000),
        lambda two: two.more(None, 10000),
        lambda two: two.more("not told", 100),
        lambda two: two.more("not fulfilled", 100),
    ),
    (Field.REFUNDS, Side.OURS): (_halves,),
    (Field.REFUNDS, Side.THEIRS): (lambda two: two.returned("refunded", 5000, 5000),),
    (Field.OUTCOME, Side.OURS): (
        lambda two: drop(two, two.owned("order", "O")),
        lambda two: two.owned("booking", "S").pop("outcome"),
        lambda two: two.items.append(two.owned("order", "O") | {"sk": "O#0000000000000001"}),
        lambda two: two.items.append(two.owned("order", "O") | {"pk": f"U#{two.item('reversed')['owner']}"}),
    ),
    (Field.OUTCOME, Side.THEIRS): (
        lambda two: two.owned("booking", "S").pop("captured"),
        lambda two: put(two.owned("booking", "S"), "captured", two.refs["order"]),
        lambda two: drop(two, two.owned("booking", "S")),
        lambda two: two.item("booking").update(status="refund_due"),
        lambda two: two.item("booking").update(status="needs_review"),
    ),
    (Field.TOTAL, Side.OURS): (
        lambda two: put(two.owned("order", "O"), "amount", 34900),
        lambda two: put(two.owned("cancelled booking", "B"), "amount", 50999),
    ),
    (Field.TOTAL, Side.THEIRS): (lambda two: _both(two, "booking", 50999),),
    (Field.SESSION, Side.OURS): (lambda two: put(two.owned("order", "S"), "amount", 34900),),
    (Field.SESSION, Side.THEIRS): (lambda two: _both(two, "booking", 50999),),
    (Field.SNAPSHOT, Side.OURS): (
        lambda two: put(two.owned("order", "S")["snapshot"], "delivery_fee", 0),
        lambda two: put(two.owned("booking", "S")["snapshot"], "discount", 1),
    ),
    (Field.SNAPSHOT, Side.THEIRS): (lambda two: _both(two, "order", 34900),),
    (Field.REFUNDABLE, Side.OURS): (
        lambda two: put(two.item("goodwill"), "refundable", 51000),
        lambda two: two.item("booking").pop("refundable"),
    ),
    (Field.REFUNDABLE, Side.THEIRS): (lambda two: drop(two, two.item("under way", "R#001")),),
    (Field.OWED, Side.OURS): (
        _owed_less,
        lambda two: put(two.item("by hand", "R#001"), "amount", 9999),
        lambda two: put(two.item("cancelled order", "R#001"), "amount", 34900),
        lambda two: put(two.owned("booking", "B"), "status", "CANCELLED"),
        lambda two: put(two.owned("order", "O"), "status", "cancelled"),
    ),
    (Field.OWED, Side.THEIRS): (
        lambda two: put(two.owned("cancelled booking", "B"), "refund", 1),
        lambda two: _both(two, "under way", 10001),
    ),
}
"""What is made wrong about each field, on each side; about what is compared within the shop's books, theirs is what is paid."""


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("what", Field)
def test_a_wrong_value_of_any_field_on_either_side_is_a_difference(everything: Two, what: Field, side: Side) -> None:
    for number, mutate in enumerate(MUTATIONS[what, side]):
        two = copy.deepcopy(everything)
        mutate(two)
        assert what in {difference.field for difference in two.differences()}, f"mutation {number}"


def test_a_difference_says_which_payment_what_each_side_says_and_what_to_do(two: Two) -> None:
    two.returned("refunded")

    assert [str(difference) for difference in two.differences()] == [
        f"phonepe {two.refs['refunded']}, refunded: ours 100.00 INR in 1 refund, theirs 0.00 INR in 0 refunds. Look in the "
        "gateway's portal what went back. Too little: pay it back there. Too much: ask for it back."
    ]


def test_every_sentence_names_the_side_that_it_speaks_of() -> None:
    sentences = {what: str(Difference("mpesa", "MT1", what, "a", "b")) for what in Field}

    assert {what for what, said in sentences.items() if "expected b" in said} == WITHIN


# One refund, on either side


REFUNDED: Final = ("reversed", "refunded", "cancelled booking", "cancelled order", "goodwill")


@pytest.mark.parametrize("wrong", REFUND_WRONGS)
@pytest.mark.parametrize("which", REFUNDED)
def test_one_refund_that_is_dropped_doubled_or_halved_is_a_difference(two: Two, wrong: str, which: str) -> None:
    REFUND_WRONGS[wrong](two, which)

    found = two.differences()
    assert {difference.attempt for difference in found} == {two.refs[which]}
    assert Field.REFUNDED in {difference.field for difference in found}


# By hand, in the gateway's portal


def test_a_refund_made_by_hand_in_the_portal_is_the_one_on_the_statement(two: Two) -> None:
    back = Returned("mpesa", two.refs["by hand"], "TC20000003", 10000, "KES", frozenset({"TC20000003"}))
    ledger = replace(two.ledger, refunds=(*two.ledger.refunds, back), with_portal=True)

    assert compare(ledger, two.items).differences == []
    assert f"mpesa {two.refs['by hand']}: paid by hand, 100.00 KES" in map(str, compare(ledger, two.items).open)


def test_a_refund_that_was_taken_and_paid_by_hand_as_well_is_a_difference_unless_it_was_named(two: Two) -> None:
    back = Returned("mpesa", two.refs["by hand"], "TC20000003", 10000, "KES", frozenset({"TC20000003"}))
    ledger = replace(two.ledger, refunds=(*two.ledger.refunds, back), with_portal=True)
    refund = two.item("by hand", "R#001")
    refund["conversation"] = "AG_20260302_1"

    (difference,) = compare(ledger, two.items).differences
    assert (difference.field, difference.ours) == (Field.REFUNDED, "0.00 KES in 0 refunds, and 100.00 KES by hand")
    refund["detail"] = "the portal shows it: TC20000003."
    assert compare(ledger, two.items).differences == []
