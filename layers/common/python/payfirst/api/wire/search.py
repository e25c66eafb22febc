"""What a search of the shop's own people finds."""

from __future__ import annotations

from payfirst.api.wire.fields import Out
from payfirst.domain.clock import instant
from payfirst.usecases.operators.search import Found, Search


class FoundOut(Out):
    """One payment: an `order`, a `booking`, or still a `session`, and how that stands; `refund` is what goes or went back,
    of all its refunds, `refund_status` how the latest of them stands.

    `id` is what `GET /api/operators/payments/{which}/` and `payfirst show` take; `show` is the first, ready to ask.
    """

    kind: str
    id: str
    status: str
    amount: str
    currency: str
    created_at: str
    customer: str
    refund: str | None
    refund_status: str | None
    show: str

    @classmethod
    def of(cls, found: Found) -> FoundOut:
        return cls(
            kind=found.kind,
            id=found.code,
            status=found.status,
            amount=str(found.amount),
            currency=found.amount.currency,
            created_at=instant(found.at),
            customer=found.customer,
            refund=str(found.refund.total or found.refund.amount) if found.refund else None,
            refund_status=found.refund.status if found.refund else None,
            show=f"/api/operators/payments/{found.code}/",
        )


class SearchOut(Out):
    """What `q` was taken for (`code`, `receipt`, `phone`, `last_digits`, `email`), and the payments, newest first.

    `before` leads to the older ones, with the same `q`; null where there are none.
    """

    what: str
    found: list[FoundOut]
    before: int | None

    @classmethod
    def of(cls, search: Search) -> SearchOut:
        return cls(what=search.what, found=[FoundOut.of(each) for each in search.found], before=search.before)
