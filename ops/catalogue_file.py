"""Catalogues as YAML files: what may stand in them, every mistake with its line, and entries as they would stand there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from ops.catalogue_forms import WEEKDAYS, CatalogueForm, ListingForm, PromoForm, ServiceForm
from payfirst.domain.booking import AS_USUAL
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import NAIROBI, Listing, Service
from payfirst.domain.money import Currency
from payfirst.domain.promo import AppliesTo, AppliesToListing, Promo

Entry = Listing | Service | Promo
Raw = dict[str, Any]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser where PyYAML was built with it: thousands of listings take a second instead of ten."""


class CatalogueError(Exception):
    """A catalogue cannot be read; the message names the file and, for each mistake, its line. Nothing was stored."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in one line."""

    line: int
    what: str


def name_of(entry: Entry) -> str:
    """An entry as people call it."""
    match entry:
        case Listing():
            return f"listing {entry.number}"
        case Service():
            return f"{entry.kind} {entry.number}"
        case Promo():
            return f"promo {entry.code}"


def read_catalogue(file: Path) -> list[Entry]:
    """The entries of one file; CatalogueError names every mistake in it with its line."""
    try:
        text = file.read_text(encoding="utf-8")
        root, content = _parsed(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as exc:
        raise CatalogueError(f"{file.name} cannot be read: {exc}") from exc
    if not isinstance(content, dict):
        raise CatalogueError(f"{file.name} has to hold listings, services or promos")
    try:
        form = CatalogueForm.model_validate(content)
    except ValidationError as exc:
        mistakes = [Mistake(_line(root, error["loc"]), _said(error)) for error in exc.errors()]
        raise _error(file, mistakes) from exc
    forms: Sequence[tuple[str, int, ListingForm | ServiceForm | PromoForm]] = [
        *(("listings", number, each) for number, each in enumerate(form.listings)),
        *(("services", number, each) for number, each in enumerate(form.services)),
        *(("promos", number, each) for number, each in enumerate(form.promos)),
    ]
    entries: dict[str, Entry] = {}
    twice = []
    for section, number, each in forms:
        entry = each.entry()
        if name_of(entry) in entries:
            twice.append(Mistake(_line(root, (section, number)), f"{name_of(entry)} is there twice"))
        entries[name_of(entry)] = entry
    if twice:
        raise _error(file, twice)
    return list(entries.values())


def _parsed(text: str) -> tuple[Any, Any]:
    """The nodes of a document, which know their lines, and what they hold; both from one reading."""
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        return root, None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()


def _error(file: Path, mistakes: Sequence[Mistake]) -> CatalogueError:
    ordered = sorted(set(mistakes), key=lambda mistake: (mistake.line, mistake.what))
    return CatalogueError("\n".join(f"{file.name}, line {each.line}: {each.what}" for each in ordered))


def _said(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        known = ", ".join(CatalogueForm.model_fields)
        return f"there is no {where} here" + (f"; a catalogue holds {known}" if len(error["loc"]) == 1 else "")
    said = str(error["msg"]).removeprefix("Value error, ")
    given = f" (it is {error['input']!r})" if isinstance(error["input"], str | int | float) else ""
    return f"{where}: {said}{given}"


def _line(node: Any, place: Sequence[Any]) -> int:  # noqa: ANN401 - PyYAML's nodes
    """The line of `place` in the file, or of what should hold it."""
    line = int(node.start_mark.line) + 1
    for part in place:
        found = next(_below(node, part), None)
        if found is None:
            break
        key, node = found
        line = int(key.start_mark.line) + 1
    return line


def _below(node: Any, part: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - as above
    if isinstance(node, yaml.MappingNode):
        yield from ((key, value) for key, value in node.value if key.value == str(part))
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        yield node.value[part], node.value[part]


def as_raw(entry: Entry) -> Raw:
    """An entry as a file holds it; what is as usual is left out."""
    writers: Mapping[type, Callable[[Any], Raw]] = {Listing: _raw_listing, Service: _raw_service, Promo: _raw_promo}
    return {name: value for name, value in writers[type(entry)](entry).items() if value not in (None, {})}


def _text(number: Decimal) -> str:
    return format(number, "f")


def _raw_listing(listing: Listing) -> Raw:
    return {
        "id": listing.number,
        "product_name": listing.product_name,
        "farm_name": listing.farm_name,
        "unit": listing.unit,
        "price": str(listing.price),
        "available": _text(listing.available),
        "currency": None if listing.price.currency is Currency.KES else listing.price.currency.value,
        "zone": None if listing.zone == NAIROBI else listing.zone,
        "hold": "at_initiate" if listing.hold else None,
        "active": None if listing.active else False,
    }


def _raw_service(service: Service) -> Raw:
    rules = service.changes
    reschedule = {
        **({} if rules.most_reschedules == AS_USUAL.most_reschedules else {"most": rules.most_reschedules}),
        **({} if rules.reschedule_hours is None else {"hours_before": rules.reschedule_hours}),
    }
    steps = [{"hours_before": step.hours_before, "percent": step.percent} for step in rules.refunds]
    return {
        "type": service.kind.value,
        "id": service.number,
        "name": service.name,
        "description": service.description,
        "zone": service.zone,
        "currency": service.currency.value,
        "packages": [{"id": each.number, "name": each.name, "price": str(each.price)} for each in service.packages] or None,
        "price": str(service.price) if service.price else None,
        "calendar": _raw_calendar(service.calendar) if service.calendar else None,
        "reschedule": reschedule,
        "cancel": None if rules.refunds == AS_USUAL.refunds else steps,
        "active": None if service.active else False,
    }


def _raw_calendar(calendar: Calendar) -> Raw:
    return {
        "opening": {WEEKDAYS[day]: _raw_openings(openings) for day, openings in sorted(calendar.weekdays.items())},
        **(
            {"exceptions": {day: _raw_openings(openings) for day, openings in sorted(calendar.exceptions.items())}}
            if calendar.exceptions
            else {}
        ),
        "slot_minutes": calendar.slot_minutes,
        "capacity": calendar.capacity,
        "lead_minutes": calendar.lead_minutes,
        "days_ahead": calendar.days_ahead,
        "hold": "at_initiate" if calendar.hold else "none",
    }


def _raw_openings(openings: Sequence[Opening]) -> list[str]:
    ends = ("24:00" if each.closes == time.min else each.closes.isoformat("minutes") for each in openings)
    return [f"{each.opens.isoformat('minutes')}-{closes}" for each, closes in zip(openings, ends, strict=True)]


def _raw_promo(promo: Promo) -> Raw:
    return {
        "code": promo.code,
        "currency": promo.currency.value,
        "amount": str(promo.amount) if promo.amount else None,
        "percent": None if promo.percent is None else _text(promo.percent),
        "minimum": str(promo.minimum) if promo.minimum else None,
        "valid_from": promo.valid_from,
        "valid_until": promo.valid_until,
        "most_uses": promo.most_uses,
        "most_uses_each": promo.most_uses_each,
        "applies_to": [_raw_applies_to(each) for each in promo.applies_to] or None,
    }


def _raw_applies_to(each: AppliesTo | AppliesToListing) -> Raw:
    if isinstance(each, AppliesToListing):
        return {"listing": each.listing_id}
    package = {} if each.package_id is None else {"package": each.package_id}
    return {"type": each.service_type, "id": each.service_id, **package}
