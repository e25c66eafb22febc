"""Plain values as DynamoDB's typed ones and back, as `boto3.dynamodb.types` has them for the types that items hold.

That module brings boto3 and s3transfer into every function and asks each value twice as much: 3 % of an import and 2 % of a
first answer, counted in instructions.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Rounded, Underflow
from typing import Any, Final

_NUMBERS: Final = Context(Emin=-128, Emax=126, prec=38, traps=[Clamped, Overflow, Inexact, Rounded, Underflow])
"""DynamoDB's numbers: 38 digits; what does not fit is an ArithmeticError, never another number."""


def typed(value: Any) -> dict[str, Any]:
    """None, bool, int, Decimal, str, bytes, a list or a mapping as the low-level client wants it; TypeError for anything else,
    a float too."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | Decimal):
        number = _NUMBERS.create_decimal(value)
        if not number.is_finite():
            raise TypeError(f"{value} is no number that DynamoDB keeps")
        return {"N": str(number)}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, Mapping):
        return {"M": {name: typed(each) for name, each in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [typed(each) for each in value]}
    raise TypeError(f"DynamoDB has no place for a {type(value).__name__}")


def plain_value(given: Mapping[str, Any]) -> Any:
    """What a client answered, bytes as such or in base64, as a plain value; numbers are Decimal. TypeError for a type that no
    item holds."""
    ((kind, value),) = given.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "B":
            return b64decode(value) if isinstance(value, str) else value
        case "N":
            return _NUMBERS.create_decimal(value)
        case "M":
            return {name: plain_value(each) for name, each in value.items()}
        case "L":
            return [plain_value(each) for each in value]
        case "NULL":
            return None
        case _:
            raise TypeError(f"no item of ours holds DynamoDB's type {kind}")
