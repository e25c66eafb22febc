"""A shop as hypothesis plays it: any sequence of what customers, gateways and schedules do, with a fault here and there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from payfirst.domain.errors import PayFirstError
from payfirst.domain.session import Customer, Session
from tests.faults.invariants import check
from tests.faults.matrix import watched
from tests.faults.model_table import ModelTable
from tests.faults.rest import settle_down
from tests.faults.seam import Fault, Killed
from tests.faults.told import Notice
from tests.faults.world import World, at_work

STEPS: Final = 30
_FAULTS: Final = st.sampled_from([Fault.LOST_REQUEST, Fault.LOST_RESPONSE, Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
_MAYBE: Final = st.none() | st.tuples(st.integers(0, 8), _FAULTS)
Met = tuple[int, Fault] | None


class Shop(RuleBasedStateMachine):
    """A shop with little stock and few promo uses, so that things run out."""

    customers = Bundle("customers")
    sessions = Bundle("sessions")
    carts = Bundle("carts")
    notices = Bundle("notices")

    def __init__(self) -> None:
        super().__init__()
        self.world = watched(World(ModelTable(), seed=7))
        self._stack = ExitStack()
        self._stack.enter_context(at_work(self.world))
        self._late: set[str] = set()

    @initialize()
    def open(self) -> None:
        self.world.stock("7")
        self.world.promo("SAVE", 2)

    def _meeting(self, met: Met, act: Callable[[], Any]) -> Any:
        """What `act` answers, where its `met[0]`th call meets a fault; None when it was refused or killed."""
        seam = self.world.seam
        seam.made.clear()
        seam.plan = lambda boundary: met[1] if met and boundary.number == met[0] else None
        seam.active = True
        try:
            return act()
        except (PayFirstError, Killed, ConnectionError):
            return None
        finally:
            seam.active = False

    @rule(target=customers)
    def somebody_comes(self) -> Customer:
        return self.world.customer()

    @rule(target=sessions, customer=customers, quantity=st.sampled_from(["1", "2", "3"]))
    def a_session_is_made(self, customer: Customer, quantity: str) -> Session | None:
        session: Session | None = self._meeting(None, lambda: self.world.session(customer, quantity=quantity))
        return session

    @rule(session=sessions, met=_MAYBE)
    def a_payment_is_initiated(self, session: Session | None, met: Met) -> None:
        if session is not None:
            self._meeting(met, lambda: self.world.initiate(session))

    @rule(session=sessions)
    def a_session_is_extended(self, session: Session | None) -> None:
        if session is not None:
            self._meeting(None, lambda: self.world.extend(session))

    @rule(target=carts, customer=customers, promo=st.sampled_from([None, "SAVE"]))
    def a_cart_is_made(self, customer: Customer, promo: str | None) -> Any:
        return customer, self.world.booking_cart(customer, promo=promo)

    @rule(made=carts, met=_MAYBE)
    def a_cart_is_paid_for(self, made: Any, met: Met) -> None:
        customer, cart = made
        self._meeting(met, lambda: self.world.process(cart, customer))

    @rule(number=st.integers(0, 20), pays=st.booleans())
    def a_payer_decides(self, number: int, pays: bool) -> None:  # noqa: FBT001 - hypothesis names it
        refs = sorted(self.world.ledger.payments)
        if refs:
            ref = refs[number % len(refs)]
            (self.world.ledger.pay if pays else self.world.ledger.decline)(ref)

    @rule(target=notices, met=_MAYBE)
    def a_gateway_tells(self, met: Met) -> Notice | None:
        if not self.world.ledger.notices:
            return None
        notice = self.world.ledger.notices.pop(0)
        self._meeting(met, lambda: self.world.deliver(notice))
        return notice

    @rule(notice=notices)
    def a_gateway_tells_again(self, notice: Notice | None) -> None:
        if notice is not None:
            self._meeting(None, lambda: self.world.deliver(notice))

    @rule(seconds=st.sampled_from([5, 30, 120, 600]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(met=_MAYBE)
    def the_sweeps_run(self, met: Met) -> None:
        self._meeting(met, self.world.expire)
        self._meeting(met, self.world.reconcile)
        self._meeting(None, self.world.deliver_events)

    @rule(met=_MAYBE)
    def the_queue_is_worked(self, met: Met) -> None:
        self._meeting(met, self.world.work_queue)

    @invariant()
    def every_invariant_holds(self) -> None:
        check(self.world)

    def teardown(self) -> None:
        try:
            settle_down(self.world)
        finally:
            self._stack.close()


def shop(examples: int) -> type[Shop]:
    """The machine with that many sequences of 30 steps; always the same ones."""
    Shop.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    return Shop
