"""One try to settle an attempt: decided from what was read, written under conditions that hold only if nothing of it changed.

Money is recorded first, whatever else stands in the way; then it becomes the booking or the order, or its refund. Every step
is one conditional write that may be repeated: whoever comes second finds it done.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.attempt import Attempt, next_check
from payfirst.domain.booking import has_begun
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError
from payfirst.domain.ids import new_booking_code, new_identifier, order_number
from payfirst.domain.moves import AttemptStatus, SessionStatus, attempt_sources
from payfirst.domain.refund import OUT_OF_STOCK, PROMO_USED_UP, SLOT_TAKEN, SURPLUS, WRONG_AMOUNT
from payfirst.domain.session import BookingSnapshot, Failure, Kind, OrderSnapshot, Outcome, Session
from payfirst.gateways.base import Captured, Declined
from payfirst.observability import alarm, note, warn
from payfirst.settings import LatePayment
from payfirst.storage import attempts, captures, fulfilment, holds, keys, looks, notices, promos, refunds
from payfirst.storage.captures import Collected
from payfirst.storage.expressions import Write
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.fulfilment import CartSeen
from payfirst.storage.table import Key, count_up
from payfirst.usecases.settling import Check, Disputed, Evidence, Scene, Settled, Settling

NAIROBI: Final = "Africa/Nairobi"
TRIES: Final = 6
LOOK_SOON: Final = timedelta(minutes=1)


def next_number(work: Settling) -> int:
    return count_up(work.table, keys.order_sequence(_nairobi_day(work.now)))


def _nairobi_day(now: datetime) -> str:
    return now.astimezone(ZoneInfo(NAIROBI)).strftime("%Y%m%d")


@dataclass(slots=True)
class Settlement:
    """The attempt, the scene that was read, the evidence, and the stored notice that the last write marks as settled."""

    work: Settling
    attempt: Attempt
    scene: Scene
    evidence: Evidence | None
    notice: Key | None
    sequence: Future[int] | None
    check: Check | None = None

    @property
    def session(self) -> Session:
        return self.scene.session

    def run(self) -> Settled:
        attempt = self.attempt
        if attempt.status is AttemptStatus.NEEDS_REVIEW and not self.work.decided:
            if isinstance(self.evidence, Captured):
                self._doubt(f"it was said to be paid while under review, receipt {self.evidence.receipt}")
            return self._nothing()
        if attempt.status in (AttemptStatus.SUCCEEDED, AttemptStatus.REFUND_DUE) and _contradicts(self.evidence):
            self._doubt("its gateway said afterwards that it was not paid to this shop")
        if isinstance(self.evidence, Disputed) and attempt.status in attempt_sources(AttemptStatus.NEEDS_REVIEW):
            return self._review(self.evidence.reason)
        if isinstance(self.evidence, Captured):
            if attempt.status in (AttemptStatus.SUCCEEDED, AttemptStatus.REFUND_DUE):
                self._again(self.evidence)
                return self._after_money() if attempt.status is AttemptStatus.SUCCEEDED else self._nothing()
            reason = self._suspicion(self.evidence)
            if reason:
                return self._review(reason)
            try:
                self._record(self.evidence)
            except ConditionFailedError as error:
                return self._receipt_is_used(self.evidence, self._served_by_receipt(error))
        elif isinstance(self.evidence, Declined) and (attempt.unresolved or attempt.status is AttemptStatus.NEEDS_REVIEW):
            return self._fail(self.evidence)
        return self._after_money() if self.attempt.status is AttemptStatus.SUCCEEDED else self._rest()

    def _rest(self) -> Settled:
        if self.attempt.status is AttemptStatus.FAILED and self.notice is not None and _says_nothing(self.evidence):
            # Somebody with the right proof says that money came, and nobody could be asked: the attempt is due again.
            if self.attempt.next_check_at is None:
                looks.look_again(self.work.table, self.attempt, self._soon())
            return Settled.PENDING
        return self._nothing()

    def _soon(self) -> tuple[int, datetime]:
        planned = next_check(self.attempt.gateway, self.attempt.created_at, self.attempt.check, self.work.now)
        soon = self.work.now + LOOK_SOON
        return planned if planned and planned[1] <= soon else (self.attempt.check, soon)

    def _doubt(self, reason: str) -> None:
        captures.contradiction(self.work.table, self.attempt, reason, self.work.now)
        warn("payment.contradicted", ref=self.attempt.ref, reason=reason)

    def _nothing(self) -> Settled:
        if self.notice is not None:
            notices.mark_settled(self.work.table, self.notice, self.work.now)
        return Settled.NOTHING_TO_DO

    def _also(self) -> tuple[Write, ...]:
        return (notices.settled(self.notice, self.work.now),) if self.notice is not None else ()

    # Money

    def _suspicion(self, captured: Captured) -> str | None:
        if captured.amount is not None and captured.amount.currency is not self.attempt.amount.currency:
            return f"collected in {captured.amount.currency}, not in {self.attempt.amount.currency}"
        return None

    def _again(self, captured: Captured) -> None:
        """Money that is known already: its receipt may be news; another amount or receipt is a doubt beside the attempt."""
        if captured.amount not in (None, self.attempt.captured):
            self._doubt(f"{captured.amount} instead of {self.attempt.captured} were collected")
            return
        if captured.receipt is None or captured.receipt == self.attempt.receipt:
            return
        doubt = f"a second receipt: {captured.receipt}"
        if self.attempt.receipt is None:
            try:
                captures.bind_receipt(self.work.table, self.attempt, captured.receipt)
            except ConditionFailedError as error:
                doubt = f"its receipt {captured.receipt} already serves {self._served_by_receipt(error)}"
            else:
                self.attempt = replace(self.attempt, receipt=captured.receipt)
                return
        self._doubt(doubt)

    def _record(self, captured: Captured) -> None:
        collected = Collected(captured.amount or self.attempt.amount, captured.receipt)
        self._record_as(collected)
        note("payment.received", ref=self.attempt.ref, session=self.session.uuid, amount=str(collected.amount))

    def _record_as(self, collected: Collected) -> None:
        work, session, attempt = self.work, self.session, self.attempt
        right_amount = collected.amount == attempt.amount
        paid = replace(session, status=SessionStatus.PAID, captured=attempt.ref, live_attempt=None)
        if right_amount and session.live_attempt == attempt.ref:
            self._money(collected)
        elif right_amount and self._may_honour():
            try:
                captures.late_money(work.table, session, attempt, collected, work.now)
            except ConditionFailedError as error:
                if set(error.failed) != {holds.GUARD}:
                    raise
                self._surplus(collected)
                paid = session
        else:
            self._surplus(collected)
            paid = session
        self.scene = replace(self.scene, session=replace(paid, sequence=session.sequence + 1))
        self.attempt = replace(
            attempt,
            status=AttemptStatus.SUCCEEDED,
            captured=collected.amount,
            receipt=collected.receipt,
        )

    def _money(self, collected: Collected) -> None:
        try:
            captures.money(self.work.table, self.session, self.attempt, collected, self.work.now)
        except ConditionFailedError as error:
            if set(error.failed) != {holds.PHONE}:
                raise
            # A phone that is not held as it should be is no reason to leave money unrecorded.
            warn("phone.not_held", ref=self.attempt.ref)
            unheld = replace(self.attempt, phone=None)
            captures.money(self.work.table, self.session, unheld, collected, self.work.now)

    def _may_honour(self) -> bool:
        session = self.session
        if isinstance(session.snapshot, BookingSnapshot) and has_begun(session.snapshot, self.work.now):
            return False
        return self.work.late_payment is LatePayment.HONOUR and session.live_attempt is None and session.captured is None

    def _surplus(self, collected: Collected) -> None:
        captures.surplus_money(self.work.table, self.session, self.attempt, collected, WRONG_AMOUNT, self.work.now)

    def _served_by_receipt(self, error: ConditionFailedError) -> str:
        """The other attempt that the receipt serves; `error` itself where that is not what stood in the way."""
        receipt = error.failed.get(captures.RECEIPT)
        if receipt is None or receipt["ref"] == self.attempt.ref:
            raise error
        return str(receipt["ref"])

    def _receipt_is_used(self, captured: Captured, by: str) -> Settled:
        if self.work.decided:
            raise InvalidInputError(FieldProblem("receipt", f"{captured.receipt} already serves {by}."))
        return self._review(f"its receipt already serves {by}")

    def _review(self, reason: str) -> Settled:
        attempts.review(self.work.table, self.session, self.attempt, reason, self.work.now, self._also())
        warn("payment.needs_review", ref=self.attempt.ref, session=self.session.uuid, reason=reason)
        return Settled.NEEDS_REVIEW

    def _fail(self, declined: Declined) -> Settled:
        failure = Failure(declined.code, declined.message, declined.retryable)
        check = self.check
        if check is None and not declined.final:
            check = next_check(self.attempt.gateway, self.attempt.created_at, self.attempt.check, self.work.now)
        attempts.fail(self.work.table, self.session, self.attempt, failure, self.work.now, check=check, also=self._also())
        facts = {"ref": self.attempt.ref, "session": self.session.uuid, "code": failure.code}
        (alarm if declined.configuration else note)("payment.failed", **facts)
        return Settled.FAILED

    # What the money becomes

    def _after_money(self) -> Settled:
        if self.session.captured != self.attempt.ref:
            return self._refund(SURPLUS if self.attempt.captured == self.attempt.amount else WRONG_AMOUNT)
        return self._fulfil() if self.session.status is SessionStatus.PAID else self._nothing()

    def _fulfil(self) -> Settled:
        cart = self.scene.cart
        if cart is not None and cart.version != self.session.guard.version:
            cart = None
        for _ in range(TRIES):
            outcome = self._outcome()
            try:
                self._fulfil_as(outcome, cart)
            except ConditionFailedError as error:
                failed = set(error.failed)
                reason = _cannot_fulfil(failed)
                if reason:
                    return self._refund(reason)
                if not failed <= {fulfilment.CODE, fulfilment.OUTCOME}:
                    raise
            else:
                word = "order.created" if self.session.kind is Kind.ORDER else "booking.created"
                note(word, session=self.session.uuid, ref=self.attempt.ref, code=outcome.code)
                return Settled.FULFILLED
        raise ContentionError("This payment is being settled; please look again.")

    def _outcome(self) -> Outcome:
        number = new_identifier(self.work.now, self.work.entropy).number
        if self.session.kind is Kind.BOOKING:
            return Outcome(number, new_booking_code(self.work.entropy))
        drawn = self.sequence.result() if self.sequence else next_number(self.work)
        self.sequence = None
        return Outcome(number, order_number(_nairobi_day(self.work.now), drawn))

    def _fulfil_as(self, outcome: Outcome, cart: CartSeen | None) -> None:
        work, session, attempt = self.work, self.session, self.attempt
        match session.snapshot:
            case OrderSnapshot() as order:
                fulfilment.fulfil_order(work.table, session, order, attempt, outcome, work.now, cart=cart, also=self._also())
            case BookingSnapshot() as booking:
                fulfilment.fulfil_booking(work.table, session, booking, attempt, outcome, work.now, also=self._also())

    def _refund(self, reason: Failure) -> Settled:
        amount = self.attempt.collected
        refunds.refund_due(self.work.table, self.session, self.attempt, amount, reason, self.work.now, also=self._also())
        warn("refund.due", ref=self.attempt.ref, session=self.session.uuid, amount=str(amount), reason=reason.code)
        return Settled.REFUND_DUE


def _cannot_fulfil(failed: set[str]) -> Failure | None:
    """The business reason among the writes that failed; None when it was only somebody else's being faster."""
    if failed & {promos.PROMO, promos.USES}:
        return PROMO_USED_UP
    if any(name.startswith("listing:") for name in failed):
        return OUT_OF_STOCK
    if any(name.startswith("slot:") for name in failed):
        return SLOT_TAKEN
    return None


def _contradicts(evidence: Evidence | None) -> bool:
    """Whether the evidence takes back a success: success is final, so this is a doubt beside it."""
    return isinstance(evidence, Disputed) or (isinstance(evidence, Declined) and evidence.final)


def _says_nothing(evidence: Evidence | None) -> bool:
    return not isinstance(evidence, Captured | Declined | Disputed)
