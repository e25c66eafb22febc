"""The one way in which an attempt ends: notices, the queue, sweeps and operators all call `settle`."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from payfirst.domain.attempt import Attempt
from payfirst.domain.errors import ContentionError
from payfirst.domain.moves import AttemptStatus
from payfirst.domain.session import Kind
from payfirst.gateways.base import Captured, Declined
from payfirst.observability import alarm, warn
from payfirst.storage import attempts
from payfirst.storage.carts import produce_cart_from_item
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError, lies_in_the_request
from payfirst.storage.fulfilment import CartSeen
from payfirst.storage.items import session_from_item
from payfirst.usecases.context import SettlementContext
from payfirst.usecases.settlement.decide import Settlement
from payfirst.usecases.settlement.evidence import Check, Disputed, Evidence, NoticeEvidence, Scene, Settled
from payfirst.usecases.settlement.fulfil import TRIES, next_number


@cache
def side_by_side() -> ThreadPoolExecutor:
    """The threads on which requests that do not need each other run at the same time."""
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="payfirst")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be asked for before the gateway's word is known: the scene, and for an order the day's next number."""

    scene: Future[Scene]
    sequence: Future[int] | None


def prepare(context: SettlementContext, attempt: Attempt) -> Prepared:
    """Start reading what `settle` will need; the day's numbers may have gaps, so one may be drawn in vain."""
    threads = side_by_side()
    wants_number = attempt.kind is Kind.ORDER and attempt.status is not AttemptStatus.REFUND_DUE
    return Prepared(
        threads.submit(_read_scene, context, attempt),
        threads.submit(next_number, context) if wants_number else None,
    )


def settle(
    context: SettlementContext,
    attempt: Attempt,
    evidence: Evidence | None,
    *,
    notice: NoticeEvidence | None = None,
    prepared: Prepared | None = None,
    check: Check | None = None,
) -> Settled:
    """Take `attempt` as far as `evidence` (None: what is recorded already) allows, and no further.

    `notice` is what brought the evidence, where a notice did. `check` is the check that stays planned where the attempt fails
    although its gateway may still collect. Money that cannot be settled for a reason that will not pass comes before a person.
    ContentionError when others kept being faster; the attempt is then still due.
    """
    if attempt.unresolved and not isinstance(evidence, Captured | Declined | Disputed):
        return Settled.PENDING
    failed_before = False
    for tried in range(TRIES):
        if tried:
            attempt = attempts.read_again(context.table, attempt)
        scene = prepared.scene.result() if prepared and not tried else _read_scene(context, attempt)
        sequence = prepared.sequence if prepared else None
        settlement = Settlement(context, attempt, scene, evidence, notice, sequence, check)
        try:
            return _run(settlement, for_good=failed_before)
        except ConditionFailedError as error:
            warn("settle.again", ref=attempt.ref, failed=sorted(error.failed))
        except _BrokenError as error:
            alarm("settle.broken", ref=attempt.ref, error=type(error.__cause__).__name__)
            failed_before = True
        context = settlement.context
    raise ContentionError("This payment is being settled; please look again.")


class _BrokenError(Exception):
    """Settling this payment has failed once, by its cause, for a reason that lies in it or in this code."""


def _run(settlement: Settlement, *, for_good: bool) -> Settled:
    """Run it. What fails a second time, with everything read anew, will fail for ever: then a person gets to see the money."""
    try:
        return settlement.run()
    except Exception as error:
        has_money = settlement.attempt.captured is not None or isinstance(settlement.evidence, Captured)
        if not has_money or not lies_in_the_request(error):
            raise
        if not for_good:
            raise _BrokenError from error
        return settlement.give_up(error)


def _read_scene(context: SettlementContext, attempt: Attempt) -> Scene:
    session, cart = attempts.read_with_session(context.table, attempt, keys.produce_cart(attempt.owner))
    if session is None:
        raise LookupError(f"the session of {attempt.ref} is gone")
    return Scene(session_from_item(session), CartSeen(produce_cart_from_item(cart).version) if cart else None)
