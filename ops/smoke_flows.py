"""What `make smoke` says as a customer: tokens, and each flow up to the payment page or the prompt. Never in production.

The customer is made for it and taken away afterwards, whatever happens; sessions and carts expire by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import randbelow, token_hex
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from ops.credential_target import Account
from ops.smoke_http import LOOK, NO_CONTENT, NOT_ALLOWED, NOT_FOUND, OK, UNAUTHORIZED
from ops.smoke_outside import missing_credentials, on_sale
from ops.smoke_shop import ENDS, Line, Shop, bad, code_of, judged, ok, shown, unknown

CUSTOMER_LINE: Final = "a customer's ID token"
ACCESS_LINE: Final = "a customer's access token"
GROUPS_LINE: Final = "an operator who is in two groups"
IDS_LINE: Final = "ids with a slash at their end, with a token"
VERB_LINE: Final = "a verb that only the next path has, with a token"
EMPTY_LINE: Final = "answers without a body (204)"
EXPIRED_LINE: Final = "an expired token"
FLOW_LINES: Final = {"phonepe": "a puja up to the payment page", "mpesa": "produce up to the prompt"}
SAFARICOMS: Final = ("sandbox.safaricom.co.ke", "254708374149")
"""The sandbox, and the number that it has for trials: nobody's telephone rings."""
TOO_MANY: Final = 429
DAYS: Final = range(2, 16)
NOBODY: Final = "Nobody is made or bought for in production; try it in a sandbox stage."


class UnexpectedAnswerError(Exception):
    """The API answers a step of a flow otherwise than it should; the message says which and how."""


class MissingError(Exception):
    """A flow cannot begin; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The customer of this run."""

    shop: Shop
    id_token: str = field(repr=False)
    access_token: str = field(repr=False)

    def ask(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
        """The JSON of an answer that must succeed."""
        answer = self.shop.send(method, path, token=self.id_token, json=body)
        if answer.status_code == TOO_MANY:
            raise MissingError(f"{method} {path} is answered {shown(answer)}, for an earlier try is still open")
        if not answer.ok:
            raise UnexpectedAnswerError(f"{method} {path} is answered {shown(answer)}")
        return answer.json()


def check_as_customer(shop: Shop) -> Iterator[Line]:
    """The lines that need a customer."""
    if shop.takes_real_money:
        lines = (CUSTOMER_LINE, ACCESS_LINE, GROUPS_LINE, IDS_LINE, VERB_LINE, EMPTY_LINE, *FLOW_LINES.values())
        yield from (unknown(what, "not looked at in production", NOBODY) for what in lines)
    else:
        with a_visitor(shop) as visitor:
            yield from _tokens(visitor)
            yield from _paths(visitor)
            sold = on_sale(shop)
            yield _walked(EMPTY_LINE, lambda: _delete(visitor, sold["services"]))
            yield _flow(visitor, "phonepe", lambda: _book(visitor, sold["services"]))
            yield _flow(visitor, "mpesa", lambda: _order(visitor, sold["listings"]))
    how = "Send one that is over an hour old: 401 UNAUTHORIZED is right."
    yield unknown(EXPIRED_LINE, "none can be made: a token lives for an hour", how)


@contextmanager
def a_visitor(shop: Shop) -> Iterator[Visitor]:
    """A customer with a token, in the group of operators and in another; gone afterwards, with the other group."""
    users, pool, name = shop.client("cognito-idp"), shop.output("UserPoolId"), f"smoke-{token_hex(8)}"
    address, password = f"{name}@example.com", f"{token_hex(16)}aA1-"
    users.create_group(UserPoolId=pool, GroupName=name)
    try:
        attributes = [{"Name": "email", "Value": address}, {"Name": "email_verified", "Value": "true"}]
        users.admin_create_user(UserPoolId=pool, Username=address, MessageAction="SUPPRESS", UserAttributes=attributes)
        try:
            users.admin_set_user_password(UserPoolId=pool, Username=address, Password=password, Permanent=True)
            for group in ("operators", name):
                users.admin_add_user_to_group(UserPoolId=pool, Username=address, GroupName=group)
            tokens = users.initiate_auth(
                ClientId=shop.output("UserPoolClientId"),
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": address, "PASSWORD": password},
            )["AuthenticationResult"]
            yield Visitor(shop, tokens["IdToken"], tokens["AccessToken"])
        finally:
            users.admin_delete_user(UserPoolId=pool, Username=address)
    finally:
        users.delete_group(UserPoolId=pool, GroupName=name)


def _tokens(visitor: Visitor) -> Iterator[Line]:
    shop = visitor.shop
    answers = [shop.send("GET", f"/api/orders{end}", token=visitor.id_token) for end in ENDS]
    problems = [f"is answered {shown(answer)}" for answer in answers if answer.status_code != OK]
    yield judged(CUSTOMER_LINE, problems, "is taken, in both forms of a path", LOOK)
    answer = shop.send("GET", "/api/orders/", token=visitor.access_token)
    refused = (answer.status_code, code_of(answer)) == (UNAUTHORIZED, "UNAUTHORIZED")
    yield judged(ACCESS_LINE, [] if refused else [f"is answered {shown(answer)}"], "is refused with 401 in our shape", LOOK)
    answer = shop.send("GET", "/api/operators/stuck/", token=visitor.id_token)
    problems = [] if answer.status_code == OK else [f"is answered {shown(answer)}: their groups are not understood"]
    yield judged(GROUPS_LINE, problems, "is known as one", "Look into the function's log, and tell us.")


def _paths(visitor: Visitor) -> Iterator[Line]:
    shop, token = visitor.shop, visitor.id_token
    problems = []
    for path in ("/api/orders/0", "/api/cart/carts/0", "/api/payments/0"):
        for end in ENDS:
            answer = shop.send("GET", path + end, token=token)
            if (answer.status_code, code_of(answer)) != (NOT_FOUND, "NOT_FOUND"):
                problems.append(f"GET {path}{end}: {shown(answer)}")
    yield judged(IDS_LINE, problems, "reach their functions", LOOK)
    answer = shop.send("GET", "/api/payments/process-cart/", token=token)
    is_right = (answer.status_code, code_of(answer)) == (NOT_ALLOWED, "METHOD_NOT_ALLOWED")
    yield judged(VERB_LINE, [] if is_right else [f"GET {answer.request.path_url}: {shown(answer)}"], "405 in our shape", LOOK)


def _flow(visitor: Visitor, account: Account, walk: Callable[[], str]) -> Line:
    missing = missing_credentials(visitor.shop, account)
    if missing:
        found, do = f"not tried: {', '.join(missing)} missing", f"`payfirst credentials set {account} {visitor.shop.options}`"
        return unknown(FLOW_LINES[account], found, do)
    return _walked(FLOW_LINES[account], walk)


def _walked(what: str, walk: Callable[[], str]) -> Line:
    try:
        return ok(what, walk())
    except MissingError as error:
        return unknown(what, f"not tried: {error}", "Look again when that is over; docs/catalogue/README.md fills a catalogue.")
    except UnexpectedAnswerError as error:
        return bad(what, str(error), LOOK)
    except (requests.RequestException, ValueError, KeyError) as error:
        return bad(what, f"ends in an answer that is not expected: {type(error).__name__} {error}", LOOK)


def _delete(visitor: Visitor, services: list[dict[str, Any]]) -> str:
    """A cart is made and deleted."""
    if not services:
        raise MissingError("no service is sold")
    path = f"/api/cart/carts/{visitor.ask('POST', '/api/cart/carts/', _wanted(visitor, services[0]))['id']}/"
    answer = visitor.shop.send("DELETE", path, token=visitor.id_token)
    if answer.status_code != NO_CONTENT or answer.content:
        raise UnexpectedAnswerError(f"DELETE {path} is answered {shown(answer)}")
    return "arrive so: a cart was deleted"


def _book(visitor: Visitor, services: list[dict[str, Any]]) -> str:
    """Cart, payment page, one read of its status."""
    if not services:
        raise MissingError("no service is sold")
    wanted = _wanted(visitor, services[0])
    cart = visitor.ask("POST", "/api/cart/carts/", wanted)
    payment = visitor.ask("POST", "/api/payments/process-cart/", {"cart_id": cart["id"], "method": "PHONEPE"})
    status = visitor.ask("GET", f"/api/payments/{payment['payment_id']}/check-booking/")
    if status["booking_created"]:
        raise UnexpectedAnswerError("there is a booking before anybody has paid")
    page = urlsplit(payment["payment_url"] or "").hostname
    return f"the page is at {page}" if page else "PhonePe's answer was lost, and is being looked up"


def _wanted(visitor: Visitor, service: dict[str, Any]) -> dict[str, Any]:
    kind = service["service_type"]
    package = {"package_id": service["packages"][0]["id"]} if service["packages"] else {}
    chosen = {"service_type": kind, f"{kind.lower()}_service": service["id"], **package}
    for ahead in DAYS:
        day = (visitor.shop.now + timedelta(days=ahead)).date().isoformat()
        offered = visitor.ask("GET", f"/api/services/{service['id']}/slots/?date={day}&service_type={kind}")
        free = [slot["time"] for slot in offered["slots"] if slot["free"]]
        if free or offered["any_time"]:
            return {**chosen, "selected_date": day, "selected_time": free[0] if free else "10:00"}
    raise MissingError(f"{service['name']} has no free slot within {DAYS.stop - 1} days")


def _order(visitor: Visitor, listings: list[dict[str, Any]]) -> str:
    """Cart, session, prompt, one read of its status."""
    in_stock = [one for one in listings if float(one["available"]) >= 1]
    if not in_stock:
        raise MissingError("no listing is in stock")
    county = next((one for one in visitor.ask("GET", "/api/locations/counties/")["results"] if one["delivery_fee"]), None)
    if county is None:
        raise MissingError("no county is delivered to")
    [place, *_] = visitor.ask("GET", f"/api/locations/counties/{county['id']}/subcounties/")["results"]
    visitor.ask("POST", "/api/carts/add_item/", {"listing_id": in_stock[0]["listing_id"], "quantity": 1})
    where = {
        "full_name": "Smoke",
        "phone_number": _phone(visitor.shop),
        "county_id": county["id"],
        "subcounty_id": place["id"],
        "detailed_address": "Nobody lives here",
    }
    session = visitor.ask("POST", "/api/payments/sessions/", {"delivery_details": where})["session_id"]
    path = f"/api/payments/sessions/{session}"
    started = visitor.ask("POST", f"{path}/initiate_payment/")
    states = {visitor.ask("GET", f"{path}/status{end}")["session_status"] for end in ENDS}
    return f"{started['message']} The session is {', '.join(states)}."


def _phone(shop: Shop) -> str:
    """Safaricom's own in its sandbox; a simulator takes any."""
    host, number = SAFARICOMS
    return number if urlsplit(shop.parameters.get("MpesaBaseUrl", "")).hostname == host else f"254712{randbelow(10**6):06d}"
