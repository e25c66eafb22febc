"""The simulators as one ASGI application."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from local.simulators.control import BadBodyError, Control, bad_body
from local.simulators.faults import mpesa_error, phonepe_error
from local.simulators.mailbox import Mailbox
from local.simulators.mpesa import Mpesa
from local.simulators.mpesa_refunds import MpesaRefunds
from local.simulators.pages import Pages
from local.simulators.phonepe import PhonePe
from local.simulators.phonepe_refunds import PhonePeRefunds
from local.simulators.phonepe_v1 import PhonePeV1
from local.simulators.settings import Settings
from local.simulators.simulator import Simulator

_ANY_METHOD: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def _unknown_to_mpesa(routes: list[Route]) -> Route:
    known = {route.path for route in routes}

    async def refuse(request: Request) -> Response:
        if "/" + request.path_params["path"] in known:
            return mpesa_error(405, "405.001", "Method Not Allowed")
        return mpesa_error(404, "404.001.01", "Resource not found")

    return Route("/{path:path}", refuse, methods=_ANY_METHOD)


async def _no_such_phonepe_path(_: Request) -> Response:
    return phonepe_error(400, "BAD_REQUEST", "Api Mapping Not Found")


def create_app(settings: Settings, draw: random.Random | None = None) -> Starlette:
    """The application; its ledger is opened when it starts and closed when it stops. `draw` makes its ids."""
    simulator = Simulator(settings, draw or random.SystemRandom())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        simulator.open()
        try:
            yield
        finally:
            simulator.close()

    mpesa = [*Mpesa(simulator).routes(), *MpesaRefunds(simulator).routes()]
    pages = Pages(simulator)
    control = Control(simulator)
    routes = [
        Mount("/mpesa", routes=[*mpesa, _unknown_to_mpesa(mpesa)]),
        Mount(
            "/phonepe",
            routes=[
                *pages.pay_page_routes(),
                *PhonePe(simulator).routes(),
                *PhonePeRefunds(simulator).routes(),
                *PhonePeV1(simulator).routes(),
                Route("/{path:path}", _no_such_phonepe_path, methods=_ANY_METHOD),
            ],
        ),
        Route("/control", control.help, methods=["GET"]),
        Mount("/control", routes=control.routes()),
        *pages.phone_routes(),
        *Mailbox(settings.mail_source).routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={BadBodyError: bad_body})
