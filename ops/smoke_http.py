"""What `make smoke` says of the API's answers: public and protected paths in both forms, unknown ones, and other origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import requests

from ops.smoke_shop import ENDS, Line, Shop, bad, code_of, concrete, judged, one_per_function, shown
from payfirst.api.routes import ROUTES, Route

ADDRESS_LINE: Final = "the API's address"
PUBLIC_LINES: Final = {"/": "public paths as documents print them", "": "public paths without a slash"}
TOKEN_LINES: Final = {None: "protected paths without a token", "smoke.smoke.smoke": "protected paths with a garbled token"}
UNKNOWN_LINE: Final = "unknown paths and wrong verbs"
SHOP_LINE: Final = "pages of {}"
FOREIGN_LINE: Final = "pages of other origins"
FOREIGN: Final = "https://smoke.invalid"
LOOK: Final = "Look into the API's routes above and into the functions' log; then deploy again."
CORS: Final = "Set ShopOrigin in samconfig.toml to the origins of the shop's pages and deploy again."
OK, UNAUTHORIZED, NOT_FOUND, NOT_ALLOWED, NO_CONTENT = 200, 401, 404, 405, 204


def check_answers(shop: Shop) -> Iterator[Line]:
    """The lines about what a client is answered."""
    try:
        health = shop.send("GET", "/health")
    except requests.RequestException as error:
        where = shop.address or "no address"
        yield bad(
            ADDRESS_LINE, f"{where} does not answer: {type(error).__name__}", "Is the name in DNS, and PublicOrigin right?"
        )
        return
    secure = urlsplit(shop.address).scheme == "https" or shop.emulated
    problems = [] if secure else [f"{shop.address} is not https"]
    problems += [] if health.status_code == OK else [f"GET {shop.address}/health is answered {shown(health)}"]
    yield judged(ADDRESS_LINE, problems, f"{shop.address} answers", "PublicOrigin or DomainName has to name this stack's API.")
    for end, what in PUBLIC_LINES.items():
        yield _public(shop, end, what)
    for token, what in TOKEN_LINES.items():
        yield _protected(shop, token, what)
    yield _no_route(shop)
    yield from _origins(shop)


def _public(shop: Shop, end: str, what: str) -> Line:
    routes = [route for route in ROUTES if route.public]
    problems = []
    for route in routes:
        path = concrete(route) + end
        answer = shop.send(route.method, path)
        if not _is_right(route, answer):
            problems.append(f"{route.method} {path}: {shown(answer)}")
    return judged(what, problems, f"all {len(routes)} answer", LOOK)


def _is_right(route: Route, answer: requests.Response) -> bool:
    """Nothing has the id 0, and no gateway is called so; notices are answered alike, whatever they say."""
    if route.operation == "gateway_notice":
        return answer.status_code == NOT_FOUND and "gateway" in answer.text
    if "{" in route.path and route.function != "webhook":
        return (answer.status_code, code_of(answer)) == (NOT_FOUND, "NOT_FOUND")
    return answer.status_code == OK


def _protected(shop: Shop, token: str | None, what: str) -> Line:
    routes, problems = list(one_per_function()), []
    for route in routes:
        for end in ENDS:
            path = concrete(route) + end
            answer = shop.send(route.method, path, token=token)
            if (answer.status_code, code_of(answer)) != (UNAUTHORIZED, "UNAUTHORIZED"):
                problems.append(f"{route.method} {path}: {shown(answer)}")
    return judged(what, problems, f"401 in our shape, in both forms, before each of {len(routes)} functions", LOOK)


def _no_route(shop: Shop) -> Line:
    problems = []
    for end in ENDS:
        for path in ("/smoke", "/api/cart/smoke"):
            answer = shop.send("GET", path + end)
            if (answer.status_code, code_of(answer)) != (NOT_FOUND, "ROUTE_NOT_FOUND"):
                problems.append(f"GET {path}{end}: {shown(answer)}")
        answer = shop.send("PUT", f"/api/orders{end}")
        if (answer.status_code, code_of(answer)) != (NOT_ALLOWED, "METHOD_NOT_ALLOWED") or "GET" not in answer.headers.get(
            "Allow", ""
        ):
            problems.append(f"PUT /api/orders{end}: {shown(answer)}")
    return judged(UNKNOWN_LINE, problems, "404 and 405 in our shape, in both forms", LOOK)


def _origins(shop: Shop) -> Iterator[Line]:
    allowed = [origin.strip() for origin in shop.parameters.get("ShopOrigin", "").split(",") if origin.strip()]
    for origin in allowed:
        problems = []
        for asked, answer in _from(shop, origin):
            readable_by = answer.headers.get("Access-Control-Allow-Origin", "nobody")
            problems += [f"{asked} may be read by {readable_by}"] if readable_by != origin else []
            problems += [f"{asked}: {shown(answer)}"] if answer.status_code not in (OK, NO_CONTENT) else []
        yield judged(SHOP_LINE.format(origin), problems, "may ask before they send (204), and read the answers", CORS)
    problems = [
        f"{asked} may be read by {answer.headers['Access-Control-Allow-Origin']}"
        for asked, answer in _from(shop, FOREIGN)
        if answer.headers.get("Access-Control-Allow-Origin") in ("*", FOREIGN)
    ]
    found = "may not read" if allowed else "may not read; ShopOrigin is empty, so no page may"
    yield judged(FOREIGN_LINE, problems, found, CORS)


def _from(shop: Shop, origin: str) -> Iterator[tuple[str, requests.Response]]:
    """What a page of `origin` is answered: when it asks before it sends, and when it reads."""
    for path in ("/api/payments/sessions/", "/api/operators/stuck/"):
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        yield f"OPTIONS {path}", shop.send("OPTIONS", path, headers=asks)
    for path in ("/health/", "/api/listings/"):
        yield f"GET {path}", shop.send("GET", path, headers={"Origin": origin})
