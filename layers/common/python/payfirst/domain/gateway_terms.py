"""What a gateway declares of itself. Rules read this, and never a gateway's name or a currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from payfirst.domain.money import Currency, Money


@dataclass(frozen=True, slots=True)
class GatewayTerms:
    """What one gateway takes, how it is asked, and how it pays back.

    `name` is the word that the API shows and the table stores (`MPESA`), `label` what people read (`M-Pesa`). A payment or a
    refund is at least `least` minor units, at most `most` if there is a limit, and a multiple of `step`; `collects` and
    `pays_back` say that as sentences. `check_schedule` is when its status is checked, in seconds after the push. The payer is
    prompted on a phone (`prompts_phone`) or sent to a page, which has to live for `shortest_page`. A payment is asked about
    by the id that the gateway gave it (`asked_by_its_id`), without which it cannot be asked about, or by our own reference.
    It knows a refund by our own reference too (`knows_refunds`) and answers at once what became of it; else a refund names
    the payment's receipt, results come as notices, and none whose answer was lost can be asked about. It proves its notices
    by a header (`signs_notices`), or by the word in the address that was given with the push. Its receipts are in capitals and
    without blanks, however a person types one. What waits for its word is asked with at most `at_once` calls at the same time,
    of which `per_second` begin in a second.
    """

    name: str
    label: str
    currencies: frozenset[Currency]
    least: int
    most: int | None
    step: int
    collects: str
    pays_back: str
    check_schedule: tuple[int, ...]
    prompts_phone: bool
    asked_by_its_id: bool
    knows_refunds: bool
    signs_notices: bool
    at_once: int
    per_second: int
    shortest_page: timedelta = timedelta(0)

    def receipt(self, typed: str) -> str:
        """The receipt that a person means who `typed` it, as the gateway itself writes it."""
        return "".join(typed.split()).upper()

    def rounding(self, total: Money) -> Money:
        """What to add so that `total` can be collected: always rounded up."""
        return Money(-total.minor % self.step, total.currency)

    def takes(self, amount: Money) -> bool:
        """Whether it can collect, and pay back, exactly `amount`."""
        within = self.least <= amount.minor and (self.most is None or amount.minor <= self.most)
        return amount.currency in self.currencies and within and amount.minor % self.step == 0

    def why_not_paid_back(self, amount: Money) -> str | None:
        """Why it cannot pay back exactly `amount`, so that a person has to; None where it can."""
        return None if self.takes(amount) else f"{self.pays_back}, not {amount}"

    def next_check(self, created_at: datetime, check: int, now: datetime) -> tuple[int, datetime] | None:
        """The first status check from the `check`th on that lies after `now`: (its number, its instant); None after the last.

        Those that passed while nobody asked are skipped: one answer does for all of them.
        """
        return next_in(self.check_schedule, created_at, check, now)


def next_in(schedule: tuple[int, ...], start: datetime, check: int, now: datetime) -> tuple[int, datetime] | None:
    """The first of `schedule` (seconds after `start`) from the `check`th on that lies after `now`; None after the last."""
    for number, seconds in enumerate(schedule[check:], start=check):
        moment = start + timedelta(seconds=seconds)
        if moment > now:
            return number, moment
    return None
