"""Document B's request for a session."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field

from payfirst.api.wire.fields import Day, In, Number, PhoneNumber, RequiredText, ShortText, Text
from payfirst.domain.session import Delivery

Part = Literal["", "morning", "afternoon", "evening", "anytime"]


def _part_of_day(value: object) -> object:
    if not isinstance(value, str) or value not in get_args(Part):
        raise ValueError(f"One of these is expected: {', '.join(filter(None, get_args(Part)))}.")
    return value


TimeSlot = Annotated[Part, BeforeValidator(_part_of_day), Field(description="When to deliver.")]


class DeliveryIn(In):
    """Where to deliver; the last three may stand here or beside `delivery_details`."""

    full_name: ShortText
    phone_number: PhoneNumber
    county_id: Number
    subcounty_id: Number
    detailed_address: RequiredText
    special_instructions: Text | None = None
    delivery_time_slot: TimeSlot | None = None
    estimated_delivery_date: Day | None = None


class CreateSessionIn(In):
    """`POST /api/payments/sessions/`."""

    DELIVERY: ClassVar[str] = "delivery_details"
    """Where the fields of a `Delivery` stand."""

    delivery_details: DeliveryIn
    special_instructions: Text | None = None
    delivery_time_slot: TimeSlot | None = None
    estimated_delivery_date: Day | None = None

    @property
    def field_of_day(self) -> str:
        """Where the day of delivery stands that counts."""
        return "estimated_delivery_date" if self.estimated_delivery_date else f"{self.DELIVERY}.estimated_delivery_date"

    def delivery(self) -> Delivery:
        """The delivery as the domain knows it; what stands beside `delivery_details` wins over what stands inside."""
        inside = self.delivery_details
        return Delivery(
            full_name=inside.full_name,
            phone_number=inside.phone_number,
            county_id=inside.county_id,
            subcounty_id=inside.subcounty_id,
            detailed_address=inside.detailed_address,
            special_instructions=self.special_instructions or inside.special_instructions or "",
            delivery_time_slot=self.delivery_time_slot or inside.delivery_time_slot or "",
            estimated_delivery_date=self.estimated_delivery_date or inside.estimated_delivery_date,
        )
