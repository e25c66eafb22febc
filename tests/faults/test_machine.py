"""Any sequence of what customers, gateways and schedules do, with a fault here and there, keeps every invariant."""

from __future__ import annotations

import pytest

from tests.faults.machine import shop

TestShop = pytest.mark.short_form(shop(40).TestCase)
