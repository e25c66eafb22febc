"""The slip that goes with an order."""

from __future__ import annotations

from dataclasses import replace

from ops.api_reference import samples
from ops.slip import slips
from payfirst.usecases.operators.deliveries import OrderFound

NASTY = "<script>alert(1)</script>\"'&"


def test_a_slip_says_where_an_order_goes_and_what_is_in_it() -> None:
    page = slips([OrderFound(samples.ORDER, samples.ORDERED, ())])
    for word in ("ORD-20240115-001", "John Doe", 'href="tel:0712345678"', "Likoni", "Mombasa", "2 kg", "Fresh Tomatoes"):
        assert word in page
    for word in ("Leave at the gate", "morning", "2024-01-15", "NLJ7RT61SV", "350.00 KES"):
        assert word in page


def test_whatever_a_customer_wrote_is_text_on_it() -> None:
    delivery = replace(
        samples.DELIVERY,
        full_name=NASTY,
        phone_number=NASTY,
        detailed_address=NASTY,
        special_instructions=NASTY,
        delivery_time_slot=NASTY,
    )
    line = replace(samples.LINE, product_name=NASTY, farm_name=NASTY, unit=NASTY)
    order = replace(samples.ORDER, delivery=delivery, lines=(line,), receipt=NASTY)
    page = slips([OrderFound(order, samples.ORDERED, ())])
    assert "<script>" not in page
    assert NASTY not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;") == 10
