"""The one table of HTTP routes, and of the pages beside them.

`build_app` registers handlers from it, the site answers 404 and 405 from it, `openapi.json` is written from it, and a test
holds `template.yaml` to it. Each path stands here once, without a trailing slash; every route also answers with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote


class Family(StrEnum):
    """Whose error shape a route speaks: bookings (document A), orders (document B), or A's payments."""

    BOOKINGS = "bookings"
    PAYMENTS = "payments"
    ORDERS = "orders"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: `operation` is its OpenAPI id and the name of its handler.

    `public` ones need no token; to anybody but the shop's operators those of `operators` do not exist.
    """

    method: str
    path: str
    function: str
    operation: str
    family: Family
    public: bool = False
    operators: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """What the route answers to: HEAD wherever GET is."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


A, P, B = Family.BOOKINGS, Family.PAYMENTS, Family.ORDERS

ROUTES: Final = (
    # Sessions (document B)
    Route("POST", "/api/payments/sessions", "create_session", "create_session", B),
    Route("POST", "/api/payments/sessions/{session_id}/extend_session", "create_session", "extend_session", B),
    Route("GET", "/api/payments/sessions", "read_payments", "list_sessions", B),
    Route("GET", "/api/payments/sessions/{session_id}", "read_payments", "get_session", B),
    Route("GET", "/api/payments/sessions/{session_id}/status", "read_payments", "session_status", B),
    Route("GET", "/api/payments/sessions/{session_id}/events", "read_payments", "session_events", B),
    Route("POST", "/api/payments/sessions/{session_id}/initiate_payment", "initiate_payment", "initiate_payment", B),
    # Payments (document A); each also under the doubled prefix of its Postman collection
    Route("POST", "/api/payments/process-cart", "initiate_payment", "process_cart", P),
    Route("POST", "/api/payments/payments/process-cart", "initiate_payment", "process_cart_doubled", P),
    Route("GET", "/api/payments", "read_payments", "list_payments", P),
    Route("GET", "/api/payments/payments", "read_payments", "list_payments_doubled", P),
    Route("GET", "/api/payments/{payment_id}", "read_payments", "get_payment", P),
    Route("GET", "/api/payments/payments/{payment_id}", "read_payments", "get_payment_doubled", P),
    Route("GET", "/api/payments/{payment_id}/check-booking", "read_payments", "check_booking", P),
    Route("GET", "/api/payments/payments/{payment_id}/check-booking", "read_payments", "check_booking_doubled", P),
    # Notices of the gateways
    Route("POST", "/api/payments/webhook/{gateway}", "webhook", "gateway_notice", P, public=True),
    Route(
        "POST",
        "/api/payments/transactions/mpesa_callback",
        "webhook",
        "mpesa_callback",
        Family.NOTICE,
        public=True,
    ),
    Route("POST", "/cb/stk/{token}", "webhook", "stk_callback", Family.NOTICE, public=True),
    Route("POST", "/cb/result/{token}", "webhook", "refund_result", Family.NOTICE, public=True),
    Route("POST", "/cb/late/{token}", "webhook", "refund_timeout", Family.NOTICE, public=True),
    # Carts of bookings (document A)
    Route("POST", "/api/cart/carts", "carts", "create_cart", A),
    Route("GET", "/api/cart/carts", "carts", "list_carts", A),
    Route("GET", "/api/cart/carts/active", "carts", "list_active_carts", A),
    Route("GET", "/api/cart/carts/{cart_id}", "carts", "get_cart", A),
    Route("DELETE", "/api/cart/carts/{cart_id}", "carts", "delete_cart", A),
    Route("POST", "/api/cart/carts/{cart_id}/apply_promo", "carts", "apply_promo", A),
    Route("POST", "/api/cart/carts/{cart_id}/remove_promo", "carts", "remove_promo", A),
    # Cart of produce (document B)
    Route("GET", "/api/carts/my_cart", "carts", "my_cart", B),
    Route("POST", "/api/carts/add_item", "carts", "add_item", B),
    Route("POST", "/api/carts/update_quantity", "carts", "update_quantity", B),
    Route("POST", "/api/carts/remove_item", "carts", "remove_item", B),
    Route("POST", "/api/carts/apply_promo", "carts", "apply_produce_promo", B),
    Route("POST", "/api/carts/remove_promo", "carts", "remove_produce_promo", B),
    # The shop, its catalogue, and places
    Route("GET", "/api/config", "catalogue", "get_config", B, public=True),
    Route("GET", "/api/listings", "catalogue", "list_listings", B, public=True),
    Route("GET", "/api/listings/{listing_id}", "catalogue", "get_listing", B, public=True),
    Route("GET", "/api/services", "catalogue", "list_services", A, public=True),
    Route("GET", "/api/services/{service_id}", "catalogue", "get_service", A, public=True),
    Route("GET", "/api/services/{service_id}/slots", "catalogue", "list_slots", A, public=True),
    Route("GET", "/api/services/{service_id}/days", "catalogue", "list_days", A, public=True),
    Route("GET", "/api/locations/counties", "catalogue", "list_counties", B, public=True),
    Route("GET", "/api/locations/counties/{county_id}/subcounties", "catalogue", "list_subcounties", B, public=True),
    # Bookings and orders
    Route("GET", "/api/booking/bookings", "bookings", "list_bookings", A),
    Route("GET", "/api/booking/bookings/{booking_id}", "bookings", "get_booking", A),
    Route("POST", "/api/booking/bookings/{booking_id}/reschedule", "bookings", "reschedule_booking", A),
    Route("POST", "/api/booking/bookings/{booking_id}/cancel", "bookings", "cancel_booking", A),
    Route("GET", "/api/orders", "bookings", "list_orders", B),
    Route("GET", "/api/orders/{order_id}", "bookings", "get_order", B),
    Route("POST", "/api/orders/{order_id}/cancel", "bookings", "cancel_order", B),
    # What the shop's own people do
    Route("GET", "/api/operators/stuck", "operators", "operators_stuck", B, operators=True),
    Route("POST", "/api/operators/stuck/replay", "operators", "operators_replay", B, operators=True),
    Route("POST", "/api/operators/stuck/close", "operators", "operators_close", B, operators=True),
    Route("GET", "/api/operators/payments/{which}", "operators", "operators_payment", B, operators=True),
    Route("POST", "/api/operators/payments/{which}/resolve", "operators", "operators_resolve", B, operators=True),
    Route("POST", "/api/operators/payments/{which}/refund", "operators", "operators_refund", B, operators=True),
    Route("POST", "/api/operators/refunds/{refund}/resolve", "operators", "operators_refund_paid", B, operators=True),
    Route("GET", "/api/operators/bookings", "operators", "operators_bookings", B, operators=True),
    Route("GET", "/api/operators/bookings/{book_id}", "operators", "operators_booking", B, operators=True),
    Route("POST", "/api/operators/bookings/{book_id}/move", "operators", "operators_move_booking", B, operators=True),
    Route("POST", "/api/operators/bookings/{book_id}/cancel", "operators", "operators_cancel_booking", B, operators=True),
    Route("POST", "/api/operators/bookings/{book_id}/complete", "operators", "operators_complete_booking", B, operators=True),
    Route("GET", "/api/operators/orders", "operators", "operators_orders", B, operators=True),
    Route("GET", "/api/operators/orders/{order_number}", "operators", "operators_order", B, operators=True),
    Route("POST", "/api/operators/orders/{order_number}/move", "operators", "operators_move_order", B, operators=True),
    Route("POST", "/api/operators/orders/{order_number}/undo", "operators", "operators_undo_step", B, operators=True),
    Route("GET", "/api/operators/search", "operators", "operators_search", B, operators=True),
    Route("GET", "/api/operators/listings/{listing_id}", "operators", "operators_listing", B, operators=True),
    Route("POST", "/api/operators/listings/{listing_id}", "operators", "operators_change_listing", B, operators=True),
    Route("GET", "/api/operators/services/{service_id}", "operators", "operators_service", B, operators=True),
    Route("POST", "/api/operators/services/{service_id}", "operators", "operators_change_service", B, operators=True),
    Route("GET", "/api/operators/funnel", "operators", "operators_funnel", B, operators=True),
    Route("GET", "/api/operators/totals", "operators", "operators_totals", B, operators=True),
    # The site
    Route("GET", "/health", "site", "health", B, public=True),
    Route("GET", "/openapi.json", "site", "openapi", B, public=True),
    Route("GET", "/docs", "site", "docs", B, public=True),
    Route("GET", "/paid", "site", "paid", A, public=True),
    Route("POST", "/paid", "site", "paid_posted", A, public=True),  # PhonePe's first API returns with a form
)

PAGES: Final[Mapping[str, str]] = {
    "/": "shop",
    "/shop": "shop",
    "/checkout/{session_id}": "checkout",
    "/orders/{order_id}": "order",
    "/bookings/{booking_id}": "booking",
    "/me": "me",
    "/signed-in": "signed_in",
    "/desk": "desk_today",
    "/desk/orders": "desk_orders",
    "/desk/bookings": "desk_bookings",
    "/desk/payments/{which}": "desk_payments",
    "/desk/find": "desk_find",
    "/desk/people": "desk_people",
    "/desk/catalogue": "desk_catalogue",
    "/desk/funnel": "desk_funnel",
    "/desk/slips": "desk_slips",
    "/docs/{operation}": "docs",
    "/assets/{name}": "asset",
}
"""What people open, by path, and what it is called: shells without data, and what they load. API Gateway has no resource for
any of them: they come to the site as every path does that it does not know. They are no operations of the API and no part of
its description; `/docs/…` is the page of one operation of it."""


def family_of(path: str) -> Family:
    """Whose error shape answers at `path`, known or not: by the prefix that the documents give each family."""
    if path.startswith(("/cb/", "/api/payments/transactions")):
        return Family.NOTICE
    if path.startswith("/api/payments/sessions"):
        return Family.ORDERS
    if path.startswith("/api/payments"):
        return Family.PAYMENTS
    if path.startswith(("/api/cart/", "/api/booking", "/api/services")):
        return Family.BOOKINGS
    return Family.ORDERS


_READ: Final = ("GET", "HEAD")
_FORMS: Final = tuple(
    (path.strip("/").split("/"), methods)
    for path, methods in [*((route.path, route.methods) for route in ROUTES), *((path, _READ) for path in PAGES)]
)


def methods_of(path: str) -> tuple[str, ...]:
    """The methods that `path` answers to, sorted; empty for a path that no route has.

    A fixed word is never taken for an id, whatever the method: where only longer paths begin with it, their methods are meant.
    Percent-encoded it is neither: API Gateway finds no route of that word, so the path has none.
    """
    given = path.rstrip("/").removeprefix("/").split("/")
    left, taken_for_id = list(_FORMS), False
    for at, part in enumerate(given):
        if any(len(form[0]) > at and form[0][at] == unquote(part) != part for form in left):
            return ()
        fixed = [form for form in left if len(form[0]) > at and form[0][at] == part]
        variable = [form for form in left if len(form[0]) > at and part and form[0][at].startswith("{")]
        taken_for_id = taken_for_id or bool(fixed and variable)
        left = fixed or variable
    whole = [methods for parts, methods in left if len(parts) == len(given)]
    found = whole or [methods for _, methods in left if taken_for_id]
    return tuple(sorted({method for methods in found for method in methods}))
