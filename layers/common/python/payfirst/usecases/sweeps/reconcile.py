"""Runs over what is due, by the clock and by the queue: each entry goes as far as it can now, and none stops the others."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain
from typing import Final

from payfirst.domain.errors import MisconfiguredError, TemporaryError
from payfirst.gateways.circuit_breaker import About, CircuitBreaker
from payfirst.observability import alarm, warn
from payfirst.storage import attempts, due
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import get
from payfirst.storage.items import attempt_from_item
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.settlement.check_status import check_status, needs_its_gateway
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.take_notice import settle_stored
from payfirst.usecases.sweeps.retry_later import forget_failures, is_passing, retry_later
from payfirst.usecases.sweeps.turns import apart, in_turns

SPARE_S: Final = 10.0
"""A run takes up nothing more when less than this is left of its function's time."""

AWAY_AT_MOST: Final = 3
"""A run ends when so many entries in a row could not be reached: the table does not answer, or its rights are wrong."""

NOTICE_AFTER_CHECK: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """One run: entries that the index suggested, how each ended, those that failed (of them dead letters from now on, which a
    person sees), those that were passed over because their gateway could not be asked, for how many seconds the oldest entry of
    all and of each kind had been due when the run began, whether it came to it or not, and whether it got to the end."""

    examined: int
    settled: dict[str, int]
    failed: int
    dead_letters: int
    passed_over: int
    oldest_due_s: int
    finished: bool
    oldest_due: dict[str, int]


@dataclass(slots=True)
class Run:
    """One run of the clock or one batch of the queue: a gateway that cannot be asked is not asked again in it."""

    context: NoticeContext
    no_answer_after: timedelta
    breaker: CircuitBreaker
    counts: Counter[str] = field(default_factory=Counter)
    examined: int = 0
    failed: int = 0
    dead_letters: int = 0
    passed_over: int = 0
    away: int = 0

    def __post_init__(self) -> None:
        self.context = replace(self.context, gateway=self.breaker.guarding(self.context.gateway))

    def take_up(self, entry: Entry) -> None:
        """Take one entry as far as it goes now, and count what came of it. Never raises: the others must not wait for it."""
        self.examined += 1
        table, now = self.context.table, self.context.now
        try:
            item = get(table, entry.key)
            if not self._can_be_asked(item):
                self.passed_over += 1
                return
            self.counts[settle_entry(self.context, entry.key, no_answer_after=self.no_answer_after)] += 1
        except MisconfiguredError:
            self.passed_over += 1  # an operator has been told, once in this run
        except Exception as error:  # noqa: BLE001 - told below; the others must not wait for it
            self._failed(entry, error)
        else:
            self.away = 0
            if item is not None and "tries" in item:
                forget_failures(table, entry, now)

    def take_message(self, ref: str) -> None:
        """Look at the attempt that a message of the queue names, if a check is due. Raises what this attempt alone meets.

        Where it cannot be asked about or reached now no message is needed: it stays due, and a sweep asks.
        """
        try:
            if self._can_be_asked(get(self.context.table, keys.attempt(ref))):
                check_status(self.context, ref, no_answer_after=self.no_answer_after)
        except MisconfiguredError:
            self.passed_over += 1  # an operator has been told
        except Exception as error:
            if not is_passing(error):
                raise
            self._is_away(ref, error)

    def _can_be_asked(self, item: Item | None) -> bool:
        """Whether the gateway that this attempt or refund waits for can be asked in this run; nothing is begun without it.

        A notice may need nobody's word to be settled.
        """
        thing = keys.named(item).thing if item else keys.Thing.NOTICE
        if item is None or thing is keys.Thing.NOTICE:
            return True
        about = About.REFUNDS if thing is keys.Thing.REFUND else About.PAYMENTS
        if about is About.PAYMENTS and not needs_its_gateway(attempt_from_item(item)):
            return True
        if self.breaker.is_open(item["gateway"], about):
            return False
        self.context.gateway(item["gateway"])
        return True

    def _failed(self, entry: Entry, error: Exception) -> None:
        self.failed += 1
        if not is_passing(error):
            alarm("reconcile.failed", item=entry.name)
            self.dead_letters += retry_later(self.context.table, entry, self.context.now)
            return
        self._is_away(entry.name, error)

    def _is_away(self, item: str, error: Exception) -> None:
        """What says nothing about the entry: it stays due as it is."""
        self.away += 1
        (warn if isinstance(error, TemporaryError) else alarm)("reconcile.away", item=item, error=type(error).__name__)


def reconcile(context: NoticeContext, *, no_answer_after: timedelta) -> ReconcileReport:
    """Settle everything that fell due and that no notice or message has settled.

    Status checks, refunds, stored notices and dead letters take turns, so that none of them waits for the others to be done.
    One failing item never stops the others, nor does a gateway that cannot be asked: what waits for it stays as it is, due. A
    table that does not answer several times in a row ends the run.
    """
    table, now = context.table, context.now
    run = Run(context, no_answer_after, CircuitBreaker(context.deadline))
    # Each minute another shard is the first, so that none is always the one that the time does not suffice for.
    turn = int(now.timestamp()) // 60
    due_now = {what: due.backlog(table, what, now, first=turn) for what in (keys.REFUND, keys.SETTLE)}
    stored, checks = apart(due_now[keys.SETTLE].entries, lambda entry: entry.named.thing is keys.Thing.NOTICE)
    dead = chain.from_iterable(due.dead_letters_due(table, what, now) for what in due_now)
    finished = True
    for entry in in_turns(checks, due_now[keys.REFUND].entries, stored, dead):
        if context.deadline.remaining() < SPARE_S or run.away >= AWAY_AT_MOST:
            finished = False
            break
        run.take_up(entry)
    ages = {str(what): found.oldest_s for what, found in due_now.items()}
    return ReconcileReport(
        run.examined, dict(run.counts), run.failed, run.dead_letters, run.passed_over, max(ages.values()), finished, ages
    )


def settle_entry(context: NoticeContext, key: keys.Key, *, no_answer_after: timedelta) -> str:
    """Take what stands at `key` (an attempt, a stored notice or a refund) as far as it goes now."""
    there = keys.named(key)
    if there.thing is keys.Thing.NOTICE or there.ref is None:
        return _settle_notice(context, key)
    if there.number is not None:
        return f"refund_{pursue(context, there.ref, there.number)}"
    return check_status(context, there.ref, no_answer_after=no_answer_after)


def _settle_notice(context: NoticeContext, key: keys.Key) -> Settled:
    notice = get(context.table, key)
    if notice is None or "settled_at" in notice:
        return Settled.NOTHING_TO_DO
    attempt = attempts.read(context.table, notice["ref"])
    if attempt is None:
        raise LookupError("a stored notice names an attempt that is not there")
    settled = settle_stored(context, key, notice["route"], attempt, bytes(notice["raw"]))
    if settled is Settled.PENDING:
        # The attempt's own schedule asks now; the notice comes after its next check, so that it keeps the gateway's pace too.
        after = max(attempt.next_check_at or context.now, context.now) + NOTICE_AFTER_CHECK
        with suppress(ConditionFailedError):  # it has moved on meanwhile
            due.again(context.table, notice, keys.SETTLE, after)
    return settled
