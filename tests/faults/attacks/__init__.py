"""What has to be refused, or to change nothing: forgeries, limits, and requests that come too late or twice."""

from tests.faults.attacks import (
    claims,
    hints,
    housekeeping,
    kept_appointments,
    late_money,
    limits,
    money,
    moves,
    notices,
    paid_back,
    receipts,
    settling,
)
from tests.faults.attacks.registry import ATTACKS, run

__all__ = [
    "ATTACKS",
    "claims",
    "hints",
    "housekeeping",
    "kept_appointments",
    "late_money",
    "limits",
    "money",
    "moves",
    "notices",
    "paid_back",
    "receipts",
    "run",
    "settling",
]
