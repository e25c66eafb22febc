"""Take a gateway's notice: verify it, store it, settle what it speaks of. A notice is a hint; it proves nothing by itself."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import TemporaryError
from payfirst.domain.ids import ref_of_callback_token
from payfirst.domain.refund import parts_of_refund_id
from payfirst.gateways.base import (
    Captured,
    Declined,
    Gateway,
    GatewayName,
    NoAnswer,
    OrderNotice,
    Pending,
    Recogniser,
)
from payfirst.gateways.mpesa.notices import StkNotice, read_stk_notice
from payfirst.observability import note, warn
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import attempts, keys, looks, notices, refunds
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.queue import Queue, send
from payfirst.usecases.ask import ask
from payfirst.usecases.settle import Prepared, prepare, settle, side_by_side
from payfirst.usecases.settling import Disputed, Evidence, Settled, Settling

LARGEST_NOTICE: Final = 64 * 1024
WRITES_S: Final = 0.8
"""What is kept back of the answer's time for the writes after the gateway was asked."""

CALL_S: Final = 10.0
"""What one question to a gateway may take where there is more time, as in a sweep."""

STK, PHONEPE = "stk", "phonepe"


class Taken(StrEnum):
    """What became of a notice."""

    SETTLED = "settled"
    STORED = "stored"
    DUPLICATE = "duplicate"
    ASKED = "asked"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking notices needs: how to settle, whom to ask, the queue for what takes longer, and the time for an answer."""

    settling: Settling
    gateway: Callable[[GatewayName], Gateway]
    queue: Queue
    confirm: ConfirmWithQuery
    callback_origin: str
    deadline: Deadline


def take_stk_notice(desk: Desk, token: str, raw: bytes) -> Taken:
    """M-Pesa's result on the address that only it knows. Nothing is done unless the token is the attempt's own."""
    ref = ref_of_callback_token(token)
    if ref is None or len(raw) > LARGEST_NOTICE:
        return _refused("form")
    entry = notices.look_up(desk.settling.table, notices.digest(STK, token, raw), ref)
    attempt = entry.attempt
    presented = hashlib.sha256(token.encode()).hexdigest()
    if attempt is None or not hmac.compare_digest(presented, attempt.token_hash or ""):
        return _refused("token")
    if entry.settled:
        return Taken.DUPLICATE
    notice = read_stk_notice(raw)
    if notice is None:
        warn("notice.unreadable", ref=ref)
        return Taken.UNREADABLE
    if not _names_this(notice, attempt) or _names_another(desk, notice, attempt):
        # The token is right and the ids are another push's: nobody but the gateway can say which is true.
        warn("notice.other_ids", ref=ref)
        return _ask(desk, ref)
    return _take(desk, entry, attempt, STK, raw, lambda: _confirmed_by_mpesa(desk, attempt, notice))


def _names_this(notice: StkNotice, attempt: Attempt) -> bool:
    same_checkout = attempt.gateway_id is None or attempt.gateway_id == notice.checkout_request_id
    stated = notice.merchant_request_id
    return same_checkout and (attempt.merchant_request_id is None or stated in (None, attempt.merchant_request_id))


def _names_another(desk: Desk, notice: StkNotice, attempt: Attempt) -> bool:
    """Whether the id in a notice for an attempt that does not know its own id yet is known to be another attempt's."""
    if attempt.gateway_id is not None:
        return False
    pointer = attempts.read_pointer(desk.settling.table, keys.hashed(notice.checkout_request_id))
    return pointer is not None and pointer["ref"] != attempt.ref


def _confirmed_by_mpesa(desk: Desk, attempt: Attempt, notice: StkNotice) -> Evidence:
    claimed = notice.answer
    if not isinstance(claimed, Captured):
        return claimed
    if claimed.amount is None:
        return Pending()  # success without an amount proves nothing: M-Pesa is asked, at its pace
    if desk.confirm is ConfirmWithQuery.OFF:
        return claimed
    said = _status(desk, attempt, notice.checkout_request_id)
    if isinstance(said, Declined):
        return Disputed(f"M-Pesa's notice says paid, its query says {said.code}")
    if isinstance(said, Captured) or desk.confirm is ConfirmWithQuery.ADVISORY:
        return claimed
    return Pending()


def take_untrusted_stk_notice(desk: Desk, raw: bytes) -> Taken:
    """M-Pesa's result on the documented address, which anybody can guess: it only makes us ask M-Pesa."""
    notice = read_stk_notice(raw) if len(raw) <= LARGEST_NOTICE else None
    if notice is None:
        return Taken.UNREADABLE
    pointer = attempts.read_pointer(desk.settling.table, keys.hashed(notice.checkout_request_id))
    return _ask(desk, pointer["ref"]) if pointer else Taken.UNKNOWN


def take_phonepe_notice(desk: Desk, header: str | None, raw: bytes, credentials: Recogniser) -> Taken:
    """PhonePe's notice: the header that proves its sender must be ours, and its order status must agree."""
    if len(raw) > LARGEST_NOTICE or not credentials.recognises(header, raw):
        return _refused("header")
    notice = credentials.read_notice(raw)
    if notice is None:
        warn("notice.unreadable", gateway=GatewayName.PHONEPE)
        return Taken.UNREADABLE
    if notice.is_refund:
        return _bring_refund_forward(desk, notice)
    if notice.merchant_order_id is None:
        return Taken.UNKNOWN
    entry = notices.look_up(desk.settling.table, notices.digest(PHONEPE, "", raw), notice.merchant_order_id)
    attempt = entry.attempt
    if attempt is None or attempt.gateway != GatewayName.PHONEPE:
        warn("notice.unknown_order", gateway=GatewayName.PHONEPE)
        return Taken.UNKNOWN
    if entry.settled:
        return Taken.DUPLICATE
    if credentials.merchant_id is not None and notice.merchant not in (None, credentials.merchant_id):
        other = notice.merchant
        return _take(desk, entry, attempt, PHONEPE, raw, lambda: _collected_for(desk, attempt, other))
    return _take(desk, entry, attempt, PHONEPE, raw, lambda: _status(desk, attempt, None))


def _collected_for(desk: Desk, attempt: Attempt, merchant: str | None) -> Evidence:
    """PhonePe's word where its notice names another merchant. The notice decides nothing: its header may cover no body."""
    said = _status(desk, attempt, None)
    if isinstance(said, Captured) and said.merchant is None:
        return Disputed(f"its notice names another merchant: {merchant}")
    return said


def _bring_refund_forward(desk: Desk, notice: OrderNotice) -> Taken:
    """PhonePe tells of a refund: nothing is believed, and the next sweep asks."""
    note("notice.refund", event_name=notice.event)
    found = parts_of_refund_id(notice.ended_refund) if notice.ended_refund else None
    if found is None:
        return Taken.UNKNOWN
    try:
        refunds.look_now(desk.settling.table, *found, desk.settling.now)
    except ConditionFailedError:
        return Taken.DUPLICATE  # ended already, told of before, or nothing of ours
    return Taken.ASKED


def settle_stored(desk: Desk, key: keys.Key, route: str, attempt: Attempt, raw: bytes) -> Settled:
    """Settle a notice that was stored and then left: what a sweep does for a function that was killed."""
    notice = read_stk_notice(raw) if route == STK else None
    evidence = _confirmed_by_mpesa(desk, attempt, notice) if notice else _status(desk, attempt, None)
    return _settle(desk, attempt, evidence, key, None)


def _take(
    desk: Desk, entry: notices.Entry, attempt: Attempt, route: str, raw: bytes, evidence: Callable[[], Evidence]
) -> Taken:
    work = desk.settling
    stored = None
    if not entry.stored:
        stored = side_by_side().submit(notices.store, work.table, entry, route, attempt.ref, raw, work.now)
    prepared = prepare(work, attempt)
    answer = evidence()
    kept = _is_kept(stored, attempt.ref)
    try:
        settled = _settle(desk, attempt, answer, dict(entry.key) if kept else None, prepared)
    except TemporaryError as error:
        if not kept:
            raise  # neither stored nor settled: the gateway has to send it again
        # It is stored and due: the queue or the sweep settles it, and the gateway has its answer in time.
        warn("notice.left_to_sweep", ref=attempt.ref, reason=error.code)
        return Taken.STORED
    if settled is not Settled.PENDING:
        return Taken.SETTLED
    if isinstance(answer, NoAnswer):
        _bring_forward(desk, attempt)
    return _ask(desk, attempt.ref)


def _bring_forward(desk: Desk, attempt: Attempt) -> None:
    """The gateway itself has told of an end and could not be asked in the notice's short time: the next look is due now."""
    try:
        looks.look_now(desk.settling.table, attempt, desk.settling.now)
    except (ConditionFailedError, TemporaryError):
        note("notice.moved_on", ref=attempt.ref)  # decided meanwhile, or the ladder's own look has to do


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


def _settle(desk: Desk, attempt: Attempt, answer: Evidence, key: keys.Key | None, prepared: Prepared | None) -> Settled:
    return settle(desk.settling, attempt, answer, notice=key, prepared=prepared)


def _status(desk: Desk, attempt: Attempt, gateway_id: str | None) -> Evidence:
    left = min(desk.deadline.remaining() - WRITES_S, CALL_S)  # with none left nothing is sent, which is no answer
    try:
        gateway = desk.gateway(GatewayName(attempt.gateway))
        return ask(gateway, attempt, gateway_id=gateway_id, now=desk.settling.now, timeout_s=left)
    except TemporaryError as error:
        return NoAnswer(f"it could not be asked: {error.code}")


def _ask(desk: Desk, ref: str) -> Taken:
    try:
        send(desk.queue, ref, delay_s=0)
    except Exception as error:  # noqa: BLE001 - the attempt is due all the same, and its sweep asks
        warn("queue.unreachable", ref=ref, error=type(error).__name__)
    return Taken.ASKED


def _refused(why: str) -> Taken:
    warn("notice.refused", why=why)
    return Taken.REFUSED
