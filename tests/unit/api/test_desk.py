"""What the desk's scripts know of the shop by themselves is what the code knows, and none of them makes markup."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from functions.site import app
from payfirst.domain.clock import BOOKINGS_ZONE, SHOP_ZONE
from payfirst.domain.moves import AttemptStatus, BookingStatus, OrderStatus, RefundStatus, SessionStatus
from payfirst.domain.paid_back import PaymentStatus
from payfirst.usecases.operators.funnel import Rate, Stage

ASSETS: Final = Path(app.__file__).with_name("assets")


def source(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def test_its_clocks_are_the_shops() -> None:
    assert f'ZONES = {{ order: "{SHOP_ZONE}", booking: "{BOOKINGS_ZONE}" }};' in source("desk.js")


def test_it_has_a_word_for_everything_that_something_may_be() -> None:
    words = {
        name: set(re.findall(r"^  \"?([\w.]+)\"?: t\(", found, re.MULTILINE))
        for name, found in re.findall(
            r"^const (\w+) = \{\n(.*?)^\};", source("desk-words.js") + source("desk-funnel.js"), re.MULTILINE | re.DOTALL
        )
    }
    kinds = {"ORDER": OrderStatus, "PAYMENT": PaymentStatus, "SESSION": SessionStatus, "ATTEMPT": AttemptStatus}
    kinds |= {"REFUND": RefundStatus, "STAGES": Stage, "RATES": Rate}
    assert {name: words[name] for name in kinds} == {name: {each.value for each in kind} for name, kind in kinds.items()}
    assert all(f"{each.value}: t(" in source("desk-words.js") for each in BookingStatus)


def test_no_script_makes_markup_of_text() -> None:
    for file in ASSETS.glob("*.js"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|srcdoc", text), (
            file.name
        )
