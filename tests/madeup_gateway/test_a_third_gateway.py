"""A gateway that is one folder and one line: paid end to end, in a currency of its own and beside another one for rupees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.credential_check import forms_of, prove
from ops.credential_notice import try_notice
from ops.credential_target import Target
from ops.reconcile.books import Became
from ops.reconcile.books import Field as Reconciled
from ops.reconcile.comparison import compare
from ops.reconcile.statement_ledger import compare_statements
from ops.reconcile.statements import read_statements
from payfirst.api import resources
from payfirst.domain.money import Currency
from payfirst.domain.session import Customer
from payfirst.gateways.account import CredentialError
from payfirst.gateways.registry import check_settings, currencies
from payfirst.settings import SettingError
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.settlement.take_notice import Taken
from tests.faults import matrix
from tests.faults.book import Book, theirs
from tests.faults.flows.base import Act, Flow
from tests.faults.front import AnsweredError
from tests.faults.model_table import ModelTable
from tests.faults.rest import settle_down
from tests.faults.world import World, at_work
from tests.madeup_gateway import TERMS
from tests.madeup_gateway.client import Cowry, CowryCredentials
from tests.madeup_gateway.simulator import KEY, cowry_there, served
from tests.unit.test_settings import LOCAL, PRODUCTION


@dataclass(frozen=True, slots=True)
class Cart:
    """What is paid, and how the gateway is chosen."""

    currency: Currency
    chosen: dict[str, str]

    def paid_for(self, world: World, customer: Customer) -> Started:
        """The customer asks to pay; the prompt is on the phone."""
        cart = world.booking_cart(customer, price=51_200, currency=self.currency)
        return world.process(cart, customer, phone_number="255 712 345 678", **self.chosen)


CARTS = {
    "the gateway of a currency of its own": Cart(Currency.TZS, {}),
    "a second gateway for rupees": Cart(Currency.INR, {"method": "COWRY"}),
}


@pytest.fixture(autouse=True)
def _there() -> Iterator[None]:
    with cowry_there():
        yield


@pytest.fixture(params=CARTS.values(), ids=list(CARTS))
def cart(request: pytest.FixtureRequest) -> Cart:
    found: Cart = request.param
    return found


def test_a_cart_is_paid_end_to_end_over_http_with_a_letter_and_its_money_goes_back(
    cart: Cart, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(ModelTable(), seed=3, writes_letters=True)
    customer = world.customer()
    with served(world.ledger) as address, at_work(world):
        client = Cowry(CowryCredentials(KEY), address, TERMS)
        monkeypatch.setattr(resources, "gateway", lambda _: client)
        started = cart.paid_for(world, customer)
        assert (started.attempt.gateway, str(started.session.amount)) == ("COWRY", "515.00")
        assert world.ledger.pay(started.attempt.ref)
        assert world.deliver(world.ledger.notices.pop()) is Taken.SETTLED
        _, seen = world.http("GET", f"/api/payments/{started.session.number}/check-booking/", customer)
        assert (seen["payment_status"], seen["booking"]["currency"]) == ("SUCCESS", cart.currency)
        path = f"/api/operators/payments/{started.attempt.ref}/refund/"
        world.operate("POST", path, {"amount": "10.00", "why": "a gesture"})
        for _ in range(2):
            world.now += timedelta(minutes=5)
            world.sweep()
    assert [back.amount for back in world.ledger.paid_back.values()] == [1000]
    assert world.post.came
    books = compare(theirs(world.ledger), world.items())
    assert (books.differences, [line.became for line in books.compared]) == ([], [Became.BOOKING])


def test_a_forged_notice_is_refused_and_one_that_never_comes_is_made_up_for_by_a_sweep(cart: Cart) -> None:
    world = World(ModelTable(), seed=4)
    with at_work(world):
        started = cart.paid_for(world, world.customer())
        world.ledger.pay(started.attempt.ref)
        forged = world.ledger.notices.pop()
        forged.signed = dict.fromkeys(forged.signed, "0" * 64)
        with pytest.raises(AnsweredError) as refused:
            world.deliver(forged)
        assert refused.value.status == 401
        settle_down(world)
        assert len(Book.of(world.items()).outcomes) == 1


def test_its_portals_file_is_reconciled_with_the_shop(tmp_path: Path) -> None:
    world = World(ModelTable(), seed=6)
    with at_work(world):
        refs = []
        for _ in range(2):
            started = CARTS["the gateway of a currency of its own"].paid_for(world, world.customer())
            world.ledger.pay(started.attempt.ref)
            world.deliver_all()
            refs.append(started.attempt.ref)
    file = tmp_path / "cowry.csv"
    lines = ["Our Reference,Received,Received At", *(f"{ref},515.00,2026-03-02 11:00:00" for ref in refs)]
    file.write_text("\n".join(lines), encoding="utf-8")
    assert compare_statements(read_statements([file]), world.items()).differences == []
    file.write_text("\n".join(lines[:-1]), encoding="utf-8")
    [difference] = compare_statements(read_statements([file]), world.items()).differences
    assert (difference.gateway, difference.attempt, difference.field) == ("cowry", refs[1], Reconciled.PAYMENT)


def _pushed(cart: Cart) -> Flow:
    def prepare(world: World) -> Act:
        customer = world.customer()
        chosen = world.booking_cart(customer, price=51_200, currency=cart.currency)
        return lambda there: there.process(chosen, customer, phone_number="255712345678", **cart.chosen)

    return Flow("a cart is paid for", prepare)


def _told(cart: Cart) -> Flow:
    def prepare(world: World) -> Act:
        started = cart.paid_for(world, world.customer())
        world.ledger.pay(started.attempt.ref)
        told = world.ledger.notices.pop()
        return lambda there: there.deliver(told)

    return Flow("it tells of a success", prepare)


def _swept(cart: Cart) -> Flow:
    def prepare(world: World) -> Act:
        started = cart.paid_for(world, world.customer())
        world.ledger.pay(started.attempt.ref, amount=started.session.amount.minor - 500)
        world.ledger.notices.clear()
        world.now += timedelta(minutes=2)
        return lambda there: there.reconcile()

    return Flow("a sweep finds another amount, which goes back", prepare)


@pytest.mark.parametrize("flow", [_pushed, _told, _swept])
def test_every_fault_at_every_call_ends_in_one_place(cart: Cart, flow: object) -> None:
    made = flow(cart)  # type: ignore[operator]
    asked = [matrix.run(*found) for found in matrix.cases(made)]
    assert len(asked) > 100


def test_customers_choose_among_the_gateways_of_their_currency_alone() -> None:
    world = World(ModelTable(), seed=5)
    with at_work(world):
        customer = world.customer()
        shillings = world.booking_cart(customer, currency=Currency.TZS)
        with pytest.raises(AnsweredError, match="A cart in TZS is paid by COWRY"):
            world.process(shillings, customer, method="PHONEPE")
        with pytest.raises(AnsweredError, match="Cowry needs the phone number to prompt"):
            world.process(shillings, customer)
        rupees = world.booking_cart(customer)
        assert world.process(rupees, customer).attempt.gateway == "PHONEPE"
        _, listed = world.http("GET", "/api/listings/", query="currency=tzs")
        assert listed["results"] == []


def test_an_operator_is_asked_for_its_key_which_is_tried_before_it_is_stored() -> None:
    [form] = forms_of("cowry")
    assert [field.variable for field in form.fields] == ["COWRY_KEY"]
    with served(World(ModelTable()).ledger) as address:
        prove(form, {"key": KEY}, address)
        with pytest.raises(CredentialError, match="Cowry does not know these credentials"):
            prove(form, {"key": "another"}, address)
    nobody: Any = None
    said = try_notice(form, {"key": KEY}, Target("cowry", nobody, "secret"))
    assert said is not None
    assert "A notice signed with the key would be taken" in said


def test_its_own_setting_is_read_and_guarded_like_every_other() -> None:
    with pytest.raises(SettingError, match="COWRY_BASE_URL is missing"):
        check_settings(LOCAL)
    check_settings(LOCAL | {"COWRY_BASE_URL": "http://127.0.0.1:1"})
    with pytest.raises(SettingError, match="COWRY_BASE_URL is the gateway's sandbox"):
        check_settings(PRODUCTION | {"COWRY_BASE_URL": "https://sandbox.cowry.example"})
    assert currencies() == ["INR", "KES", "TZS"]
