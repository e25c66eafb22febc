"""Who may meet whom: the races that payments are lost in, each as a shop, its actors and what has to come of it."""

from __future__ import annotations

from tests.faults.scenarios import afterwards, customers, notices, returns, scarcity
from tests.faults.scenarios.base import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "Scenario", "afterwards", "customers", "notices", "returns", "scarcity"]
