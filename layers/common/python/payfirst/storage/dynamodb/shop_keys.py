"""The keys of what is the shop's own: its catalogue, its days, what its money comes to, and what it is still to hear of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final

from payfirst.domain.clock import instant
from payfirst.storage.dynamodb.keys import Key, Run


def order_sequence(day: str) -> Key:
    """The counter of a day's order numbers; `day` is `YYYYMMDD`."""
    return {"pk": f"SEQUENCE#ORD#{day}", "sk": "SEQUENCE"}


LISTINGS: Final = "LISTING"
SERVICES: Final = "SERVICE"
PROMOS: Final = "PROMO#"
"""The partitions of listings and of services, and what those of promo codes begin with."""


def listing(number: int) -> Key:
    """One listing of produce."""
    return {"pk": LISTINGS, "sk": f"{number:012d}"}


def listing_counter(name: str) -> Key:
    """How many entries of the catalogue the public list of that name shows."""
    return {"pk": "SHELF", "sk": name}


def service_list(kind: str) -> str:
    """The name of the public list of the services of a type."""
    return f"{SERVICES}#{kind}"


def services_of(kind: str) -> str:
    """What the sort keys of the services of a type begin with."""
    return f"{kind}#"


def service(kind: str, number: int) -> Key:
    """One service by its type (`PUJA`, `ASTROLOGY`)."""
    return {"pk": SERVICES, "sk": f"{kind}#{number:012d}"}


def is_listing(item: Mapping[str, Any]) -> bool:
    """Whether the item is a listing of produce."""
    return str(item["pk"]) == LISTINGS


def is_service(item: Mapping[str, Any]) -> bool:
    """Whether the item is a service."""
    return str(item["pk"]) == SERVICES


def beside_entry(sort_key: str, by: int) -> str:
    """The sort key `by` numbers behind that of a listing or a service, whether anything stands there or not."""
    return f"{sort_key[:-12]}{int(sort_key[-12:] or 0) + by:012d}"


def listing_number(item: Mapping[str, Any]) -> int:
    """The number of a listing."""
    return int(item["sk"])


def service_of(item: Mapping[str, Any]) -> tuple[str, int]:
    """Type and number of a service."""
    kind, _, number = str(item["sk"]).partition("#")
    return kind, int(number)


def slot(service_type: str, service_id: int, day: date, at: time) -> Key:
    """One start of one service, by its own clock; the slots of a day follow each other."""
    return {"pk": f"SLOT#{service_type}#{service_id:012d}", "sk": f"{day.isoformat()}T{at.isoformat()}"}


def slots(service_type: str, service_id: int, first: date, last: date) -> Run:
    """Where the slots of a service from the day `first` until the end of `last` stand."""
    begin, end = slot(service_type, service_id, first, time.min), slot(service_type, service_id, last, time.max)
    return begin["pk"], begin["sk"], end["sk"]


def start_of(item: Mapping[str, Any]) -> datetime:
    """Day and time of a slot, by its service's own clock."""
    return datetime.fromisoformat(item["sk"])


def appointment(day: date, at: time, code: str) -> Key:
    """One booking among those of a day, by the time on its service's own clock; it says whose booking that is."""
    return {"pk": appointments(day), "sk": f"{at.isoformat()}#{code}"}


def appointments(day: date) -> str:
    """The partition of a day's bookings."""
    return f"DAY#{day.isoformat()}"


def promo(code: str) -> Key:
    """One promo code, in upper case."""
    return {"pk": f"{PROMOS}{code.upper()}", "sk": "PROMO"}


EVENT_COUNTS: Final = "COUNTS"
"""The partition of the counters of events."""


def event_counts(minute: datetime, kind: str, shard: int) -> Key:
    """How many events of each name happened to one kind of session made in the minute that begins at `minute`, in shards."""
    return {"pk": EVENT_COUNTS, "sk": f"{instant(minute)}#{kind}#~{shard}"}


def counted_by(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """From when on, of which kind and which event a counter is: by releases before this one of an hour and one event, else of
    a minute and every event, which is the empty word."""
    at, kind, event = str(item["sk"]).partition("~")[0].split("#")
    return at, kind, event


MONEY: Final = "MONEY#"
"""What the partitions of payments and refunds of a day begin with."""

TOTALS: Final = "TOTALS"
"""The partition of the counters of money; days follow each other."""


def totals(day: date, gateway: str, currency: str, shard: int) -> Key:
    """One shard of what a gateway's money of one currency came to on a day of the shop's."""
    return {"pk": TOTALS, "sk": f"{day.isoformat()}#{gateway}#{currency}#{shard}"}


def totals_of(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """Day, gateway and currency of such a shard."""
    day, gateway, currency, _ = str(item["sk"]).split("#")
    return day, gateway, currency


def money(what: str, day: date, at: datetime, name: str) -> Key:
    """That a payment came, or that a refund went back, on a day of the shop's: by its instant and its reference or id."""
    return {"pk": money_of_day(what, day), "sk": f"{instant(at)}#{name}"}


def money_of_day(what: str, day: date) -> str:
    """The partition of what came, or of what went back, on that day."""
    return f"{MONEY}{what}#{day.isoformat()}"


def is_money(item: Mapping[str, Any]) -> bool:
    """Whether the item says that a payment came, or that a refund went back."""
    return str(item["pk"]).startswith(MONEY)


NEWS: Final = "NEWS"
"""The partition of what the shop is still to hear by e-mail."""


def news(at: datetime, event_id: str) -> Key:
    """One event that the shop is to hear of; they follow each other in the order in which they left."""
    return {"pk": NEWS, "sk": f"{instant(at)}#{event_id}"}


def news_id(item: Mapping[str, Any]) -> str:
    """The event's id that one of them holds."""
    return str(item["sk"]).partition("#")[2]


def news_turn() -> Key:
    """From when on the next e-mail to the shop may leave."""
    return {"pk": "TURN", "sk": NEWS}
