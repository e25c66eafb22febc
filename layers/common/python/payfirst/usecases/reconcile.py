"""Look at attempts that are due: ask their gateways at the pace each demands, and settle what the answers say."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from payfirst.domain.attempt import Attempt, next_check
from payfirst.domain.clock import read_instant
from payfirst.domain.moves import AttemptStatus
from payfirst.gateways.base import Absent, Captured, Declined, GatewayName, NoAnswer, Pending
from payfirst.observability import alarm, warn
from payfirst.storage import attempts, due, keys, looks
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.items import session_from_item
from payfirst.storage.queue import send
from payfirst.storage.table import Table, get
from payfirst.usecases.ask import ask
from payfirst.usecases.put_off import put_off
from payfirst.usecases.refund import pursue
from payfirst.usecases.settle import settle
from payfirst.usecases.settling import Disputed, Evidence, Settled
from payfirst.usecases.silence import Silence
from payfirst.usecases.take_notice import Desk, settle_stored

SPARE_S: Final = 10.0
"""A run takes up nothing more when less than this is left of its function's time."""

CALL_S: Final = 10.0
WRITES_S: Final = 5.0
"""What is kept back of the function's time for the writes after a gateway was asked."""

EARLY: Final = timedelta(seconds=1)
"""Messages come a little early now and then; a look within a second of its instant keeps the pace."""

PAID_AT_MOST: Final = timedelta(minutes=2)
"""Paid is no resting place: money that waits longer than two sweeps for its booking, order or refund is told to somebody."""

NOTICE_AFTER_LOOK: Final = timedelta(minutes=1)
AFTER_A_CRASH: Final = timedelta(minutes=5)

PUSH_TAKES: Final = timedelta(seconds=30)
"""Until then the function that claimed an attempt may still be asking its gateway: its time is over after 28 seconds."""

NOT_STARTED: Final = Declined(
    "no_answer", "The payment could not be started; nothing was charged. Please try again.", retryable=True
)
NOT_HEARD_OF: Final = Declined(
    "no_answer",
    "M-Pesa did not confirm this payment. Please look at your M-Pesa messages before you try again.",
    retryable=True,
)
"""A prompt may have reached the phone all the same; money that comes for it is honoured or sent back."""


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """One run: entries that the index suggested, how each ended, those that failed (of them parked for a person), those that
    were passed over because their gateway was silent, for how many seconds the oldest had been due, and whether it got to the
    end."""

    examined: int
    settled: dict[str, int]
    failed: int
    parked: int
    passed_over: int
    oldest_due_s: int
    finished: bool


def reconcile(desk: Desk, *, no_answer_after: timedelta) -> ReconcileReport:
    """Settle everything that fell due and that no notice or message has settled.

    One failing item never stops the others, nor does a gateway that is silent: what would be asked of it stays as it is, due.
    """
    examined = failed = parked = passed_over = oldest_s = 0
    counts: dict[str, int] = {}
    table, now = desk.settling.table, desk.settling.now
    silence = Silence(desk.deadline)
    desk = replace(desk, gateway=silence.noticing(desk.gateway))
    # Each minute another shard is the first, so that none is always the one that the time does not suffice for.
    turn = int(now.timestamp()) // 60
    finished = True
    for entry in chain(*(due.entries(table, what, now, first=turn) for what in (keys.SETTLE, keys.REFUND))):
        if desk.deadline.remaining() < SPARE_S:
            finished = False
            break
        examined += 1
        oldest_s = max(oldest_s, int((now - read_instant(entry["due_sk"])).total_seconds()))
        try:
            if silence.is_around() and _would_wait(table, entry, silence):
                passed_over += 1
                continue
            word = settle_entry(desk, entry, no_answer_after=no_answer_after)
        except Exception:  # noqa: BLE001 - the item is tried again later; the others must not wait for it
            alarm("reconcile.failed", item=entry["pk"])
            failed += 1
            parked += put_off(table, entry, now)
        else:
            counts[word] = counts.get(word, 0) + 1
    return ReconcileReport(examined, counts, failed, parked, passed_over, oldest_s, finished)


def _would_wait(table: Table, entry: Item, silence: Silence) -> bool:
    """Whether a silent gateway would be asked about this attempt or refund. A notice may need nobody's word to be settled."""
    if entry["sk"] == "INBOX":
        return False
    attempt = attempts.read(table, entry["pk"].removeprefix("ATT#"))
    if attempt is None or not silence.of(attempt.gateway):
        return False
    if entry["sk"].startswith("R#"):
        return True
    nameless = attempt.gateway == GatewayName.MPESA and attempt.gateway_id is None
    return attempt.status is not AttemptStatus.SUCCEEDED and not nameless


def settle_entry(desk: Desk, entry: Item, *, no_answer_after: timedelta) -> str:
    """Take one due item (an attempt, a stored notice or a refund, by its key) as far as it goes now."""
    if entry["sk"] == "INBOX":
        return _settle_notice(desk, entry)
    if entry["sk"].startswith("R#"):
        status = pursue(desk, entry["pk"].removeprefix("ATT#"), int(entry["sk"].removeprefix("R#")))
        return f"refund_{status}"
    return look(desk, entry["pk"].removeprefix("ATT#"), no_answer_after=no_answer_after)


def _settle_notice(desk: Desk, entry: Item) -> Settled:
    key = {"pk": entry["pk"], "sk": entry["sk"]}
    notice = get(desk.settling.table, key)
    if notice is None or "settled_at" in notice:
        return Settled.NOTHING_TO_DO
    attempt = attempts.read(desk.settling.table, notice["ref"])
    if attempt is None:
        raise LookupError("a stored notice names an attempt that is not there")
    settled = settle_stored(desk, key, notice["route"], attempt, bytes(notice["raw"]))
    if settled is Settled.PENDING:
        # The attempt's own ladder asks now; the notice comes after its next look, so that it keeps the gateway's pace too.
        after = max(attempt.next_check_at or desk.settling.now, desk.settling.now) + NOTICE_AFTER_LOOK
        with suppress(ConditionFailedError):  # it has moved on meanwhile
            due.again(desk.settling.table, entry, keys.SETTLE, after)
    return settled


def look(desk: Desk, ref: str, *, no_answer_after: timedelta) -> Settled:
    """Look at one attempt, if a look is due: ask its gateway, settle, and plan the look after this one."""
    work = desk.settling
    attempt = attempts.read(work.table, ref)
    if attempt is None or attempt.next_check_at is None:
        return Settled.NOTHING_TO_DO
    if attempt.status is AttemptStatus.SUCCEEDED:
        if work.now - attempt.next_check_at > PAID_AT_MOST:
            warn("payment.paid_for_long", ref=attempt.ref, gateway=attempt.gateway)
        return settle(work, attempt, None)
    if attempt.next_check_at > work.now + EARLY:
        return Settled.PENDING
    following = _following(attempt, work.now, no_answer_after)
    # Where the ladder ends here the attempt stays due all the same, until this look has brought it somewhere.
    planned = following or (attempt.check, work.now + AFTER_A_CRASH)
    try:
        looks.take_check(work.table, attempt, planned)
    except ConditionFailedError:
        return Settled.PENDING  # somebody else has just taken this look
    answer = _answer(desk, attempt)
    # An attempt that is given up while its gateway might still collect stays due in the write that gives it up.
    check = None if _is_final(answer) else planned
    settled = settle(work, attempt, _evidence(attempt, answer, work.now, no_answer_after), check=check)
    _plan(desk, attempt, answer, settled, following)
    return settled


def _following(attempt: Attempt, now: datetime, no_answer_after: timedelta) -> tuple[int, datetime] | None:
    """The look after this one. A push whose answer was lost is given up on time: a look for that comes between two rungs."""
    planned = next_check(attempt.gateway, attempt.created_at, attempt.check + 1, now)
    given_up_at = attempt.created_at + no_answer_after
    waits = attempt.gateway == GatewayName.MPESA and attempt.unresolved and not attempt.reached_gateway
    if planned is None or not waits or not now < given_up_at < planned[1]:
        return planned
    return planned[0] - 1, given_up_at


def _plan(desk: Desk, attempt: Attempt, answer: Evidence, settled: Settled, following: tuple[int, datetime] | None) -> None:
    """Plan the look after this one, unless this one was the last that is needed."""
    if settled in (Settled.FULFILLED, Settled.REFUND_DUE, Settled.NEEDS_REVIEW):
        return
    if _is_final(answer) and settled is not Settled.PENDING:
        if not attempt.unresolved:
            looks.look_again(desk.settling.table, attempt, None)
    elif following is None:
        _review(desk, attempt)
    else:
        _queue(desk, attempt, following[1])


def _is_final(answer: Evidence) -> bool:
    """Whether the gateway has collected nothing for this attempt and never will."""
    return isinstance(answer, Absent) or (isinstance(answer, Declined) and answer.final)


def _answer(desk: Desk, attempt: Attempt) -> Evidence:
    if attempt.gateway == GatewayName.MPESA and attempt.gateway_id is None:
        return NoAnswer("M-Pesa never told its name for this attempt")
    timeout_s = min(CALL_S, desk.deadline.remaining() - WRITES_S)
    answer = ask(desk.gateway(GatewayName(attempt.gateway)), attempt, now=desk.settling.now, timeout_s=timeout_s)
    return Pending() if isinstance(answer, Absent) and _may_be_on_its_way(attempt, desk.settling.now) else answer


def _evidence(attempt: Attempt, answer: Evidence, now: datetime, no_answer_after: timedelta) -> Evidence:
    """What the answer means for this attempt: one that the payer can no longer act on ends as `no_answer`."""
    if isinstance(answer, Captured | Declined | Disputed) or attempt.reached_gateway or not attempt.unresolved:
        return answer
    if attempt.gateway == GatewayName.MPESA:
        return NOT_HEARD_OF if now >= attempt.created_at + no_answer_after else answer
    return answer if isinstance(answer, NoAnswer) or _may_be_on_its_way(attempt, now) else NOT_STARTED


def _may_be_on_its_way(attempt: Attempt, now: datetime) -> bool:
    return not attempt.reached_gateway and now < attempt.created_at + PUSH_TAKES


def _review(desk: Desk, attempt: Attempt) -> None:
    session = get(desk.settling.table, keys.owned(attempt.owner, keys.SESSION, attempt.session_number))
    if session is None:
        raise LookupError(f"the session of {attempt.ref} is gone")
    reason = "its gateway gave no final answer in time"
    attempts.review(desk.settling.table, session_from_item(session), attempt, reason, desk.settling.now)
    warn("payment.needs_review", ref=attempt.ref, reason=reason)


def _queue(desk: Desk, attempt: Attempt, moment: datetime) -> None:
    try:
        send(desk.queue, attempt.ref, delay_s=int((moment - desk.settling.now).total_seconds()))
    except Exception as error:  # noqa: BLE001 - the attempt stays due, and the sweep finds it
        warn("queue.unreachable", ref=attempt.ref, error=type(error).__name__)
