"""Phone numbers that customers give."""

from __future__ import annotations

from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.gateways.mpesa.phone import normalise_phone


def mobile_number(field: str, given: str) -> str:
    """`given` as M-Pesa takes it (`254712345678`); InvalidInputError on `field` for what is not a Kenyan mobile number."""
    try:
        return normalise_phone(given)
    except ValueError as exc:
        sentence = "This is not a Kenyan mobile number; write it as 0712345678 or +254712345678."
        raise InvalidInputError(FieldProblem(field, sentence)) from exc
