"""The process that a world works in: handlers reach its table, gateways and clock, and what is logged is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from payfirst import observability
from payfirst.api import app, asked, resources, values
from payfirst.domain.clock import Deadline
from payfirst.gateways.registry import GATEWAYS
from payfirst.settings import Settings, read, read_settings
from payfirst.storage import queue
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.operators import waiting
from payfirst.usecases.settlement import request_check, settle, take_notice
from payfirst.usecases.sweeps.failing import Watch
from payfirst.usecases.sweeps.workers import Crew
from tests.faults import front
from tests.faults.connection import secret
from tests.faults.gateways import MODELS
from tests.faults.seam import Fault

if TYPE_CHECKING:
    from tests.faults.world import World


class _AtOnce:
    """Takes the place of the package's threads: one after the other, in the order of asking or as late as possible."""

    def __init__(self, *, late: bool) -> None:
        self._late = late

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Any:
        done: list[Callable[[], Any]] = []

        def result() -> Any:
            if not done:
                try:
                    value = work(*arguments)
                except Exception as error:  # noqa: BLE001 - a future keeps whatever was raised, as these do
                    failure = error
                    done.append(lambda: _raise(failure))
                else:
                    done.append(lambda: value)
            return done[0]()

        if not self._late:
            with _kept():
                result()
        return SimpleNamespace(result=result)

    def map(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return map(work, *arguments)


def _raise(error: Exception) -> None:
    raise error


@contextmanager
def _kept() -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 - it is raised again where the result is asked for
        return


_SETTINGS: Final = {
    "STAGE": "local",
    "WATCHING": "small",
    "SETTLE_QUEUE_URL": "queue",
    "EVENT_BUS_NAME": "bus",
    "TOKEN_ISSUER": front.ISSUER,
    "TOKEN_AUDIENCE": front.AUDIENCE,
    "SIGN_IN_PAGE": "",
    "PUBLIC_ORIGIN": "https://shop.example",
    "CALLBACK_ORIGIN": "https://shop.example",
    "RETURN_URL": "",
    "HORIZON_DAYS": "400",
    "SHOP_ORIGIN": "",
    "SESSION_TTL_SECONDS": "900",
    "EXPIRY_GRACE_SECONDS": "30",
    "CURSOR_SECRET_ID": "cursor",
    "GATEWAYS_SECRET_ID": "gateways",
    "MPESA_BASE_URL": "https://mpesa.example",
    "MPESA_NO_ANSWER_SECONDS": "180",
    "MPESA_NOTICE_SOURCES": "",
    "PHONEPE_BASE_URL": "https://phonepe.example",
    "PHONEPE_TOKEN_URL": "https://phonepe.example/v1/oauth/token",
    "PHONEPE_NOTICE_SOURCES": "",
    "PHONEPE_SCRIPT": "",
    "DELIVERY_FEES": "*=50.00",
}


LIMITS: Final = ("OPEN_SESSIONS_PER_USER", "SESSIONS_PER_USER_HOUR", "PROMPTS_PER_USER_HOUR", "PROMPTS_PER_PHONE_HOUR")


def _settings_of(world: World) -> dict[str, str]:
    sender = "Shop <shop@example.com>" if world.writes_letters else ""
    return (
        _SETTINGS
        | {name: str(world.limits.get(name, 0)) for name in LIMITS}
        | {name: value for model in MODELS.values() for name, value in model.settings.items()}
        | {
            "TABLE_NAME": world.name,
            "ALLOW_PAST_DATES": str(world.past_dates).lower(),
            "CUSTOMERS_CANCEL_ORDERS": "true",
            "GATEWAY_TOKENS_TABLE_NAME": world.name,  # one model stands for both
            "LATE_PAYMENT": world.late_payment,
            "MPESA_CONFIRM_WITH_QUERY": world.confirm,
            "PHONE_PACE_SECONDS": str(int(world.pace.total_seconds())),
            "BOOKINGS_MAIL_SENDER": sender,
            "ORDERS_MAIL_SENDER": sender,
            "SHOP_MAIL": "owner@example.com" if world.hears_news else "",
        }
    )


@lru_cache(maxsize=64)
def _read(settings: tuple[tuple[str, str], ...]) -> Settings:
    return read_settings(dict(settings))


def settings_of(world: World) -> Settings:
    """The settings of the functions in `world`."""
    return _read(tuple(_settings_of(world).items()))


@contextmanager
def at_work(world: World, *, late: bool = False, shards: int = 1, racing: bool = False) -> Iterator[World]:
    """`world` in a process whose handlers reach its table, its gateways and its clock, and whose log lines are kept.

    Nothing runs side by side by itself unless it is `racing`. Its index has one shard, unless told otherwise: eight would be
    eight calls that are alike.
    """
    world.settings()  # a setting that this machine does not know yet is told here, not by a handler that crashes
    threads = _AtOnce(late=late)
    drawn = SimpleNamespace(token_bytes=world.entropy)

    def clock() -> datetime:
        front.come_in()
        return world.now + front.ahead.get()

    def table(client: Any, name: str, deadline: Deadline) -> Table:
        return replace(world.table, client=client, name=name, deadline=deadline)

    modules = front.MODULES
    gateways = [sys.modules[type(gateway).__module__] for gateway in GATEWAYS]
    with ExitStack() as stack:
        patches: list[tuple[Any, str, Any]] = [
            (keys, "SHARDS", shards),
            (observability, "logger", lambda: world.log),
            (app, "logger", lambda: world.log),
            (app, "utc_now", clock),
            *((modules[name], "utc_now", clock) for name in ("expire_sessions", "reconcile_payments", "deliver_events")),
            *((modules[name], "secrets", drawn) for name in ("carts", "create_session", "operators")),
            *(
                (module, "settings", world.settings)
                for module in (resources, values, asked, *gateways, *modules.values())
                if hasattr(module, "settings")
            ),
            *((module, "settings_of", lambda kind: read(kind, _settings_of(world))) for module in gateways),
            (resources, "secrets", drawn),
            (resources, "Table", table),
            (resources, "dynamodb", lambda **_: world.table.client),
            (queue, "sqs", lambda: world.queue),
            (resources, "gateway", world.gateway),
            (resources, "secret", secret),
            (modules["deliver_events"], "eventbridge", lambda: world.bus),
            (modules["deliver_events"], "sesv2", lambda: world.post),
            (modules["deliver_events"], "measure", lambda **_: None),
            (modules["deliver_events"], "WATCH", Watch()),
            (modules["expire_sessions"], "measure", lambda **_: None),
            (modules["reconcile_payments"], "measure", lambda **_: None),
            (modules["reconcile_payments"], "CREW", Crew(clock=lambda: 0.0, pause=lambda _: None)),
            (request_check, "_asked", {}),
        ]
        if not racing:
            patches += [(module, "side_by_side", lambda: threads) for module in (settle, take_notice, waiting)]
        for where, name, instead in patches:
            stack.enter_context(patch.object(where, name, instead))
        yield world


def met_fault(world: World, number: int, fault: Fault) -> None:
    """Let the `number`th call of the run meet `fault`, and no other."""
    world.seam.plan = lambda boundary: fault if boundary.number == number else None
