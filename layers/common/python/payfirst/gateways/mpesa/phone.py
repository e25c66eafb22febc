"""Kenyan mobile numbers as M-Pesa wants them."""

from __future__ import annotations

import re
from typing import Final

from payfirst.domain.text import folded

_BETWEEN: Final = re.compile("[ ().\\[\\]\\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
"""What people and phones write between digits: blanks, brackets, dots, and hyphens of all kinds."""

_MOBILE: Final = re.compile(r"(?:(?:\+|0{2,3})?254)?0?([17][0-9]{8})")
_KENYA: Final = 254


def normalise_phone(written: str) -> str:
    """`0712 345 678`, `+254 (0) 712-345.678`, `00254112345678` as `254712345678`; ValueError if it is no Kenyan mobile number.

    Marks that phones paste and nobody sees are passed over. The error never repeats the number.
    """
    found = _MOBILE.fullmatch(_BETWEEN.sub("", folded(written)))
    if found is None:
        raise ValueError("this is not a Kenyan mobile number such as 0712345678 or 0112345678")
    return f"{_KENYA}{found[1]}"
