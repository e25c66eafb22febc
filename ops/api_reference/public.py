"""The words of what needs no customer: catalogue, gateway notices, the service itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from ops.api_reference import samples
from ops.api_reference.operation import PAGING, Listed, Operation, Raw, one
from payfirst.api.wire.catalogue import CountyOut, DaysOut, ListingOut, ServiceOut, SlotsOut, SubCountyOut
from payfirst.api.wire.config import ConfigOut, GatewayOut, NamesOut, SignInOut
from payfirst.domain import locations
from payfirst.domain.delivery import EVERYWHERE
from payfirst.usecases.catalogue import FreeDay

CATALOGUE, NOTICES, SITE = "Catalogue", "Gateway notices", "Service"

_STK: Final = {
    "Body": {
        "stkCallback": {
            "MerchantRequestID": "29115-34620561-1",
            "CheckoutRequestID": "ws_CO_15012024103045123",
            "ResultCode": 0,
            "ResultDesc": "The service request is processed successfully.",
            "CallbackMetadata": {
                "Item": [
                    {"Name": "Amount", "Value": 350.0},
                    {"Name": "MpesaReceiptNumber", "Value": "NLJ7RT61SV"},
                ]
            },
        }
    }
}
_ACCEPTED: Final = Raw(
    {
        "type": "object",
        "required": ["status", "message", "ResultCode", "ResultDesc"],
        "properties": {
            "status": {"const": "success"},
            "message": {"type": "string"},
            "ResultCode": {"const": 0},
            "ResultDesc": {"type": "string"},
        },
    },
    {"status": "success", "message": "Callback received", "ResultCode": 0, "ResultDesc": "Accepted"},
)
_NOTICE: Final = {"type": "object", "required": ["Body"], "properties": {"Body": {"type": "object"}}}
_RESULT: Final = {"type": "object", "required": ["Result"], "properties": {"Result": {"type": "object"}}}
_REVERSED: Final = {
    "Result": {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": "f3a1-5c1e-7abc-8def",
        "ConversationID": "AG_20240115_70106d9cec7dbea1a8f8",
        "TransactionID": "NLJ8RT62TW",
    }
}
_FILTERS: Final = {
    "search": "Part of the name, in any case.",
    "currency": "INR or KES, in any case.",
    "active": "false for what is not on sale; what is, if absent.",
}
_SEARCHES: Final = (
    "`count` is what is on sale. With `search`, `farm`, `currency` or `active` a page looks through a thousand entries at "
    "most: it may hold fewer than were asked for and still have a `next`, and `count` counts what it holds."
)
EITHER: Final = {"service_type": "PUJA or ASTROLOGY, where both have the number; the puja if absent."}
_JULY: Final = date(2025, 7, 1)
_HTML: Final = Raw({"type": "string"}, "<!doctype html>…", "text/html")

OPERATIONS: Final[Mapping[str, Operation]] = {
    "get_config": Operation(
        CATALOGUE,
        "What pages need to know of the shop before anybody has signed in",
        one(
            200,
            ConfigOut(
                shop=NamesOut(bookings="Puja Bookings", orders="Green Valley Produce"),
                currencies=["INR", "KES"],
                gateways=[
                    GatewayOut(name="MPESA", label="M-Pesa", currencies=["KES"], prompts_phone=True, script=None),
                    GatewayOut(name="PHONEPE", label="PhonePe", currencies=["INR"], prompts_phone=False, script=None),
                ],
                sign_in=SignInOut(
                    issuer="https://cognito-idp.ap-south-1.amazonaws.com/ap-south-1_a1B2c3D4e",
                    client_id="1h57kf5cpq17m0eml12EXAMPLE",
                    page=None,
                ),
                languages=["en"],
            ),
        ),
        description="Nothing of it is secret. `page` is the sign-in page of an identity provider, where the shop has one.",
    ),
    "list_listings": Operation(
        CATALOGUE,
        "List produce, by number",
        one(200, Listed(ListingOut.of(samples.TOMATOES))),
        query={
            **PAGING,
            **_FILTERS,
            "farm": "The farm's whole name, in any case.",
        },
        description=_SEARCHES,
    ),
    "get_listing": Operation(CATALOGUE, "Show a listing", one(200, ListingOut.of(samples.TOMATOES)), codes=("NOT_FOUND",)),
    "list_services": Operation(
        CATALOGUE,
        "List services, by kind and number",
        one(200, Listed(ServiceOut.of(samples.PUJA))),
        query={**PAGING, "service_type": "PUJA or ASTROLOGY, in any case.", **_FILTERS},
        description=_SEARCHES,
    ),
    "get_service": Operation(
        CATALOGUE,
        "Show a service",
        one(200, ServiceOut.of(samples.PUJA)),
        codes=("NOT_FOUND",),
        query=EITHER,
    ),
    "list_slots": Operation(
        CATALOGUE,
        "Show what can be booked on a day",
        {
            200: {
                "calendar": SlotsOut.of(samples.BY_CALENDAR, samples.FREE.starts_at.date(), [samples.FREE]),
                "any time": SlotsOut.of(samples.PUJA, samples.FREE.starts_at.date(), []),
            }
        },
        codes=("NOT_FOUND",),
        query={"date": "The day in the service's zone, 2025-07-20; required.", **EITHER},
    ),
    "list_days": Operation(
        CATALOGUE,
        "Show the days of a month that can be booked",
        {
            200: {
                "calendar": DaysOut.of(samples.BY_CALENDAR, _JULY, [FreeDay(samples.FREE.starts_at.date(), 3)]),
                "any time": DaysOut.of(samples.PUJA, _JULY, []),
            }
        },
        codes=("NOT_FOUND",),
        query={"month": "The month in the service's zone, 2025-07; required.", **EITHER},
    ),
    "list_counties": Operation(
        CATALOGUE,
        "List Kenya's counties",
        one(200, Listed(CountyOut.of(locations.counties()[0], EVERYWHERE.fee(1)))),
    ),
    "list_subcounties": Operation(
        CATALOGUE,
        "List a county's sub-counties",
        one(200, Listed(SubCountyOut.of(locations.subcounties(1)[4]))),
        codes=("NOT_FOUND",),
    ),
    "gateway_notice": Operation(
        NOTICES,
        "PhonePe tells of a payment or a refund",
        one(
            200,
            Raw(
                {
                    "type": "object",
                    "required": ["success", "message"],
                    "properties": {"success": {"const": True}, "message": {"type": "string"}},
                },
                {"success": True, "message": "Notice received"},
            ),
        ),
        Raw(
            {"type": "object", "properties": {"event": {"type": "string"}, "payload": {"type": "object"}}},
            {"event": "checkout.order.completed", "payload": {"merchantOrderId": "MT7a8b9c0d1e2f3", "state": "COMPLETED"}},
        ),
        ("UNAUTHORIZED", "ROUTE_NOT_FOUND"),
        description=(
            "Authorization holds the SHA-256 of user name and password and covers no content; where the shop has a salt key, "
            "X-VERIFY is a checksum of the body instead. A notice without the right one is answered 401. Its content is a hint "
            "in either case: PhonePe is asked."
        ),
    ),
    "mpesa_callback": Operation(
        NOTICES,
        "M-Pesa tells of a payment, without a token",
        one(200, _ACCEPTED),
        Raw(_NOTICE, _STK),
        description="Nothing in the body is believed: M-Pesa is asked. Every answer is the same.",
    ),
    "stk_callback": Operation(
        NOTICES,
        "M-Pesa tells of a payment, at the address that only it knows",
        one(200, _ACCEPTED),
        Raw(_NOTICE, _STK),
        description="Every answer is the same, whatever was known.",
    ),
    "refund_result": Operation(
        NOTICES,
        "M-Pesa tells what became of a reversal",
        one(200, _ACCEPTED),
        Raw(_RESULT, _REVERSED),
        description="Every answer is the same, whatever was known.",
    ),
    "refund_timeout": Operation(
        NOTICES,
        "M-Pesa tells that a reversal waited too long",
        one(200, _ACCEPTED),
        Raw(_RESULT, _REVERSED),
        description="Nothing is decided by it: M-Pesa is asked.",
    ),
    "health": Operation(
        SITE,
        "Ask whether the API answers",
        one(
            200,
            Raw({"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}}, {"status": "ok"}),
        ),
    ),
    "openapi": Operation(
        SITE,
        "This description",
        one(
            200,
            Raw(
                {"type": "object", "required": ["openapi"], "properties": {"openapi": {"type": "string"}}},
                {"openapi": "3.1.0"},
            ),
        ),
    ),
    "paid": Operation(SITE, "The page to which PhonePe sends the browser back", one(200, _HTML)),
    "paid_posted": Operation(SITE, "The same, for PhonePe's first API, which returns with a form", one(200, _HTML)),
    "docs": Operation(SITE, "This description for people", one(200, _HTML)),
}
