"""What may stand in a catalogue file: its fields, and the entries that they make."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from payfirst.domain.booking import AS_USUAL, MAX_RESCHEDULES, ChangeRules, RefundStep
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import NAIROBI, Listing, Package, Service, ServiceType
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesTo, AppliesToListing, Promo

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a whole number, or a number in quotes, is expected")  # noqa: TRY004 - pydantic collects ValueErrors
    try:
        number = Decimal(value)
    except InvalidOperation as exc:
        raise ValueError("a number is expected") from exc
    if not number.is_finite() or number < 0:
        raise ValueError("a number that is not below zero is expected")
    return number


def _amount(value: object) -> Decimal:
    number = _decimal(value)
    Money.of(number, Currency.INR)  # says it where there are more than two decimal places
    return number


def _stock(value: object) -> Decimal:
    number = _decimal(value)
    if number != round(number, 3):
        raise ValueError("at most three decimal places are expected")
    return number


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{value} is no instant with an offset or a Z")
    return value.astimezone(UTC)


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise ValueError(f"there is no time zone {value}") from exc


def _opening(value: object) -> Opening:
    """`09:00-12:30`; `24:00` is the end of the day."""
    opens, dash, closes = value.partition("-") if isinstance(value, str) else ("", "", "")
    try:
        found = Opening(time.fromisoformat(opens), time.min if closes == "24:00" else time.fromisoformat(closes))
    except ValueError as exc:
        raise ValueError("an opening like 09:00-12:30 is expected") from exc
    if not dash or (found.closes <= found.opens and closes != "24:00"):
        raise ValueError("an opening ends after it begins")
    return found


def _apart(openings: list[Any]) -> list[Any]:
    ordered = sorted(openings, key=lambda each: each.opens)
    for earlier, later in pairwise(ordered):
        if earlier.closes == time.min or later.opens < earlier.closes:
            raise ValueError("openings of a day may not overlap")
    return ordered


Number = Annotated[int, Field(strict=True, gt=0, lt=10**9)]
Count = Annotated[int, Field(strict=True, ge=0)]
Words = Annotated[str, Field(strict=True, min_length=1, max_length=500)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
Moment = Annotated[Any, BeforeValidator(_moment)]
Openings = Annotated[list[Annotated[Any, BeforeValidator(_opening)]], AfterValidator(_apart)]
Hold = Literal["none", "at_initiate"]
Zone = Annotated[str, AfterValidator(_zone)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class ListingForm(_Form):
    """A listing; `available` is the stock of a new one, and is left alone where it is there already. What is not `active` is
    not sold."""

    id: Number
    product_name: Words
    farm_name: Words
    unit: Words
    price: Amount
    available: Annotated[Decimal, BeforeValidator(_stock)]
    currency: Currency = Currency.KES
    zone: Zone = NAIROBI
    hold: Hold = "none"
    active: Annotated[bool, Field(strict=True)] = True

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
        )


class PackageForm(_Form):
    """One way to have a service."""

    id: Number
    name: Words
    price: Amount


class CalendarForm(_Form):
    """When a service can be had; `exceptions` take the weekday's place, and are closed where they name no opening."""

    opening: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Openings]
    exceptions: dict[date, Openings] = Field(default_factory=dict)
    slot_minutes: Annotated[int, Field(strict=True, ge=5, le=1440)]
    capacity: Annotated[int, Field(strict=True, ge=1)]
    lead_minutes: Count = 0
    days_ahead: Annotated[int, Field(strict=True, ge=0, le=3650)] = 365
    hold: Hold = "none"

    def calendar(self) -> Calendar:
        return Calendar(
            weekdays={WEEKDAYS.index(day): tuple(openings) for day, openings in self.opening.items()},
            exceptions={day: tuple(openings) for day, openings in self.exceptions.items()},
            slot_minutes=self.slot_minutes,
            capacity=self.capacity,
            lead_minutes=self.lead_minutes,
            days_ahead=self.days_ahead,
            hold=self.hold != "none",
        )


class RescheduleForm(_Form):
    """How often a booking may move, and until how many hours before it."""

    most: Annotated[int, Field(strict=True, ge=0, le=MAX_RESCHEDULES)] = MAX_RESCHEDULES
    hours_before: Count | None = None


class RefundForm(_Form):
    """What who cancels that many hours before gets back."""

    hours_before: Count
    percent: Annotated[int, Field(strict=True, ge=0, le=100)]


class ServiceForm(_Form):
    """A service with either packages or a price; any time will do without a calendar."""

    type: ServiceType
    id: Number
    name: Words
    description: Words
    zone: Zone
    currency: Currency
    packages: list[PackageForm] = Field(default_factory=list)
    price: Amount | None = None
    calendar: CalendarForm | None = None
    reschedule: RescheduleForm = RescheduleForm()
    cancel: list[RefundForm] | None = None
    active: Annotated[bool, Field(strict=True)] = True

    @model_validator(mode="after")
    def _one_way_to_pay(self) -> ServiceForm:
        if bool(self.packages) == (self.price is not None):
            raise ValueError("a service has either packages or a price")
        if len({package.id for package in self.packages}) < len(self.packages):
            raise ValueError("two packages have the same id")
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
    currency: Currency
    amount: Amount | None = None
    percent: Annotated[Decimal, BeforeValidator(_amount), Field(gt=0, le=100)] | None = None
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
