"""What the shop's own people send and see of the catalogue that they keep by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from payfirst.api.wire.catalogue import ListingOut, ServiceOut
from payfirst.api.wire.fields import Amount, Count, In, Number, RequiredText, StockLevel, StockStep, Text
from payfirst.domain.catalogue import Edits, Listing, Service, read_image_url
from payfirst.domain.clock import instant
from payfirst.storage.catalogue_edits import Stock
from payfirst.usecases.operators.edit_catalogue import Change, version_of


def _picture(value: object) -> object:
    return read_image_url(value) if isinstance(value, str) and value else value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Price = Annotated[Amount, Field(gt=Decimal(0))]
ImageUrl = Annotated[str, BeforeValidator(_picture)]
"""The https address of a picture; empty takes it away."""
OnSale = Annotated[bool, Field(strict=True)]
Version = Annotated[
    str, StringConstraints(min_length=1, max_length=40), BeforeValidator(_as_text, json_schema_input_type=str | int)
]
"""The `version` of what the operator saw, as it was answered."""


class ChangeIn(In):
    """What both kinds of entry share; a field that is absent leaves the entry as it is."""

    version: Version
    description: Text | None = None
    image_url: ImageUrl | None = None
    active: OnSale | None = None
    price: Price | None = None

    @model_validator(mode="after")
    def _something(self) -> ChangeIn:
        if all(getattr(self, name) is None for name in type(self).model_fields if name != "version"):
            raise ValueError("At least one field beside version is expected.")
        return self


class ListingChangeIn(ChangeIn):
    """`POST /api/operators/listings/{listing_id}/`: `set_stock` is what can be bought from now on, in place of what was seen;
    `add_stock` comes to what can be bought now, or goes from it where it is below zero."""

    product_name: RequiredText | None = None
    set_stock: StockLevel | None = None
    add_stock: StockStep | None = None

    @model_validator(mode="after")
    def _one_stock(self) -> ListingChangeIn:
        if self.set_stock is not None and self.add_stock is not None:
            raise ValueError("Either set_stock or add_stock is expected.")
        return self

    def change(self) -> Change:
        return Change(
            name=self.product_name,
            description=self.description,
            image_url=self.image_url,
            active=self.active,
            price=self.price,
            stock=Stock(self.set_stock, self.add_stock or Decimal(0)),
        )


class PackagePriceIn(In):
    """What a package costs from now on."""

    id: Number
    price: Price


def _once(packages: list[PackagePriceIn]) -> list[PackagePriceIn]:
    if len({each.id for each in packages}) < len(packages):
        raise ValueError("Each package is expected once.")
    return packages


class ServiceChangeIn(ChangeIn):
    """`POST /api/operators/services/{service_id}/`: `price` where it has one of its own, `packages` where they have theirs."""

    name: RequiredText | None = None
    packages: Annotated[list[PackagePriceIn], Field(min_length=1, max_length=100), AfterValidator(_once)] | None = None

    def change(self) -> Change:
        return Change(
            name=self.name,
            description=self.description,
            image_url=self.image_url,
            active=self.active,
            price=self.price,
            prices={each.id: each.price for each in self.packages or ()},
        )


def _last_edit(edits: Edits) -> dict[str, str | None]:
    return {"edited_by": edits.by, "edited_at": instant(edits.at) if edits.at else None}


class KeptListingOut(ListingOut):
    """A listing as its shop keeps it: `held` is in payments under way and not in `available`; a change names its `version`."""

    version: str
    held: Count
    edited_by: str | None
    edited_at: str | None

    @classmethod
    def of(cls, listing: Listing) -> KeptListingOut:
        shown = ListingOut.of(listing).model_dump()
        return cls(**shown, version=version_of(listing), held=listing.held, **_last_edit(listing.edits))


class KeptServiceOut(ServiceOut):
    """A service as its shop keeps it; a change names its `version`."""

    version: str
    edited_by: str | None
    edited_at: str | None

    @classmethod
    def of(cls, service: Service) -> KeptServiceOut:
        return cls(**ServiceOut.of(service).model_dump(), version=version_of(service), **_last_edit(service.edits))
