"""The versions that stored items have, and how an item of an older one is read.

A `Put` writes `schema_v`; an `Update` leaves it as it is, so an older item may hold attributes that a newer release has set.
A step from one version to the next therefore adds what is missing and never overwrites. Items without a version are those that
only updates make (locks, counters, guards), and keys from the index: they are read by what they hold.

An item of a version that this release does not know is not read at all: what is not understood must not be acted upon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from payfirst.domain.errors import TemporaryError
from payfirst.observability import alarm

VERSION: Final = 1
"""The version that this release writes, and the newest that it reads."""

ATTRIBUTE: Final = "schema_v"

Step = Callable[[Mapping[str, Any]], Mapping[str, Any]]

STEPS: Final[Mapping[int, Step]] = {}
"""By version: what makes an item of it one of the next."""


class NewerItemError(TemporaryError):
    """A newer release has written this; nothing was done with it."""

    code = "NEWER_RELEASE_NEEDED"
    retry_after_seconds = 60


def upgraded(item: dict[str, Any], *, version: int = VERSION, steps: Mapping[int, Step] = STEPS) -> dict[str, Any]:
    """`item` as `version` has it; NewerItemError, and an alarm, for an item of a version after it."""
    written = int(item.get(ATTRIBUTE, version))
    if written > version:
        kind = str(item.get("sk", "")).split("#", maxsplit=1)[0]
        alarm("item.newer", kind=kind, written=written, known=version)
        raise NewerItemError("This was written by a newer release than the one that answers.")
    for step in range(written, version):
        item = {**item, **steps[step](item)}
    return item if written == version else {**item, ATTRIBUTE: version}
