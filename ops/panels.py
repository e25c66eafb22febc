"""The headings under which `payfirst --help` lists its commands."""

from __future__ import annotations

from typing import Final

SHOP: Final = "The shop's day"
PAYMENTS: Final = "Payments that need a person"
SETTING_UP: Final = "Setting up and trying out"
DEVELOPING: Final = "For developers"
