"""What may stand in a catalogue file: its fields, and the entries that they make."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ops.catalogue_fields import (
    Amount,
    Count,
    Description,
    Hold,
    Hours,
    ImageUrl,
    Moment,
    Number,
    Openings,
    OpeningsByDay,
    Payable,
    Percent,
    Price,
    Stock,
    Words,
    Zone,
    once,
)
from payfirst.domain.booking import AS_USUAL, MAX_RESCHEDULES, ChangeRules, RefundStep
from payfirst.domain.calendar import Calendar
from payfirst.domain.catalogue import Listing, Package, Service, ServiceType
from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.days import LONGEST_HOURS
from payfirst.domain.delivery import CURRENCY
from payfirst.domain.money import Money
from payfirst.domain.promo import AppliesTo, AppliesToListing, Promo
from payfirst.domain.text import folded
from payfirst.domain.times import read_day

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class ListingForm(_Form):
    """A listing; `available` is the stock of a new one, and is left alone where it is there already. What is not `active` is
    not sold."""

    id: Number
    product_name: Words
    farm_name: Words
    unit: Words
    price: Price
    available: Stock
    currency: Payable = CURRENCY
    zone: Zone = SHOP_ZONE
    hold: Hold = "none"
    active: Annotated[bool, Field(strict=True)] = True
    description: Description = ""
    image_url: ImageUrl | None = None

    def entry(self) -> Listing:
        return Listing(
            number=self.id,
            product_name=self.product_name,
            farm_name=self.farm_name,
            unit=self.unit,
            price=Money.of(self.price, self.currency),
            available=self.available,
            hold=self.hold != "none",
            zone=self.zone,
            active=self.active,
            description=self.description,
            image_url=self.image_url,
        )


class PackageForm(_Form):
    """One way to have a service."""

    id: Number
    name: Words
    price: Price


class CalendarForm(_Form):
    """When a service can be had; `exceptions` take the weekday's place, and are closed where they name no opening."""

    opening: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Openings]
    exceptions: OpeningsByDay = Field(default_factory=dict)
    slot_minutes: Annotated[int, Field(strict=True, ge=5, le=1440)]
    capacity: Annotated[int, Field(strict=True, ge=1, lt=10**6)]
    lead_minutes: Annotated[int, Field(strict=True, ge=0, le=60 * LONGEST_HOURS)] = 0
    days_ahead: Annotated[int, Field(strict=True, ge=0, le=3650)] = 365
    hold: Hold = "none"

    def calendar(self) -> Calendar:
        return Calendar(
            weekdays={WEEKDAYS.index(day): tuple(openings) for day, openings in self.opening.items()},
            exceptions={read_day(folded(day)): tuple(openings) for day, openings in self.exceptions.items()},
            slot_minutes=self.slot_minutes,
            capacity=self.capacity,
            lead_minutes=self.lead_minutes,
            days_ahead=self.days_ahead,
            hold=self.hold != "none",
        )


class RescheduleForm(_Form):
    """How often a booking may move, and until how many hours before it."""

    most: Annotated[int, Field(strict=True, ge=0, le=MAX_RESCHEDULES)] = MAX_RESCHEDULES
    hours_before: Hours | None = None


class RefundForm(_Form):
    """What who cancels that many hours before gets back."""

    hours_before: Hours
    percent: Annotated[int, Field(strict=True, ge=0, le=100)]


class ServiceForm(_Form):
    """A service with either packages or a price; any time will do without a calendar."""

    type: ServiceType
    id: Number
    name: Words
    description: Words
    zone: Zone
    currency: Payable
    packages: Annotated[list[PackageForm], once("id")] = Field(default_factory=list)
    price: Price | None = None
    calendar: CalendarForm | None = None
    reschedule: RescheduleForm = RescheduleForm()
    cancel: Annotated[list[RefundForm], once("hours_before")] | None = None
    active: Annotated[bool, Field(strict=True)] = True
    image_url: ImageUrl | None = None

    @model_validator(mode="after")
    def _one_way_to_pay(self) -> ServiceForm:
        if bool(self.packages) == (self.price is not None):
            raise ValueError("a service has either packages or a price")
        return self

    def entry(self) -> Service:
        refunds = AS_USUAL.refunds
        if self.cancel is not None:
            refunds = tuple(RefundStep(step.hours_before, step.percent) for step in self.cancel)
        return Service(
            kind=self.type,
            number=self.id,
            name=self.name,
            description=self.description,
            zone=self.zone,
            currency=self.currency,
            packages=tuple(Package(each.id, each.name, Money.of(each.price, self.currency)) for each in self.packages),
            price=None if self.price is None else Money.of(self.price, self.currency),
            calendar=self.calendar.calendar() if self.calendar else None,
            changes=ChangeRules(self.reschedule.most, self.reschedule.hours_before, refunds),
            active=self.active,
            image_url=self.image_url,
        )


class AppliesToForm(_Form):
    """What a promo counts for: a service, of it a package, or a listing."""

    type: ServiceType | None = None
    id: Number | None = None
    package: Number | None = None
    listing: Number | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> AppliesToForm:
        service = (self.type, self.id)
        if (None in service) if self.listing is None else (*service, self.package) != (None, None, None):
            raise ValueError("either a service, with type and id, or a listing is expected")
        return self

    def meant(self) -> AppliesTo | AppliesToListing:
        if self.type is None or self.id is None:
            return AppliesToListing(self.listing or 0)
        return AppliesTo(self.type, self.id, self.package)


class PromoForm(_Form):
    """A promo code, which takes off either an amount or per cent."""

    code: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    currency: Payable
    amount: Price | None = None
    percent: Percent | None = None
    minimum: Amount | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    most_uses: Count | None = None
    most_uses_each: Count | None = None
    applies_to: list[AppliesToForm] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_way_off(self) -> PromoForm:
        if (self.amount is None) == (self.percent is None):
            raise ValueError("a promo takes off either an amount or per cent")
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise PydanticCustomError("never", "an instant after valid_from is expected", {"at": ("valid_until",)})
        return self

    def entry(self) -> Promo:
        return Promo(
            code=self.code.upper(),
            currency=self.currency,
            amount=None if self.amount is None else Money.of(self.amount, self.currency),
            percent=self.percent,
            minimum=None if self.minimum is None else Money.of(self.minimum, self.currency),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            most_uses=self.most_uses,
            most_uses_each=self.most_uses_each,
            applies_to=tuple(each.meant() for each in self.applies_to),
        )


class CatalogueForm(_Form):
    """A whole file."""

    listings: list[ListingForm] = Field(default_factory=list)
    services: list[ServiceForm] = Field(default_factory=list)
    promos: list[PromoForm] = Field(default_factory=list)
