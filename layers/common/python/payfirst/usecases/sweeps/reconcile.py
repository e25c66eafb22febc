"""Runs over what is due, by the clock and by the queue: each entry goes as far as it can now, and none stops the others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
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
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import batch_get, get
from payfirst.storage.items import attempt_from_item
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.settlement.check_status import check_status, needs_its_gateway
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.take_notice import settle_stored
from payfirst.usecases.sweeps.retry_later import ends_the_run, forget_failures, is_passing, retry_later
from payfirst.usecases.sweeps.turns import apart
from payfirst.usecases.sweeps.workers import Crew, Lane, Lanes, Sweep, Task

SPARE_S: Final = 10.0
"""A run takes up nothing more when less than this is left of its function's time."""

AWAY_AT_MOST: Final = 3
"""A run ends when so many entries in a row, and as many as were at work at the same time, met what all others would meet too:
the table does not answer, or its rights are wrong."""

NOTICE_AFTER_CHECK: Final = timedelta(minutes=1)

ALONE: Final = Crew()


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
    _away: int = 0
    _at_work: int = 0
    _most_at_work: int = 0
    _over: bool = False
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.context = replace(self.context, gateway=self.breaker.guarding(self.context.gateway))

    @property
    def goes_on(self) -> bool:
        """Whether there is time for one more entry, and a table."""
        return self.context.deadline.remaining() >= SPARE_S and not self._over

    def sort(self, entries: Sequence[Entry]) -> list[Task]:
        """`entries` with the lanes that they wait in. Those of a gateway that cannot be asked are passed over."""
        try:
            items = batch_get(self.context.table, [entry.key for entry in entries])
            told_of = self._told_of(items)
        except Exception:  # noqa: BLE001 - whichever it is that cannot be read, each finds out for itself
            return [Task(entry) for entry in entries]
        tasks = []
        for entry, item in zip(entries, items, strict=True):
            try:
                lane = self._lane(item, told_of)
            except Exception:  # noqa: BLE001 - likewise
                tasks.append(Task(entry))
                continue
            if self._waits_in_vain(lane):
                self._count(examined=1, passed_over=1)
            else:
                tasks.append(Task(entry, lane, item is not None and "tries" in item))
        return tasks

    def has_room(self, lane: Lane, calls: int, refunds: int) -> bool:
        """Whether its gateway takes one more call beside so many: of refunds one at a time, so that no more than one answer is
        lost when it falls silent. Where it cannot be asked any more there is room: nothing is asked."""
        if lane.gateway is None or self.breaker.is_open(lane.gateway, lane.about):
            return True
        return calls < self.breaker.at_once(lane.gateway) and not (lane.about is About.REFUNDS and refunds)

    def take_up(self, task: Task) -> None:
        """Take one entry as far as it goes now, and count what came of it. Never raises: the others must not wait for it."""
        with self._counting:
            self._at_work += 1
            self._most_at_work = max(self._most_at_work, self._at_work)
        try:
            self._take_up(task)
        finally:
            with self._counting:
                self._at_work -= 1

    def _take_up(self, task: Task) -> None:
        entry, table = task.entry, self.context.table
        try:
            lane, failed_before = task.lane, task.failed_before
            if lane is None:
                item = get(table, entry.key)
                lane, failed_before = self._lane(item, self._told_of([item])), item is not None and "tries" in item
            if not self._can_be_asked(lane):
                self._count(examined=1, passed_over=1)
                return
            became = settle_entry(self.context, entry.key, no_answer_after=self.no_answer_after)
            if failed_before:
                forget_failures(table, entry, self.context.now)
        except MisconfiguredError:
            self._count(examined=1, passed_over=1)  # an operator has been told, once in this run
        except Exception as error:  # noqa: BLE001 - told below; the others must not wait for it
            self._failed(entry, error)
        else:
            self._count(examined=1, became=became)

    def take_message(self, ref: str) -> None:
        """Look at the attempt that a message of the queue names, if a check is due. Raises what this attempt alone meets.

        Where it cannot be asked about or reached now no message is needed: it stays due, and a sweep asks.
        """
        try:
            if self._can_be_asked(self._lane(get(self.context.table, keys.attempt(ref)), {})):
                check_status(self.context, ref, no_answer_after=self.no_answer_after)
        except MisconfiguredError:
            self._count(passed_over=1)  # an operator has been told
        except Exception as error:
            if not is_passing(error):
                raise
            self._is_away(ref, error)

    def _told_of(self, items: Sequence[Item | None]) -> dict[str, Item]:
        """The attempts, by their references, that stored notices among `items` tell of; no request where there are none."""
        refs = {item["ref"] for item in items if item and keys.kind_of(item) == keys.NOTICE and "ref" in item}
        found = batch_get(self.context.table, list(map(keys.attempt, refs)))
        return {keys.ref_of(item): item for item in found if item is not None}

    def _lane(self, item: Item | None, told_of: Mapping[str, Item]) -> Lane:
        """Where this attempt, refund or notice waits; a notice waits for the gateway of the attempt that it tells of."""
        if item is None:
            return Lane()
        thing = due_index.named(item).thing
        if thing is due_index.Thing.NOTICE:
            attempt = told_of.get(item["ref"])
            return Lane(attempt["gateway"], is_notice=True) if attempt is not None else Lane()
        about = About.REFUNDS if thing is due_index.Thing.REFUND else About.PAYMENTS
        if about is About.PAYMENTS and not needs_its_gateway(attempt_from_item(item)):
            return Lane()
        return Lane(item["gateway"], about, item.get("kind", ""))

    def _waits_in_vain(self, lane: Lane) -> bool:
        """Whether the gateway that is waited for cannot be asked any more in this run; a notice may need nobody's word."""
        return lane.gateway is not None and not lane.is_notice and self.breaker.is_open(lane.gateway, lane.about)

    def _can_be_asked(self, lane: Lane) -> bool:
        """Whether the gateway that is waited for can be asked in this run; nothing is begun without it."""
        if self._waits_in_vain(lane):
            return False
        if lane.gateway is not None and not lane.is_notice:
            self.context.gateway(lane.gateway)
        return True

    def _count(self, *, examined: int = 0, passed_over: int = 0, became: str | None = None) -> None:
        with self._counting:
            self.examined += examined
            self.passed_over += passed_over
            if became is not None:
                self.counts[became] += 1
                self._away, self._most_at_work = 0, self._at_work

    def _failed(self, entry: Entry, error: Exception) -> None:
        passing = is_passing(error)
        if passing:
            self._is_away(entry.name, error)
        else:
            alarm("reconcile.failed", item=entry.name)
        dead = not passing and retry_later(self.context.table, entry, self.context.now)
        with self._counting:
            self.examined += 1
            self.failed += 1
            self.dead_letters += dead

    def _is_away(self, item: str, error: Exception) -> None:
        """What says nothing about the entry: it stays due as it is."""
        with self._counting:
            self._away += ends_the_run(error)
            self._over = self._over or self._away >= max(AWAY_AT_MOST, self._most_at_work)
        (warn if isinstance(error, TemporaryError) else alarm)("reconcile.away", item=item, error=type(error).__name__)


def reconcile(context: NoticeContext, *, no_answer_after: timedelta, crew: Crew = ALONE) -> ReconcileReport:
    """Settle everything that fell due and that no notice or message has settled.

    Status checks, refunds, stored notices and dead letters take turns, and so do gateways and kinds of sessions, so that none
    of them waits for the others to be done; `crew` does as many at once as their gateways take. One failing item never stops
    the others, nor does a gateway that cannot be asked: what waits for it stays as it is, due. A table that does not answer
    several times in a row ends the run.
    """
    table, now = context.table, context.now
    run = Run(context, no_answer_after, CircuitBreaker(context.deadline, crew.clock, crew.pause))
    # Each minute another shard is the first, so that none is always the one that the time does not suffice for.
    turn = int(now.timestamp()) // 60
    due_now = {what: due.backlog(table, what, now, first=turn) for what in (due_index.REFUND, due_index.SETTLE)}
    stored, checks = apart(due_now[due_index.SETTLE].entries, lambda entry: entry.named.thing is due_index.Thing.NOTICE)
    dead = chain.from_iterable(due.dead_letters_due(table, what, now) for what in due_now)
    found = (entry for entry in due.in_turns(checks, due_now[due_index.REFUND].entries, stored, dead) if entry is not None)
    finished = Sweep(found, run.sort, run.take_up, lambda: run.goes_on, Lanes(run.has_room), crew).run()
    ages = {str(what): backlog.oldest_s for what, backlog in due_now.items()}
    return ReconcileReport(
        run.examined, dict(run.counts), run.failed, run.dead_letters, run.passed_over, max(ages.values()), finished, ages
    )


def settle_entry(context: NoticeContext, key: keys.Key, *, no_answer_after: timedelta) -> str:
    """Take what stands at `key` (an attempt, a stored notice or a refund) as far as it goes now."""
    there = due_index.named(key)
    if there.thing is due_index.Thing.NOTICE or there.ref is None:
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
            due.again(context.table, notice, due_index.SETTLE, after)
    return settled
