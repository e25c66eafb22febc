"""The catalogue by hand: one listing or service at a time, by whoever saw it as it is, and at most once.

A `version` names what was seen. It is opaque to whoever holds it: the number of edits and, of a listing, the stock too, so that
a stock that was counted is never set over a sale that came between; every other change lets sales be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NoReturn, TypeVar

from payfirst.domain.catalogue import Edits, Listing, Package, Service, ServiceType
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError, NotFoundError, RefusedError
from payfirst.domain.money import Money
from payfirst.storage import catalogue, catalogue_edits
from payfirst.storage.catalogue_edits import AS_IT_IS, Stock
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.catalogue import find_listing, find_service

TRIES: Final = 5

Entry = TypeVar("Entry", Listing, Service)

_VERSION: Final = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}(?:\.[0-9]{1,6})?))?")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be otherwise; None leaves it as it is. Prices are in whole units of the entry's currency.

    An empty `image_url` takes the picture away. `prices` are those of a service's packages, by number.
    """

    name: str | None = None
    description: str | None = None
    image_url: str | None = None
    active: bool | None = None
    price: Decimal | None = None
    prices: dict[int, Decimal] = field(default_factory=dict)
    stock: Stock = AS_IT_IS


def version_of(entry: Listing | Service) -> str:
    """What `entry` was seen as."""
    edits = str(entry.edits.count)
    return f"{edits}-{entry.available.normalize():f}" if isinstance(entry, Listing) else edits


def change_listing(
    table: Table, number: int, change: Change, *, version: str | None, by: str, now: datetime
) -> tuple[Listing, Listing]:
    """The listing as it was and as it is now. `version` is what the operator saw, None for whatever is there.

    NotFoundError; InvalidInputError on `version`; RefusedError CHANGED_MEANWHILE where somebody edited it since then, or, for a
    stock that is set, bought of it; STOCK_TOO_LOW where less can be bought than is to be taken away.
    """

    def wanted(seen: Listing) -> Listing:
        price = None if change.price is None else Money.of(change.price, seen.price.currency)
        name = change.name or seen.product_name
        return replace(_described(seen, change), product_name=name, price=price or seen.price)

    return _change(lambda: find_listing(number, table=table), wanted, change.stock, table, version=version, by=by, now=now)


def change_service(
    table: Table, number: int, kind: ServiceType | None, change: Change, *, version: str | None, by: str, now: datetime
) -> tuple[Service, Service]:
    """The same for a service; InvalidInputError also where it is not sold at the price that is to change."""

    def wanted(seen: Service) -> Service:
        described = replace(_described(seen, change), name=change.name or seen.name)
        return replace(described, price=_price(seen, change.price), packages=_packages(seen, change.prices))

    return _change(lambda: find_service(number, kind, table=table), wanted, AS_IT_IS, table, version=version, by=by, now=now)


def _described(seen: Entry, change: Change) -> Entry:
    return replace(
        seen,
        description=seen.description if change.description is None else change.description,
        image_url=seen.image_url if change.image_url is None else change.image_url or None,
        active=seen.active if change.active is None else change.active,
    )


def _price(seen: Service, wanted: Decimal | None) -> Money | None:
    if wanted is not None and seen.price is None:
        raise InvalidInputError(FieldProblem("price", "This service is sold by packages; name them in packages."))
    return seen.price if wanted is None else Money.of(wanted, seen.currency)


def _packages(seen: Service, wanted: dict[int, Decimal]) -> tuple[Package, ...]:
    unknown = sorted(wanted.keys() - {each.number for each in seen.packages})
    if unknown:
        raise InvalidInputError(FieldProblem("packages", f"This service has no package {unknown[0]}."))
    return tuple(
        replace(each, price=Money.of(wanted[each.number], seen.currency)) if each.number in wanted else each
        for each in seen.packages
    )


def _change(
    find: Callable[[], Entry],
    wanted: Callable[[Entry], Entry],
    stock: Stock,
    table: Table,
    *,
    version: str | None,
    by: str,
    now: datetime,
) -> tuple[Entry, Entry]:
    for _ in range(TRIES):
        entry = find()
        seen = entry if version is None else _as_seen(entry, version, stock)
        after = wanted(seen)
        if after == seen and stock == AS_IT_IS:
            return entry, entry
        try:
            catalogue_edits.edit(table, after, seen, stock, by=by, now=now)
        except ConditionFailedError as error:
            _why_not(error, seen, stock, has_version=version is not None)
            continue
        return entry, _edited(after, stock, by, now)
    raise ContentionError("This entry is being changed; please try again.")


def _as_seen(entry: Entry, version: str, stock: Stock) -> Entry:
    """`entry` as whoever holds `version` saw it; only what the write's own conditions hold it to."""
    read = _VERSION.fullmatch(version)
    if read is None or (read[2] is None) is isinstance(entry, Listing):
        raise InvalidInputError(FieldProblem("version", "The version of this entry is expected, as it was answered."))
    if int(read[1]) != entry.edits.count:
        _refuse(entry)
    if isinstance(entry, Listing) and stock.to is not None:
        return replace(entry, available=Decimal(read[2]))
    return entry


def _why_not(error: ConditionFailedError, seen: Listing | Service, stock: Stock, *, has_version: bool) -> None:
    """Raise what the operator has to know of a write that was refused; nothing where it is simply tried again."""
    item = error.failed.get("entry")
    if item is None:
        raise NotFoundError("This entry is not there any more.")
    if isinstance(seen, Service):
        current: Listing | Service = catalogue.service_from_item(item)
    else:
        current = catalogue.listing_from_item(item)
        if current.edits.count == seen.edits.count and stock.to is None:
            raise RefusedError(
                f"Only {current.available.normalize():f} can be bought now; less can be taken away.", code="STOCK_TOO_LOW"
            )
    if has_version:
        _refuse(current)


def _refuse(current: Listing | Service) -> NoReturn:
    said = "Somebody was faster: this entry changed since you looked at it. Look again, and decide anew."
    raise RefusedError(said, code="CHANGED_MEANWHILE", details={"version": version_of(current)})


def _edited(entry: Entry, stock: Stock, by: str, now: datetime) -> Entry:
    edits = Edits(entry.edits.count + 1, by, now)
    if isinstance(entry, Listing):
        available = entry.available + stock.by if stock.to is None else stock.to
        return replace(entry, edits=edits, available=available)
    return replace(entry, edits=edits)
