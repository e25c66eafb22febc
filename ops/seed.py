"""Puts the catalogue of `docs/catalogue` into a table: what is missing is added, what is there stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml

from payfirst.domain.catalogue import Listing, Package, Service, ServiceType
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import Promo
from payfirst.storage import catalogue
from payfirst.storage.table import Table

CATALOGUE: Final = Path(__file__).parents[1] / "docs" / "catalogue"

Entry = Listing | Service | Promo
Raw = Mapping[str, Any]


class CatalogueError(Exception):
    """A catalogue cannot be read; the message names the file, the entry and what is wrong, and nothing was stored."""


@dataclass(frozen=True, slots=True)
class SeedReport:
    """Entries that were added, and those that were there already and were left alone."""

    added: int
    kept: int


def seed(table: Table, files: Sequence[Path] | None = None) -> SeedReport:
    """Add every entry of `files` (default: all of `docs/catalogue`) that `table` does not hold.

    Stock, prices and uses of what it holds are never touched. CatalogueError if a file cannot be read.
    """
    entries = [entry for file in files or sorted(CATALOGUE.glob("*.yaml")) for entry in read_catalogue(file)]
    added = sum(catalogue.add(table, entry) for entry in entries)
    return SeedReport(added, len(entries) - added)


def read_catalogue(file: Path) -> list[Entry]:
    """The entries of one file; CatalogueError says what is wrong with it."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as exc:
        raise CatalogueError(f"{file.name} cannot be read: {exc}") from exc
    if not isinstance(content, dict) or set(content) - set(_READERS):
        raise CatalogueError(f"{file.name} has to hold {', '.join(_READERS)} and nothing else")
    return list(_entries(file, content))


def _entries(file: Path, content: Raw) -> Iterator[Entry]:
    for section, raw_entries in content.items():
        for raw in raw_entries:
            try:
                yield _READERS[section](raw)
            except (KeyError, TypeError, ValueError, InvalidOperation, LookupError) as exc:
                raise CatalogueError(f"{file.name}, {section}, {raw}: {type(exc).__name__} {exc}") from exc


def _listing(raw: Raw) -> Listing:
    _only(raw, "id", "product_name", "farm_name", "unit", "price", "available", "hold")
    hold = {"none": False, "at_initiate": True}[raw.get("hold", "none")]
    available = Decimal(raw["available"])
    if available < 0:
        raise ValueError("the stock is below zero")
    price = Money.of(raw["price"], Currency.KES)
    return Listing(raw["id"], raw["product_name"], raw["farm_name"], raw["unit"], price, available, hold)


def _service(raw: Raw) -> Service:
    _only(raw, "type", "id", "name", "description", "zone", "currency", "packages", "price")
    currency, price = Currency(raw["currency"]), raw.get("price")
    packages = tuple(Package(each["id"], each["name"], Money.of(each["price"], currency)) for each in raw.get("packages", ()))
    if bool(packages) == bool(price):
        raise ValueError("a service has either packages or a price")
    return Service(
        kind=ServiceType(raw["type"]),
        number=raw["id"],
        name=raw["name"],
        description=raw["description"],
        zone=ZoneInfo(raw["zone"]).key,
        currency=currency,
        packages=packages,
        price=Money.of(price, currency) if price else None,
    )


def _promo(raw: Raw) -> Promo:
    _only(raw, "code", "currency", "amount", "percent", "minimum", "valid_from", "valid_until", "most_uses")
    currency, amount, minimum = Currency(raw["currency"]), raw.get("amount"), raw.get("minimum")
    if ("amount" in raw) == ("percent" in raw):
        raise ValueError("a promo takes off either an amount or per cent")
    return Promo(
        code=raw["code"].upper(),
        currency=currency,
        amount=Money.of(amount, currency) if amount else None,
        percent=Decimal(raw["percent"]) if "percent" in raw else None,
        minimum=Money.of(minimum, currency) if minimum else None,
        valid_from=_moment(raw.get("valid_from")),
        valid_until=_moment(raw.get("valid_until")),
        most_uses=raw.get("most_uses"),
    )


def _moment(value: object) -> datetime | None:
    """An instant of a catalogue, which has to say its offset or `Z`."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{value} is no instant with an offset or a Z")
    return value.astimezone(UTC)


def _only(raw: Raw, *names: str) -> None:
    unknown = sorted(set(raw) - set(names))
    if unknown:
        raise ValueError(f"there is no {', '.join(unknown)} here")


_READERS: Final[Mapping[str, Any]] = {"listings": _listing, "services": _service, "promos": _promo}
