"""One try to settle an attempt: decided from what was read, written under conditions that hold only if nothing of it changed.

Money is recorded first, whatever else fails; then it becomes the booking or the order, or its refund. Every step
is one conditional write that may be repeated: whoever comes second finds it done.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.errors import FieldProblem, InvalidInputError, RefusedError
from payfirst.domain.in_time import why_too_late
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.refund import SURPLUS, WRONG_AMOUNT
from payfirst.domain.session import Failure, Session
from payfirst.gateways.base import Captured, Declined
from payfirst.gateways.registry import terms_of
from payfirst.observability import alarm, note, warn
from payfirst.settings import LatePayment
from payfirst.storage import attempts, captures, checks, holds, notices
from payfirst.storage.captures import Collected
from payfirst.storage.dynamodb.expressions import Write
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Key
from payfirst.usecases.context import SettlementContext
from payfirst.usecases.settlement.evidence import Check, Disputed, Evidence, NoticeEvidence, Scene, Settled
from payfirst.usecases.settlement.fulfil import fulfil, owe_back

CANNOT_SETTLE: Final = "it cannot be settled"
LONGEST_REASON: Final = 300
CHECK_SOON: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Settlement:
    """The attempt, the scene that was read, the evidence, and the notice that brought it."""

    context: SettlementContext
    attempt: Attempt
    scene: Scene
    evidence: Evidence | None
    notice: NoticeEvidence | None
    sequence: Future[int] | None
    check: Check | None = None

    @property
    def session(self) -> Session:
        return self.scene.session

    def run(self) -> Settled:
        attempt = self.attempt
        if self.context.decision is not None:
            return self._decided()
        if attempt.captured is not None:
            return self._known()
        if attempt.status is AttemptStatus.NEEDS_REVIEW:
            if isinstance(self.evidence, Captured):
                self._doubt(f"it was said to be paid while under review: {self.evidence.words}")
            return self._nothing()
        if isinstance(self.evidence, Disputed):
            return self._review(self.evidence.reason)
        if isinstance(self.evidence, Captured):
            reason = self._suspicion(self.evidence)
            if reason:
                return self._review(reason)
            return self._paid(self.evidence)
        if isinstance(self.evidence, Declined) and attempt.unresolved:
            return self._fail(self.evidence)
        return self._rest()

    def _decided(self) -> Settled:
        """What a person found out. RefusedError, and nothing is changed, where that is not to be decided."""
        attempt = self.attempt
        if not attempt.awaits_decision:
            message = f"{attempt.ref} is {attempt.status}: only what needs review is resolved."
            raise RefusedError(message, code="NOT_UNDER_REVIEW")
        if isinstance(self.evidence, Captured):
            return self._paid(self.evidence) if attempt.captured is None else self._after_money()
        if attempt.captured is not None:
            message = f"{attempt.captured} {attempt.captured.currency} of {attempt.ref} are recorded: refund them instead."
            raise RefusedError(message, code="ALREADY_CAPTURED")
        return self._fail(self.evidence) if isinstance(self.evidence, Declined) else self._nothing()

    def _known(self) -> Settled:
        """Its money is recorded: the evidence may contradict that, or bring a receipt; then it becomes what it can."""
        if isinstance(self.evidence, Disputed):
            self._doubt(self.evidence.reason)
        elif isinstance(self.evidence, Declined) and self.evidence.final:
            self._doubt("its gateway said afterwards that it was not paid to this shop")  # success is final: this is beside it
        elif isinstance(self.evidence, Captured):
            self._again(self.evidence)
            self._doubt_the_notice()
        # Of money under review nothing could be made: it is tried again when somebody asks for that, not for every notice.
        asked = self.attempt.status is AttemptStatus.NEEDS_REVIEW and self.evidence is None
        return self._after_money() if asked or self.attempt.status is AttemptStatus.SUCCEEDED else self._nothing()

    def _paid(self, captured: Captured) -> Settled:
        try:
            self._record(captured)
        except ConditionFailedError as error:
            return self._receipt_is_used(captured, self._served_by_receipt(error))
        self._doubt_the_notice()
        return self._after_money()

    def _rest(self) -> Settled:
        if self.notice is not None and _says_nothing(self.evidence):
            # It has failed, and somebody with the right proof says that money came and nobody could be asked: it is due again.
            soon = self._soon()
            if self.attempt.next_check_at is None or self.attempt.next_check_at > soon[1]:
                checks.plan_check_again(self.context.table, self.attempt, soon)
            return Settled.PENDING
        return self._nothing()

    def _soon(self) -> Check:
        planned, soon = self._next_check(), self.context.now + CHECK_SOON
        return planned if planned[1] <= soon else (self.attempt.check, soon)

    def _next_check(self) -> Check:
        """The gateway's own next check; where its check schedule has ended the check comes soon, and is the last."""
        terms = terms_of(self.attempt.gateway)
        planned = terms.next_check(self.attempt.created_at, self.attempt.check, self.context.now)
        return planned or (self.attempt.check, self.context.now + CHECK_SOON)

    def _doubt_the_notice(self) -> None:
        if self.notice is not None and self.notice.doubt is not None:
            self._doubt(self.notice.doubt)

    def _doubt(self, reason: str) -> None:
        context, session = self.context, self.session
        if captures.contradiction(context.table, session, self.attempt.ref, reason, context.now, attempt=self.attempt.number):
            self.scene = replace(self.scene, session=replace(session, sequence=session.sequence + 1))
            warn("payment.contradicted", ref=self.attempt.ref, reason=reason)

    def _nothing(self) -> Settled:
        key = self._notice_key()
        if key is not None:
            notices.mark_settled(self.context.table, key, self.context.now)
        return Settled.NOTHING_TO_DO

    def _also(self) -> tuple[Write, ...]:
        key = self._notice_key()
        return (notices.settle_write(key, self.context.now),) if key is not None else ()

    def _notice_key(self) -> Key | None:
        """Where the notice that brought the evidence is stored; None where none did, or it could not be stored."""
        return self.notice.key if self.notice is not None else None

    def _unconfirmed(self) -> Check | None:
        """The check of an end that only a notice told of."""
        return self._next_check() if self.notice is not None and self.notice.alone else None

    @property
    def _named(self) -> str | None:
        return self.notice.gateway_id if self.notice is not None else None

    # Money

    def _suspicion(self, captured: Captured) -> str | None:
        if captured.amount is not None and captured.amount.currency is not self.attempt.amount.currency:
            return f"collected in {captured.amount.currency}, not in {self.attempt.amount.currency}"
        if captured.amount is not None and captured.amount.minor <= 0:
            return f"called paid, and {captured.amount} was collected"
        return None

    def _again(self, captured: Captured) -> None:
        """Money that is known already: its receipt may be news; another amount or receipt is a doubt beside the attempt."""
        if captured.amount not in (None, self.attempt.captured):
            self._doubt(f"{captured.words}, instead of {self.attempt.captured}")
            return
        if captured.receipt is None or captured.receipt == self.attempt.receipt:
            return
        doubt = f"a second receipt: {captured.receipt}"
        if self.attempt.receipt is None:
            try:
                captures.bind_receipt(self.context.table, self.attempt, captured.receipt)
            except ConditionFailedError as error:
                doubt = f"its receipt {captured.receipt} already serves {self._served_by_receipt(error)}"
            else:
                self.attempt = replace(self.attempt, receipt=captured.receipt)
                return
        self._doubt(doubt)

    def _record(self, captured: Captured) -> None:
        collected = Collected(captured.amount or self.attempt.amount, captured.receipt, self._unconfirmed(), self._named)
        self._record_as(collected)
        note("payment.received", ref=self.attempt.ref, session=self.session.uuid, amount=str(collected.amount))

    def _record_as(self, collected: Collected) -> None:
        context, session, attempt = self.context, self.session, self.attempt
        right_amount = collected.amount == attempt.amount
        paid = replace(session, status=SessionStatus.PAID, captured=attempt.ref, live_attempt=None)
        if right_amount and session.live_attempt == attempt.ref:
            self._money(collected)
        elif right_amount and self._may_honour():
            try:
                captures.late_money(context.table, session, attempt, collected, context.now, decision=context.decision)
            except ConditionFailedError as error:
                if set(error.failed) != {holds.GUARD}:
                    raise
                self._surplus(collected)
                paid = session
        else:
            self._surplus(collected)
            paid = session
        written = 1 if context.decision is None else 2
        self.scene = replace(self.scene, session=replace(paid, sequence=session.sequence + written))
        self.context = replace(context, decision=None)  # it is recorded, and what follows is no person's doing
        self.attempt = replace(
            attempt,
            status=AttemptStatus.SUCCEEDED,
            captured=collected.amount,
            captured_at=context.now,
            receipt=collected.receipt,
            confirm_at=collected.confirm[1] if collected.confirm else None,
        )

    def _money(self, collected: Collected) -> None:
        context, decision = self.context, self.context.decision
        try:
            captures.money(context.table, self.session, self.attempt, collected, context.now, decision=decision)
        except ConditionFailedError as error:
            if set(error.failed) != {holds.PHONE}:
                raise
            # A phone that is not held as it should be is no reason to leave money unrecorded.
            warn("phone.not_held", ref=self.attempt.ref)
            unheld = replace(self.attempt, phone=None)
            captures.money(context.table, self.session, unheld, collected, context.now, decision=decision)

    def _may_honour(self) -> bool:
        session = self.session
        if why_too_late(session.snapshot, self.context.days, self.context.now) is not None:
            return False
        return self.context.late_payment is LatePayment.HONOUR and session.live_attempt is None and session.captured is None

    def _surplus(self, collected: Collected) -> None:
        context = self.context
        captures.surplus_money(
            context.table, self.session, self.attempt, collected, WRONG_AMOUNT, context.now, decision=context.decision
        )

    def _served_by_receipt(self, error: ConditionFailedError) -> str:
        """The other attempt that the receipt serves; `error` itself where that is not the conflict."""
        receipt = error.failed.get(captures.RECEIPT)
        if receipt is None or receipt["ref"] == self.attempt.ref:
            raise error
        return str(receipt["ref"])

    def _receipt_is_used(self, captured: Captured, by: str) -> Settled:
        if self.context.decision is not None:
            raise InvalidInputError(FieldProblem("receipt", f"{captured.receipt} already serves {by}."))
        return self._review(f"its receipt already serves {by}")

    def _review(self, reason: str) -> Settled:
        attempts.review(self.context.table, self.session, self.attempt, reason, self.context.now, self._also())
        warn("payment.needs_review", ref=self.attempt.ref, session=self.session.uuid, reason=reason)
        return Settled.NEEDS_REVIEW

    def _fail(self, declined: Declined) -> Settled:
        failure = Failure(declined.code, declined.message, declined.retryable)
        check = self.check or self._unconfirmed()
        if check is None and not declined.final:
            check = self._next_check()
        context, also = self.context, self._also()
        attempts.fail(
            context.table,
            self.session,
            self.attempt,
            failure,
            context.now,
            check=check,
            gateway_id=self._named,
            also=also,
            decision=context.decision,
        )
        facts = {"ref": self.attempt.ref, "session": self.session.uuid, "code": failure.code}
        (alarm if declined.configuration else note)("payment.failed", **facts)
        return Settled.FAILED

    def give_up(self, error: Exception) -> Settled:
        """Nothing can be made of this payment, however often it is tried: a person has to see it, and why.

        One that is under review stays there; a person who has decided otherwise is told so.
        """
        reason = f"{CANNOT_SETTLE}: {type(error).__name__}: {error}"[:LONGEST_REASON]
        if self.attempt.status is not AttemptStatus.NEEDS_REVIEW:
            alarm("payment.cannot_settle", ref=self.attempt.ref, session=self.session.uuid)
            return self._review(reason)
        if self.context.decision is None:
            return Settled.NEEDS_REVIEW
        instead = "" if self.attempt.captured is None else " Refund it instead."
        raise RefusedError(f"{reason}.{instead}", code="NOT_FULFILLABLE") from error

    # What the money becomes

    def _after_money(self) -> Settled:
        if self.session.captured != self.attempt.ref:
            reason = SURPLUS if self.attempt.captured == self.attempt.amount else WRONG_AMOUNT
            return owe_back(self.context, self.session, self.attempt, reason, self._also())
        is_paid = self.session.status is SessionStatus.PAID
        return fulfil(self.context, self.scene, self.attempt, self._also(), self.sequence) if is_paid else self._nothing()


def _says_nothing(evidence: Evidence | None) -> bool:
    return not isinstance(evidence, Captured | Declined | Disputed)
