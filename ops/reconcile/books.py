"""What two ledgers say of each payment: the gateways' own and the shop's, and where they differ.

`ops.reconcile.comparison.compare` joins them. Amounts are minor units, texts for people are major units with their currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

NOTHING: Final = "nothing"


class Became(StrEnum):
    """What the shop made of a collected amount."""

    BOOKING = "booking"
    ORDER = "order"
    REFUND = "refund"
    REVIEW = "review"
    STATUS_CHECK = "status check"
    NOTHING = "nothing"


class Field(StrEnum):
    """What is compared of each payment. A new one needs its advice below and a mutation of the books that it notices."""

    PAYMENT = "payment"
    GATEWAY = "gateway"
    CAPTURES = "captures"
    CAPTURED = "captured"
    CURRENCY = "currency"
    RECEIPT = "receipt"
    REFUNDED = "refunded"
    REFUNDS = "refunds"
    OUTCOME = "outcome"
    TOTAL = "total"
    SESSION = "session's amount"
    SNAPSHOT = "snapshot's total"
    REFUNDABLE = "left to refund"
    OWED = "refund that is owed"


ADVICE: Final[Mapping[Field, str]] = {
    Field.PAYMENT: "Look at it with `payfirst show` and in the gateway's portal; `payfirst replay` asks the gateway again.",
    Field.GATEWAY: "Look in that gateway's portal whose payment it is.",
    Field.CAPTURES: "One attempt may collect once: give the other payment back in the gateway's portal.",
    Field.CAPTURED: "Look at the payment in the gateway's portal, and give back or ask for what is too much or missing.",
    Field.CURRENCY: "Look in the gateway's portal in which currency money moved.",
    Field.RECEIPT: "Look for both receipts in the gateway's portal: one of them may be another payment's.",
    Field.REFUNDED: "Look in the gateway's portal what went back. Too little: pay it back there. Too much: ask for it back.",
    Field.REFUNDS: "Look in the gateway's portal how often money went back.",
    Field.OUTCOME: "Look at it with `payfirst show`: money has to be one booking, one order or one refund.",
    Field.TOTAL: "Look at it with `payfirst show`: what is booked or ordered is not what was paid.",
    Field.SESSION: "Look at it with `payfirst show`: what the session asked for is not what was paid.",
    Field.SNAPSHOT: "Look at it with `payfirst show`: what the session froze is not what was paid.",
    Field.REFUNDABLE: "Look at it with `payfirst show`: a refund is missing, or there is one too many.",
    Field.OWED: "Look at it with `payfirst show`; what is missing goes back with `payfirst refund`.",
}
"""What a person does about a difference."""

WITHIN: Final = frozenset(
    {Field.OUTCOME, Field.TOTAL, Field.SESSION, Field.SNAPSHOT, Field.REFUNDABLE, Field.OWED},
)
"""What has to be equal within the shop's own books."""


@dataclass(frozen=True, slots=True)
class Capture:
    """An amount that a gateway has collected; `ref` is our attempt's where it is known, `shown` may stand in a log.

    `receipts` are the names that the gateway gives the payment; none where it states none that we are told as well.
    """

    gateway: str
    ref: str | None
    shown: str
    amount: int
    currency: str
    receipts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Returned:
    """An amount that a gateway has paid back; `ref` is the attempt's, `names` are those that the gateway gives the refund."""

    gateway: str
    ref: str | None
    shown: str
    amount: int
    currency: str
    names: frozenset[str] = frozenset()


Lists = Callable[[str, datetime | None, datetime | None], bool]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The gateways' own books.

    `lists` says whether they have to list what happened at a gateway between two instants; the simulators' list everything.
    `with_portal` says that they list as well what a person paid back in a gateway's portal.
    """

    captures: tuple[Capture, ...]
    refunds: tuple[Returned, ...] = ()
    lists: Lists = lambda *_: True
    with_portal: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not equal about one payment. `theirs` is what the gateway's ledger says, or what the shop's own has to say."""

    gateway: str
    attempt: str
    field: Field
    ours: str
    theirs: str

    def __str__(self) -> str:
        other = "expected" if self.field in WITHIN else "theirs"
        return f"{self.gateway} {self.attempt}, {self.field}: ours {self.ours}, {other} {self.theirs}. {ADVICE[self.field]}"


@dataclass(frozen=True, slots=True)
class Open:
    """Money that is rightly on its way, before a person, or paid by hand: no difference, and not equal by itself either."""

    gateway: str
    attempt: str
    what: str
    amount: str

    def __str__(self) -> str:
        return f"{self.gateway} {self.attempt}: {self.what}, {self.amount}"


@dataclass(frozen=True, slots=True)
class Line:
    """One payment: what was collected for it, what it became, and each amount that its gateway has paid back.

    `outside` where the gateways' ledger neither lists anything of it nor has to: then nothing was compared with it.
    """

    gateway: str
    attempt: str
    amount: int
    currency: str
    became: Became
    returned: tuple[int, ...] = ()
    differences: tuple[Difference, ...] = ()
    open: tuple[Open, ...] = ()
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Books:
    """Every payment that either side has money of, and what the shop gave without any money."""

    lines: tuple[Line, ...]
    without_money: tuple[Difference, ...] = ()

    @property
    def compared(self) -> list[Line]:
        """Every payment that the gateways' ledger lists, or has to list."""
        return [line for line in self.lines if not line.outside]

    @property
    def differences(self) -> list[Difference]:
        """Every difference; empty if both ledgers are equal."""
        return [*(difference for line in self.lines for difference in line.differences), *self.without_money]

    @property
    def open(self) -> list[Open]:
        """Everything that is not at its end, or that no gateway will ever see."""
        return [entry for line in self.lines for entry in line.open]


def spelled(minor: int, currency: str) -> str:
    """`999.00 INR`; a currency that the shop does not know is shown as well."""
    return f"{_major(minor)} {currency}"


def counted(amounts: Iterable[int], currency: str) -> str:
    """`999.00 INR in 1 refund`, and which they are where there are several."""
    each = sorted(amounts)
    parts = f" ({' + '.join(map(_major, each))})" if len(each) > 1 else ""
    return f"{spelled(sum(each), currency)} in {len(each)} refund{'' if len(each) == 1 else 's'}{parts}"


def _major(minor: int) -> str:
    return f"{Decimal(minor).scaleb(-2):.2f}"
