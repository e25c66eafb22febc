"""Slips that go with an order: what is in it and where it goes, to be printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.printing import visible
from payfirst.domain import locations
from payfirst.domain.session import OrderLine
from payfirst.usecases.operators.deliveries import OrderFound

_TEMPLATES: Final = Path(__file__).with_name("templates")


def slips(found: Sequence[OrderFound]) -> str:
    """A page of HTML with one sheet for each order; what customers wrote is text, and no terminal obeys it."""
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    return templates.get_template("slip.html").render(
        sheets=found, county=locations.county, subcounty=locations.subcounty, quantity=_quantity
    )


def _quantity(line: OrderLine) -> str:
    return f"{line.quantity.normalize():f} {line.unit}"
