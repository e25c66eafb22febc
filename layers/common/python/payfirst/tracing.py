"""Subsegments for X-Ray; imported only where the stack is traced."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Tracer
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter  # type: ignore[import-untyped]


class WithoutMessages(UDPEmitter):  # type: ignore[misc] # it has no types
    """Sends a subsegment without what its exceptions say: SES, for one, repeats a customer's address there."""

    def send_entity(self, entity: Any) -> None:  # noqa: ANN401 - X-Ray's entities have no type
        """The exception's type and place stay."""
        cause = entity.cause
        for each in cause.get("exceptions", ()) if isinstance(cause, dict) else ():
            each.message = ""
        super().send_entity(entity)


def recorder() -> Any:  # noqa: ANN401 - likewise
    """X-Ray's recorder, from now on with a subsegment for each call to AWS; idle outside Lambda, where no daemon listens."""
    found: Any = Tracer(service="payfirst", patch_modules=("botocore",)).provider
    found.configure(emitter=WithoutMessages())
    return found
