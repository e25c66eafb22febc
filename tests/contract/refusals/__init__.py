"""How each documented answer of each operation is brought about over HTTP: one recipe for each pair of the two."""

from __future__ import annotations

from tests.contract.refusals import answers, bookings, operators, orders, promos, usual

__all__ = ["answers", "bookings", "operators", "orders", "promos", "usual"]
