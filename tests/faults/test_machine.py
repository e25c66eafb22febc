"""Any sequence of what customers, gateways and schedules do, with a fault here and there, keeps every invariant."""

from __future__ import annotations

from tests.faults.machine import shop

TestShop = shop(40).TestCase
