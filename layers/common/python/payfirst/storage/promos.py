"""Uses of promo codes: counted for the shop and for each customer, by the writes that take them.

`taken` counts all uses, those of payments under way included; `used` those that became a booking.
"""

from __future__ import annotations

from typing import Final

from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Condition, Update, Write, absent, any_of, at_most, below_attribute

PROMO: Final = "promo"
USES: Final = "promo_uses"


def take_writes(code: str, sub: str, limit: int | None, *, used: int = 0) -> list[Write]:
    """One use taken, if the shop has one left and the customer has had fewer than `limit`; `used` is 1 if it is used up at
    once."""
    left = any_of(absent("most_uses"), below_attribute("taken", "most_uses"))
    own: tuple[Condition, ...] = () if limit is None else (any_of(absent("taken"), at_most("taken", limit - 1)),)
    return [
        Update(PROMO, shop_keys.promo(code), when=(left,), add={"taken": 1, "used": used}),
        Update(USES, keys.promo_uses(sub, code), when=own, add={"taken": 1, "used": used}),
    ]


def use_writes(code: str, sub: str) -> list[Write]:
    """A held use is used up."""
    return [
        Update(PROMO, shop_keys.promo(code), add={"used": 1}),
        Update(USES, keys.promo_uses(sub, code), add={"used": 1}),
    ]


def free_writes(code: str, sub: str) -> list[Write]:
    """A held use given back to others."""
    return [
        Update(PROMO, shop_keys.promo(code), add={"taken": -1}),
        Update(USES, keys.promo_uses(sub, code), add={"taken": -1}),
    ]
