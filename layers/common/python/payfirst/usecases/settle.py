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
from payfirst.observability import warn
from payfirst.storage import attempts, keys
from payfirst.storage.carts import produce_cart_from_item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.fulfilment import CartSeen
from payfirst.storage.items import session_from_item
from payfirst.storage.table import Key
from payfirst.usecases.settlement import TRIES, Settlement, next_number
from payfirst.usecases.settling import Check, Disputed, Evidence, Scene, Settled, Settling


@cache
def side_by_side() -> ThreadPoolExecutor:
    """The threads on which requests that do not need each other run at the same time."""
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="payfirst")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be asked for before the gateway's word is known: the scene, and for an order the day's next number."""

    scene: Future[Scene]
    sequence: Future[int] | None


def prepare(work: Settling, attempt: Attempt) -> Prepared:
    """Start reading what `settle` will need; the day's numbers may have gaps, so one may be drawn in vain."""
    threads = side_by_side()
    wants_number = attempt.kind is Kind.ORDER and attempt.status is not AttemptStatus.REFUND_DUE
    return Prepared(
        threads.submit(_look, work, attempt),
        threads.submit(next_number, work) if wants_number else None,
    )


def settle(
    work: Settling,
    attempt: Attempt,
    evidence: Evidence | None,
    *,
    notice: Key | None = None,
    prepared: Prepared | None = None,
    check: Check | None = None,
) -> Settled:
    """Take `attempt` as far as `evidence` (None: what is recorded already) allows, and no further.

    `notice` is the key of the stored notice that the last write marks as settled. `check` is the look that stays planned where
    the attempt fails although its gateway may still collect. ContentionError when others kept being faster; the attempt is then
    still due.
    """
    if attempt.unresolved and not isinstance(evidence, Captured | Declined | Disputed):
        return Settled.PENDING
    for tried in range(TRIES):
        if tried:
            attempt = attempts.read_again(work.table, attempt)
        scene = prepared.scene.result() if prepared and not tried else _look(work, attempt)
        sequence = prepared.sequence if prepared else None
        try:
            return Settlement(work, attempt, scene, evidence, notice, sequence, check).run()
        except ConditionFailedError as error:
            warn("settle.again", ref=attempt.ref, failed=sorted(error.failed))
    raise ContentionError("This payment is being settled; please look again.")


def _look(work: Settling, attempt: Attempt) -> Scene:
    session, cart = attempts.read_with_session(work.table, attempt, keys.produce_cart(attempt.owner))
    if session is None:
        raise LookupError(f"the session of {attempt.ref} is gone")
    return Scene(session_from_item(session), CartSeen(produce_cart_from_item(cart).version) if cart else None)
