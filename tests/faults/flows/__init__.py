"""One flow for each way through each use case: what was there before, and the one call that is made to meet faults."""

from __future__ import annotations

from tests.faults.flows import keeping, notices, operators, payments, promos, shopping, slots, sweeps
from tests.faults.flows.base import FLOWS, Act, Flow, paid_booking, paid_order

__all__ = ["FLOWS", "Act", "Flow", "keeping", "notices", "operators", "paid_booking", "paid_order"]
__all__ += ["payments", "promos", "shopping", "slots", "sweeps"]
