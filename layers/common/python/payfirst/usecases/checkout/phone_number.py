"""Phone numbers that customers give."""

from __future__ import annotations

from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.gateways.registry import declaration_of


def number_to_prompt(terms: GatewayTerms, field: str, given: str) -> str:
    """`given` as the gateway takes it; InvalidInputError on `field` for what is no number that it can prompt."""
    try:
        return declaration_of(terms.name).payer(given)
    except ValueError as exc:
        raise InvalidInputError(FieldProblem(field, str(exc))) from exc
