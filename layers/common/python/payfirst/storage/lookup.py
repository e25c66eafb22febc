"""Find a session without knowing its owner; for a person at a terminal, not for requests."""

from __future__ import annotations

from collections.abc import Iterable

from payfirst.domain.session import Session
from payfirst.storage import attempts
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Table, batch_get, get, scan
from payfirst.storage.items import session_from_item
from payfirst.storage.sessions import read


def by_code(table: Table, code: str) -> Session | None:
    """The session behind `MT…`, `TXN…`, `BK-…` or `ORD-…`; None when there is none."""
    if code.startswith("MT"):
        attempt = attempts.read(table, code)
        return read(table, attempt.owner, attempt.session_number) if attempt else None
    pointer = attempts.read_pointer(table, code)
    if pointer is None:
        return None
    number = pointer.get("session")
    if number is None:
        became = get(table, keys.owned(pointer["owner"], pointer["what"], int(pointer["number"])))
        number = became["session_number"] if became else None
    return None if number is None else read(table, pointer["owner"], int(number))


def by_receipt(table: Table, gateways: Iterable[str], written: Iterable[str]) -> Session | None:
    """The session whose attempt has one of `written` as its receipt or its gateway's id; None when there is none."""
    texts = list(dict.fromkeys(written))
    places = [keys.receipt(gateway, text) for gateway in gateways for text in texts]
    places += [keys.pointer(keys.hashed(text)) for text in texts]
    found = next((item for item in batch_get(table, places) if item), None)
    return None if found is None else by_code(table, found["ref"])


def by_uuid(table: Table, uuid: str) -> Session | None:
    """The session of that UUID; looks through the whole table, which takes long in a large one."""
    begin, _, _ = keys.list_ends(keys.SESSION)
    values = {":uuid": uuid, ":session": begin}
    found = scan(table, "#uuid = :uuid AND begins_with(sk, :session)", values, names={"#uuid": "uuid"})
    return next((session_from_item(item) for item in found), None)
