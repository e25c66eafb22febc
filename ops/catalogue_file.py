"""Catalogues as YAML files: what may stand in them, every mistake with its line, and entries as they would stand there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from ops.catalogue_fields import Calendars
from ops.catalogue_forms import WEEKDAYS, CatalogueForm, ListingForm, PromoForm, ServiceForm
from ops.yaml_file import Document, Mistake, Place, YamlError, read_yaml
from payfirst.domain.booking import AS_USUAL
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import Listing, Service
from payfirst.domain.clock import SHOP_ZONE, instant, utc_now
from payfirst.domain.days import ANY_DAY, Days
from payfirst.domain.delivery import CURRENCY
from payfirst.domain.promo import AppliesTo, AppliesToListing, Promo

Entry = Listing | Service | Promo
Raw = dict[str, Any]

MOST_MISTAKES: Final = 100
LONGEST_SHOWN: Final = 60
_SECTIONS: Final = ", ".join(CatalogueForm.model_fields)
_EXPECTED: Final = {
    "missing": "this is missing; add it",
    "string_type": "a text is expected; put it in quotes",
    "bool_type": "true or false is expected",
    "int_type": "a whole number without quotes is expected",
    "list_type": "a list is expected: each entry in a line of its own, after a -",
    "dict_type": "names with values are expected, each as `name: value`",
    "model_type": "names with values are expected, each as `name: value`",
    "model_attributes_type": "names with values are expected, each as `name: value`",
    "string_pattern_mismatch": "letters and digits of ASCII, - and _ are expected, 100 at most",
}
"""What would do, where pydantic's sentence does not say it."""


class CatalogueError(Exception):
    """A catalogue cannot be read; the message names the file and, for each mistake, its line. Nothing was stored."""


def name_of(entry: Entry) -> str:
    """An entry as people call it."""
    match entry:
        case Listing():
            return f"listing {entry.number}"
        case Service():
            return f"{entry.kind} {entry.number}"
        case Promo():
            return f"promo {entry.code}"


def read_catalogue(file: Path, days: Days = ANY_DAY, now: datetime | None = None) -> list[Entry]:
    """The entries of one file, which may name `days` as of `now` (this instant if absent), and days that are over in any case;
    CatalogueError names every mistake in it with its line."""
    try:
        document = read_yaml(file)
    except YamlError as exc:
        raise _error(file, exc.mistakes) from exc
    except OSError as exc:
        raise CatalogueError(f"{file.name} cannot be read: {exc}") from exc
    if not isinstance(document.content, dict):
        raise _error(file, [Mistake(1, f"the file has to hold {_SECTIONS}, each followed by a colon and a list of entries")])
    try:
        form = CatalogueForm.model_validate(document.content, context=Calendars(replace(days, past=True), now or utc_now()))
    except ValidationError as exc:
        raise _error(file, [_mistake(document, error) for error in exc.errors()]) from exc
    forms: Sequence[tuple[str, int, ListingForm | ServiceForm | PromoForm]] = [
        *(("listings", number, each) for number, each in enumerate(form.listings)),
        *(("services", number, each) for number, each in enumerate(form.services)),
        *(("promos", number, each) for number, each in enumerate(form.promos)),
    ]
    entries: dict[str, Entry] = {}
    first: dict[str, int] = {}
    twice = []
    for section, number, each in forms:
        entry, line = each.entry(), document.line((section, number))
        if (name := name_of(entry)) in entries:
            twice.append(Mistake(line, f"{name} is there twice, here and in line {first[name]}; keep one of them"))
        entries[name] = entry
        first.setdefault(name, line)
    if twice:
        raise _error(file, twice)
    return list(entries.values())


def _error(file: Path, mistakes: Sequence[Mistake]) -> CatalogueError:
    ordered = sorted(set(mistakes), key=lambda mistake: (mistake.line, mistake.what))
    lines = [f"{file.name}, line {each.line}: {each.what}" for each in ordered[:MOST_MISTAKES]]
    more = len(ordered) - MOST_MISTAKES
    return CatalogueError("\n".join([*lines, *([f"{file.name}: and {more} more mistakes"] if more > 0 else [])]))


def _place(location: Sequence[str | int]) -> Place:
    """Where an error is, as the file knows it."""
    return tuple(part for part in location if part != "[key]")


def _mistake(document: Document, error: Mapping[str, Any]) -> Mistake:
    """One of pydantic's errors with its line; `at` in it leads on from there, and `before` to what is the same."""
    begin, told = _place(error["loc"]), error.get("ctx", {})
    place = (*begin, *told.get("at", ()))
    said = _said(place, error)
    if "before" in told:
        said += f", here and in line {document.line((*begin, *told['before']))}; keep one of them"
    return Mistake(document.line(place), said)


def _said(place: Place, error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in place)
    if error["type"] == "extra_forbidden":
        return f"there is no {where} here" + (
            f"; a catalogue holds {_SECTIONS}" if len(error["loc"]) == 1 else "; take it away"
        )
    said = _EXPECTED.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    given = f" (it is {_cut(error['input'])})" if isinstance(error["input"], str | int | float) else ""
    return f"{where}: {said}{given}"


def _cut(given: object) -> str:
    shown = repr(str(given)) if isinstance(given, str) else str(given)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"


def as_yaml(raw: Raw) -> str:
    """A file as `read_catalogue` takes it; what a terminal would not print as it is, stands there as an escape."""
    text = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=120)
    if text.replace("\n", "").isprintable():
        return text.rstrip("\n")
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=False, width=120).rstrip("\n")


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
        "currency": None if listing.price.currency is CURRENCY else listing.price.currency.value,
        "zone": None if listing.zone == SHOP_ZONE else listing.zone,
        "hold": "at_initiate" if listing.hold else None,
        "active": None if listing.active else False,
        "description": listing.description or None,
        "image_url": listing.image_url,
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
        "image_url": service.image_url,
    }


def _raw_calendar(calendar: Calendar) -> Raw:
    return {
        "opening": {WEEKDAYS[day]: _raw_openings(openings) for day, openings in sorted(calendar.weekdays.items())},
        **(
            {"exceptions": {day.isoformat(): _raw_openings(openings) for day, openings in sorted(calendar.exceptions.items())}}
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
        "valid_from": instant(promo.valid_from) if promo.valid_from else None,
        "valid_until": instant(promo.valid_until) if promo.valid_until else None,
        "most_uses": promo.most_uses,
        "most_uses_each": promo.most_uses_each,
        "applies_to": [_raw_applies_to(each) for each in promo.applies_to] or None,
    }


def _raw_applies_to(each: AppliesTo | AppliesToListing) -> Raw:
    if isinstance(each, AppliesToListing):
        return {"listing": each.listing_id}
    package = {} if each.package_id is None else {"package": each.package_id}
    return {"type": each.service_type, "id": each.service_id, **package}
