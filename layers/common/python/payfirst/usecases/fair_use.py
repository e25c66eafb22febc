"""The refusal for a customer or a phone that has asked for as much as an hour allows."""

from __future__ import annotations

from datetime import datetime

from payfirst.domain.errors import FairUseError
from payfirst.domain.fair_use import seconds_until_next_hour
from payfirst.observability import note
from payfirst.storage import fair_use


def asked_enough(failed: set[str], now: datetime) -> FairUseError:
    """What to say when one of the counters stood in the way; `failed` are the names of the writes that did."""
    reached = sorted(failed & fair_use.COUNTERS)
    note("fair_use.reached", limits=reached)
    if fair_use.PHONE_PROMPTS in failed:
        message = "This phone was prompted as often as an hour allows; please try again later."
    elif fair_use.PROMPTS in failed:
        message = "You have started as many payments as an hour allows; please try again later."
    else:
        message = "You have opened as many payment sessions as an hour allows; please try again later."
    return FairUseError(message, retry_after_seconds=seconds_until_next_hour(now))
