"""The shop of the payment tests, whose bookings and orders are made by real settlement."""

from __future__ import annotations

from tests.integration.payments.conftest import queue, shop, simulators

__all__ = ["queue", "shop", "simulators"]
