"""Instants as the people of the shop read them: on the shop's clock, whose zone is named."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.session import BookingSnapshot, Session


def local(moment: datetime, zone: str = SHOP_ZONE) -> str:
    """`2026-11-22 01:43:47 EAT`; without a zone on the clock by which orders are numbered."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def zone_of(session: Session) -> str:
    """The clock of what was bought: a service has one of its own."""
    return session.snapshot.zone if isinstance(session.snapshot, BookingSnapshot) else SHOP_ZONE
