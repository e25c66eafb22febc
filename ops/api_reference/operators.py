"""The words of the operators' routes about payments: what waits for a person, what goes back, and what the shop came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from ops.api_reference import samples
from ops.api_reference.operation import PAGING, Body, Operation, one
from payfirst.api.wire.funnel import FunnelOut
from payfirst.api.wire.operators import (
    CloseIn,
    GivenBackOut,
    RefundIn,
    RefundPaidIn,
    ReplayIn,
    ResolvedOut,
    ResolveIn,
    StoryOut,
    StuckOut,
    TakenUpOut,
)
from payfirst.api.wire.search import SearchOut
from payfirst.api.wire.totals import TotalsOut
from payfirst.domain.money import Currency
from payfirst.domain.moves import RefundStatus, SessionStatus
from payfirst.domain.refund import Refund
from payfirst.domain.totals import Column, Totals, together
from payfirst.storage.dynamodb import due_index, keys
from payfirst.usecases.operators.funnel import Funnel, Stage
from payfirst.usecases.operators.review import Notice, Story
from payfirst.usecases.operators.search import Found, Search
from payfirst.usecases.operators.totals import Report
from payfirst.usecases.operators.waiting import Stuck, StuckPage

OPERATORS: Final = "Operators"
DAY: Final = date(2024, 1, 15)
ONLY: Final = "For the group `operators`; to everybody else this route does not exist."
ACT: Final = f"{ONLY} Recorded with who and why."
_REF: Final = samples.SETTLED.ref
_REFUND: Final = Refund(
    ref=_REF,
    number=1,
    owner=samples.CUSTOMER.sub,
    session_number=samples.SESSION.number,
    gateway="MPESA",
    amount=samples.SESSION.amount,
    status=RefundStatus.DUE,
    reason="operator",
    created_at=samples.NOW + timedelta(hours=1),
)
_FOUND: Final = Found(
    "order", "ORD-20240115-001", "packed", samples.SESSION.amount, samples.SESSION.created_at, samples.CUSTOMER.sub
)
_STORY: Final = Story(samples.ORDERED, (samples.SETTLED,), (), samples.EVENTS)
_NOTICED: Final = Notice(
    _REF, samples.NOW, samples.NOW, 40, '{\n "Amount": "350",\n "PhoneNumber": "\N{HORIZONTAL ELLIPSIS}678"\n}'
)
_STUCK: Final = StuckPage(
    (Stuck("needs review", _REF, due_index.named(keys.attempt(_REF)), samples.NOW),),
    due_index.text_of_place(
        {**keys.attempt(_REF), **due_index.place(due_index.partition(due_index.REVIEW, 3), samples.NOW)},
    ),
)
_FUNNEL: Final = Funnel(
    samples.NOW - timedelta(hours=24),
    samples.NOW,
    {Stage.CREATED: 40, Stage.INITIATED: 36, Stage.PAID: 32, Stage.FULFILLED: 32, Stage.EXPIRED: 4},
    {**dict.fromkeys(SessionStatus, 0), SessionStatus.ORDER_CREATED: 32, SessionStatus.FAILED: 4, SessionStatus.EXPIRED: 4},
)
_MONEY: Final = (
    Totals(DAY, "MPESA", Currency.KES, dict(zip(Column, (1234500, 35000, 10000, 0), strict=True))),
    Totals(DAY, "PHONEPE", Currency.INR, dict(zip(Column, (899100, 0, 0, 99900), strict=True))),
)
_NOTICE: Final = f"INBOX#{'0' * 64}"
_BY_HAND: Final = replace(_REFUND, status=RefundStatus.REFUNDED, detail="paid back from the till, receipt NLJ9XK2QWE")

OPERATIONS: Final[Mapping[str, Operation]] = {
    "operators_stuck": Operation(
        OPERATORS,
        "List what waits for a person",
        {200: {"more follow": StuckOut.of(_STUCK), "the last of them": StuckOut.of(replace(_STUCK, next=None))}},
        query={
            "list": "`review` (what a person decides) or `overdue` (what sweeps have left lying); both if absent.",
            "after": "Where the list goes on: the `next` of the answer before.",
        },
        description=f"Cases that no rule can settle, then work that sweeps should have done two minutes ago. {ONLY}",
    ),
    "operators_payment": Operation(
        OPERATORS,
        "Show one payment's whole story",
        {200: {"its notices too": StoryOut.of(_STORY, ((_NOTICED,), False)), "without them": StoryOut.of(_STORY)}},
        codes=("NOT_FOUND",),
        query={
            "customer": "Whose it is, for a session's number or UUID; the public codes need none.",
            "notices": "true: what its gateway sent about these attempts as well, without what says who paid: at most 50 "
            "notices of each, in no order of time where there are more. What earlier releases stored is not among them, nor "
            "are notices of refunds.",
        },
        description="By MT…, TXN…, BK-…, ORD-… or R…, or by a session's number with its customer. Its latest attempt, the one "
        f"that has the money, and the one that was asked for. {ONLY}",
    ),
    "operators_resolve": Operation(
        OPERATORS,
        "Say what a payment under review turned out to be",
        one(200, ResolvedOut(attempt=_REF, result="fulfilled", doubts_closed=0)),
        Body(ResolveIn, {"found": "paid", "receipt": "NLJ7RT61SV", "why": "it is on the statement of 15 January"}),
        ("NOT_FOUND", "NOT_UNDER_REVIEW", "ALREADY_CAPTURED", "NOT_FULFILLABLE"),
        description="The payment then goes on by itself. Doubts beside it are closed with it; without `found` only they are. "
        "Money that is here already, of which nothing could be made, is tried once more by `paid`; it goes back by a refund. "
        f"What is refused changes nothing. {ACT}",
    ),
    "operators_refund": Operation(
        OPERATORS,
        "Give a payment back, in full or in part",
        one(200, GivenBackOut.of(_REFUND)),
        Body(RefundIn, {"amount": "100.00", "why": "two tomatoes were green"}),
        ("NOT_FOUND", "REFUND_IN_PROGRESS", "NOT_REFUNDABLE"),
        description="The next sweep sends it. M-Pesa pays back whole shillings, PhonePe 1.00 rupee and more. "
        f"Its order or booking stays as it is; a payment of which nothing could be made goes back as a whole. {ACT}",
    ),
    "operators_refund_paid": Operation(
        OPERATORS,
        "Record that a refund was paid back by hand",
        one(200, GivenBackOut.of(_BY_HAND)),
        Body(RefundPaidIn, {"why": "paid back from the till, receipt NLJ9XK2QWE"}),
        ("NOT_FOUND", "NOT_UNDER_REVIEW"),
        description="One that its gateway had paid back stays as it is: `detail` says that the money may have gone back twice, "
        f"and the payment comes on the list. {ACT}",
    ),
    "operators_replay": Operation(
        OPERATORS,
        "Take something that waits up again",
        one(200, TakenUpOut(which=_REF, result="due for the next sweep")),
        Body(ReplayIn, {"which": _REF}),
        ("NOT_FOUND", "NEEDS_DECISION"),
        description="It is due for the next sweep; money of which nothing could be made is tried at once. "
        f"By the `key` of what waits. {ONLY}",
    ),
    "operators_close": Operation(
        OPERATORS,
        "Close a notice, an event or an e-mail that is on the list",
        one(200, TakenUpOut(which=_NOTICE, result="closed")),
        Body(CloseIn, {"which": _NOTICE, "why": "its address does not exist"}),
        ("NOT_FOUND", "NEEDS_DECISION", "NOT_UNDER_REVIEW"),
        description=f"Nobody tries it any more. By the `key` of what waits. {ACT}",
    ),
    "operators_search": Operation(
        OPERATORS,
        "Find payments by what a customer has at hand",
        one(200, SearchOut.of(Search("phone", (_FOUND,), before=samples.SESSION.number))),
        codes=("TOO_MANY_REQUESTS",),
        query={
            "q": "A receipt, TXN…, MT…, ORD-…, BK-…, R…, an e-mail address, a phone number or its last four digits.",
            "before": "The `before` of the page before, for older ones.",
            "page_size": PAGING["page_size"],
        },
        description="A payment is found by phone and address from the moment it is begun. Each search is recorded with who "
        f"made it, and nobody makes more than 120 in an hour. {ONLY}",
    ),
    "operators_funnel": Operation(
        OPERATORS,
        "Show how far sessions came",
        one(200, FunnelOut.of(_FUNNEL)),
        query={"since": "How far back, to the minute: 90m, 24h (if absent), 7d; 31d at most.", "kind": "order or booking."},
        description=f"From counters: its cost depends on the time that is asked for, and not on how much was sold. {ONLY}",
    ),
    "operators_totals": Operation(
        OPERATORS,
        "Show the money of some days",
        one(200, TotalsOut.of(DAY, DAY, Report(_MONEY, together(_MONEY)))),
        query={
            "day": "A day in Nairobi, YYYY-MM-DD; today if absent.",
            "from": "The first day of several, 31 at most; `to` if absent.",
            "to": "The last day; `from` if absent.",
        },
        description="By gateway and currency, from counters that move in the writes that move the money: all days together are "
        f"what `payfirst reconcile` finds. The cost depends on the number of days alone. {ONLY}",
    ),
}
