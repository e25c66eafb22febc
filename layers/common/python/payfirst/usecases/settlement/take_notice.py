"""Take a gateway's notice: verify it, store it, settle what it speaks of. A notice is a hint; it proves nothing by itself."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.errors import TemporaryError
from payfirst.domain.ids import ref_of_callback_token
from payfirst.domain.moves import AttemptStatus
from payfirst.domain.refund import parts_of_refund_id
from payfirst.gateways.base import (
    Absent,
    Captured,
    Claim,
    Declined,
    NoAnswer,
    OrderNotice,
    Pending,
    Recogniser,
)
from payfirst.gateways.registry import declaration_of, terms_of
from payfirst.observability import note, warn
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import attempts, checks, notices, refunds
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.queue import send
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.settlement.ask import ask
from payfirst.usecases.settlement.evidence import Disputed, Evidence, NoticeEvidence, Settled
from payfirst.usecases.settlement.settle import Prepared, prepare, settle, side_by_side

LARGEST_NOTICE: Final = 64 * 1024
WRITES_S: Final = 0.8
"""What is kept back of the answer's time for the writes after the gateway was asked."""

CALL_S: Final = 10.0
"""What one question to a gateway may take where there is more time, as in a sweep."""

ADDRESS: Final = "stk"
"""The route of notices whose proof is in their address; the route of the others is their gateway's name, in small letters."""


class Taken(StrEnum):
    """What became of a notice."""

    SETTLED = "settled"
    STORED = "stored"
    DUPLICATE = "duplicate"
    ASKED = "asked"
    NOT_DUE = "not_due"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


def take_callback(context: NoticeContext, token: str, raw: bytes) -> Taken:
    """A gateway's result on the address that only it knows. Nothing is done unless the token is the attempt's own."""
    ref = ref_of_callback_token(token)
    if ref is None or len(raw) > LARGEST_NOTICE:
        return _refused("form")
    entry = notices.look_up(context.table, notices.digest(ADDRESS, token, raw), ref)
    attempt = entry.attempt
    presented = hashlib.sha256(token.encode()).hexdigest()
    if attempt is None or not hmac.compare_digest(presented, attempt.token_hash or ""):
        return _refused("token")
    if not context.sent_by(attempt.gateway):
        return _refused("source", attempt.gateway)
    if entry.settled:
        return Taken.DUPLICATE
    claim = declaration_of(attempt.gateway).read_claim(raw)
    if claim is None:
        warn("notice.unreadable", ref=ref)
        return Taken.UNREADABLE
    if not _names_this(claim, attempt) or _names_another(context, claim, attempt):
        # The token is right and the ids are another push's: nobody but the gateway can say which is true.
        warn("notice.other_ids", ref=ref)
        return _queue_check(context, ref)
    return _take(context, entry, attempt, ADDRESS, raw, lambda: _heard_in_claim(context, attempt, claim, at_once=True))


def _names_this(claim: Claim, attempt: Attempt) -> bool:
    same_checkout = attempt.gateway_id is None or attempt.gateway_id == claim.gateway_id
    stated = claim.request_id
    return same_checkout and (attempt.merchant_request_id is None or stated in (None, attempt.merchant_request_id))


def _names_another(context: NoticeContext, claim: Claim, attempt: Attempt) -> bool:
    """Whether the id in a claim about an attempt that does not know its own id yet is known to be another attempt's."""
    if attempt.gateway_id is not None:
        return False
    pointer = attempts.read_pointer(context.table, keys.hashed(claim.gateway_id))
    return pointer is not None and pointer["ref"] != attempt.ref


NOTHING_MORE: Final = NoticeEvidence()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a notice amounts to, once its gateway was asked where that is needed: the evidence, and what the notice adds."""

    evidence: Evidence
    notice: NoticeEvidence = NOTHING_MORE


def _heard_in_claim(context: NoticeContext, attempt: Attempt, claim: Claim, *, at_once: bool) -> Heard:
    """What a claim amounts to; `at_once` where its gateway waits for our answer, so that doubts are asked about later."""
    claimed, its_name, confirm = claim.answer, terms_of(attempt.gateway).label, context.confirm(attempt.gateway)
    if not isinstance(claimed, Captured):
        return Heard(claimed, NoticeEvidence(alone=True, gateway_id=claim.gateway_id))
    unproved = claimed.amount is None and (attempt.unresolved or attempt.status is AttemptStatus.FAILED)
    if unproved and at_once:
        return Heard(Pending())  # success without an amount proves nothing: the gateway is asked, at its pace
    if confirm is ConfirmWithQuery.OFF and not unproved:
        return Heard(claimed, NoticeEvidence(alone=True, gateway_id=claim.gateway_id))
    said = _status(context, attempt, claim.gateway_id)
    if isinstance(said, Declined):
        return Heard(Disputed(f"{its_name}'s notice says paid ({claimed.words}), its query says {said.code}"))
    if isinstance(said, Captured):
        return Heard(claimed)
    if confirm is ConfirmWithQuery.ADVISORY and not unproved:
        return Heard(claimed, NoticeEvidence(alone=True, gateway_id=claim.gateway_id))
    return Heard(Pending())


def take_untrusted_callback(context: NoticeContext, gateway: str, raw: bytes) -> Taken:
    """A gateway's result on an address that anybody can guess: it only makes us ask the gateway.

    Where a check is due it is requested, once, however often somebody posts; else the check comes at its time anyway.
    """
    if not context.sent_by(gateway):
        return _refused("source", gateway)
    claim = declaration_of(gateway).read_claim(raw) if len(raw) <= LARGEST_NOTICE else None
    if claim is None:
        return Taken.UNREADABLE
    pointer = attempts.read_pointer(context.table, keys.hashed(claim.gateway_id))
    return _request_check(context, pointer["ref"]) if pointer else Taken.UNKNOWN


def _request_check(context: NoticeContext, ref: str) -> Taken:
    try:
        attempt = attempts.read(context.table, ref)
        if attempt is None or attempt.next_check_at is None or attempt.next_check_at > context.now:
            return Taken.NOT_DUE
        checks.request(context.table, attempt)
    except ConditionFailedError:
        return Taken.DUPLICATE
    except TemporaryError as error:
        warn("notice.left_to_sweep", ref=ref, reason=error.code)  # the answer does not tell that there is such an attempt
        return Taken.NOT_DUE
    return _queue_check(context, ref)


def take_signed_notice(context: NoticeContext, gateway: str, header: str | None, raw: bytes, credentials: Recogniser) -> Taken:
    """A gateway's notice: the header that proves its sender must be ours, and its order status must agree."""
    if len(raw) > LARGEST_NOTICE or not credentials.recognises(header, raw):
        return _refused("header", gateway)
    notice = credentials.read_notice(raw)
    if notice is None:
        warn("notice.unreadable", gateway=gateway)
        return Taken.UNREADABLE
    if notice.is_refund:
        return _bring_refund_forward(context, notice)
    if notice.merchant_order_id is None:
        return Taken.UNKNOWN
    route = gateway.lower()
    entry = notices.look_up(context.table, notices.digest(route, "", raw), notice.merchant_order_id)
    attempt = entry.attempt
    if attempt is None or attempt.gateway != gateway:
        warn("notice.unknown_order", gateway=gateway)
        return Taken.UNKNOWN
    if entry.settled:
        return Taken.DUPLICATE
    ours = credentials.merchant_id
    return _take(context, entry, attempt, route, raw, lambda: _heard_in_status(context, attempt, notice, ours))


def _heard_in_status(context: NoticeContext, attempt: Attempt, notice: OrderNotice, ours: str | None) -> Heard:
    """The gateway's status. The notice decides nothing, for its header may cover no body; what it says otherwise is a doubt."""
    said, its_name = _status(context, attempt, None), terms_of(attempt.gateway).label
    if isinstance(said, Captured):
        if said.merchant is None and ours is not None and notice.merchant not in (None, ours):
            return Heard(Disputed(f"its notice names another merchant: {notice.merchant}"))
        doubt = f"{its_name}'s notice says FAILED, its status COMPLETED" if notice.done is False else None
        return Heard(said, NoticeEvidence(doubt=doubt))
    unknown = isinstance(said, Absent) and not attempt.unresolved
    if notice.done and (unknown or isinstance(said, Declined)):
        says = "knows no such order" if unknown else "FAILED"
        return Heard(Disputed(f"{its_name}'s notice says COMPLETED, its status {says}"))
    return Heard(said)


def _bring_refund_forward(context: NoticeContext, notice: OrderNotice) -> Taken:
    """The gateway tells of a refund: nothing is believed, and the next sweep asks."""
    note("notice.refund", event_name=notice.event)
    found = parts_of_refund_id(notice.ended_refund) if notice.ended_refund else None
    if found is None:
        return Taken.UNKNOWN
    try:
        refunds.check_now(context.table, *found, context.now, refunded=notice.done is True)
    except ConditionFailedError:
        return Taken.DUPLICATE  # ended already, told of before, or nothing of ours
    return Taken.ASKED


def settle_stored(context: NoticeContext, key: keys.Key, route: str, attempt: Attempt, raw: bytes) -> Settled:
    """Settle a notice that was stored and then left: what a sweep does for a function that was killed."""
    return _settle(context, attempt, _heard_again(context, route, attempt, raw), key, None)


def _heard_again(context: NoticeContext, route: str, attempt: Attempt, raw: bytes) -> Heard:
    gateway = declaration_of(attempt.gateway)
    if route == ADDRESS:
        claim = gateway.read_claim(raw)
        return _heard_in_claim(context, attempt, claim, at_once=False) if claim else Heard(_status(context, attempt, None))
    try:
        ours = context.gateway(attempt.gateway).merchant
    except TemporaryError as error:
        return Heard(NoAnswer(f"it could not be asked: {error.code}"))
    order = gateway.read_signed(raw)
    return _heard_in_status(context, attempt, order, ours) if order else Heard(_status(context, attempt, None))


def _take(
    context: NoticeContext, entry: notices.Entry, attempt: Attempt, route: str, raw: bytes, hear: Callable[[], Heard]
) -> Taken:
    stored = None
    if not entry.stored:
        stored = side_by_side().submit(notices.store, context.table, entry, route, attempt.ref, raw, context.now)
    prepared = prepare(context, attempt)
    heard = hear()
    kept = _is_kept(stored, attempt.ref)
    try:
        settled = _settle(context, attempt, heard, dict(entry.key) if kept else None, prepared)
    except TemporaryError as error:
        if not kept:
            raise  # neither stored nor settled: the gateway has to send it again
        # It is stored and due: the queue or the sweep settles it, and the gateway has its answer in time.
        warn("notice.left_to_sweep", ref=attempt.ref, reason=error.code)
        return Taken.STORED
    if settled is not Settled.PENDING:
        return Taken.SETTLED
    if isinstance(heard.evidence, NoAnswer):
        _bring_forward(context, attempt)
    return _queue_check(context, attempt.ref)


def _bring_forward(context: NoticeContext, attempt: Attempt) -> None:
    """The gateway itself has told of an end and could not be asked in the notice's short time: the next check is due now."""
    try:
        checks.check_now(context.table, attempt, context.now)
    except (ConditionFailedError, TemporaryError):
        note("notice.moved_on", ref=attempt.ref)  # decided meanwhile, or the check schedule's own check has to do


def _is_kept(stored: Future[None] | None, ref: str) -> bool:
    """Whether the notice stands in the table, so that a sweep finds it if it cannot be settled now."""
    try:
        if stored is not None:
            stored.result()
    except ConditionFailedError:
        note("notice.same_moment", ref=ref)  # its twin came at the same moment; both may settle, one write wins
    except TemporaryError as error:
        warn("notice.not_stored", ref=ref, reason=error.code)
        return False
    return True


def _settle(context: NoticeContext, attempt: Attempt, heard: Heard, key: keys.Key | None, prepared: Prepared | None) -> Settled:
    return settle(context, attempt, heard.evidence, notice=replace(heard.notice, key=key), prepared=prepared)


def _status(context: NoticeContext, attempt: Attempt, gateway_id: str | None) -> Evidence:
    left = min(context.deadline.remaining() - WRITES_S, CALL_S)  # with none left nothing is sent, which is no answer
    try:
        gateway = context.gateway(attempt.gateway)
        return ask(gateway, attempt, gateway_id=gateway_id, now=context.now, timeout_s=left)
    except TemporaryError as error:
        return NoAnswer(f"it could not be asked: {error.code}")


def _queue_check(context: NoticeContext, ref: str) -> Taken:
    try:
        send(context.queue, ref, delay_s=0)
    except Exception as error:  # noqa: BLE001 - the attempt is due all the same, and its sweep asks
        warn("queue.unreachable", ref=ref, error=type(error).__name__)
    return Taken.ASKED


def _refused(why: str, gateway: str | None = None) -> Taken:
    warn("notice.refused", why=why, **({"gateway": gateway} if gateway else {}))
    return Taken.REFUSED
