"""From an event of API Gateway to a handler and back: the one way in for every function behind the API.

`build_app` strips the trailing slash before routing, gives every error its shape, and is the one place for
`Idempotency-Key`. Routing is Powertools'; what a route is, says `routes.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRoute

from payfirst.api.cors import preflight, readable_by
from payfirst.api.errors import MethodNotAllowedError, NoSuchRouteError, Reply, UnauthorizedError, reply_to
from payfirst.api.repeat import answered_once, repeat_key
from payfirst.api.request import Request, read_event, remaining
from payfirst.api.resources import customer, operator, table
from payfirst.api.routes import PAGES, ROUTES, Family, Route, family_of, methods_of
from payfirst.domain.clock import Deadline, utc_now
from payfirst.domain.errors import PayFirstError, TemporaryError
from payfirst.observability import Lambda, alarm, logger, observed, warn

Handler = Callable[..., Reply]
"""Takes the request, and the path's parameters by name."""

_SERVER_ERRORS: Final = 500
OPERATORS_PREFIX: Final = "/api/operators/"


def build_app(
    function: str,
    handlers: Mapping[str, Handler],
    *,
    page: Callable[[str], Handler] | None = None,
    lost: Callable[[Request], Reply | None] = lambda _: None,
) -> Lambda:
    """The Lambda handler of `function`: `handlers` answer its routes, by operation, and `page` says what answers on each page.

    Every route of the function needs a handler and every handler a route; LookupError otherwise. `lost` may answer what no
    route has; with None it is 404 or 405 in the shape of its family.
    """
    app = APIGatewayHttpResolver()
    routes = [route for route in ROUTES if route.function == function]
    if {route.operation for route in routes} != set(handlers):
        raise LookupError(f"the handlers of {function} are not those of its routes")
    for route in routes:
        rule = route.path.replace("{", "<").replace("}", ">")
        app.route(rule, method=list(route.methods))(_answering(app, route, handlers[route.operation]))
    if page is not None:
        for path, name in PAGES.items():
            shown = Route("GET", path, function, "page", Family.ORDERS, public=True)
            app.route(path.replace("{", "<").replace("}", ">"), method=list(shown.methods))(_answering(app, shown, page(name)))

    closed = all(route.operators for route in routes)

    def unmatched(_: NoRoute) -> Response[str]:
        request = _request(app)
        return _written((_turned_away(request) if closed else lost(request)) or no_route(request.event, hides=not closed))

    app.exception_handler(NoRoute)(unmatched)

    @observed
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the Lambda context
        # API Gateway answers with this id in a header of its own; in the log it finds the lines of one request.
        logger().append_keys(request_id=event["requestContext"]["requestId"])
        given = read_event(event)
        answer = app.resolve(given, context)
        headers = {**answer["headers"], **readable_by(given, answer["headers"].get("Vary"))}
        return {"statusCode": answer["statusCode"], "headers": headers, "body": answer["body"], "isBase64Encoded": False}

    return handle


def _answering(app: APIGatewayHttpResolver, route: Route, handler: Handler) -> Callable[..., Response[str]]:
    def answer(**parameters: str) -> Response[str]:
        request = _request(app)
        parameters = {name: unquote(value) for name, value in parameters.items()}
        if route.operators and (shut := _turned_away(request)):
            return _written(shut)
        if parameters and request.event["requestContext"]["http"]["method"] not in methods_of(request.event["rawPath"]):
            return _written(no_route(request.event, hides=not route.operators))  # a fixed word where an id might stand

        def handled() -> Reply:
            if not route.public:
                customer(request)  # before the body is looked at: a stranger learns nothing else
            return handler(request, **parameters)

        def once() -> Reply:
            return _as_json(_shaped(route, handled))

        if route.method == "POST" and not route.public:
            return _written(_shaped(route, lambda: _repeatable(request, app.lambda_context, once)))
        return _written(once())

    return answer


def _request(app: APIGatewayHttpResolver) -> Request:
    return Request(app.current_event.raw_event, utc_now(), Deadline(remaining(app.lambda_context)))


def _turned_away(request: Request) -> Reply | None:
    """What everybody but an operator is answered on the operators' paths, before anything else is looked at: whatever else they
    send, a path that exists answers like one that does not. None for an operator."""
    try:
        operator(request)
    except (NoSuchRouteError, UnauthorizedError) as error:
        return reply_to(error, family_of(request.event["rawPath"]))
    return None


def _repeatable(request: Request, context: Any, once: Callable[[], Reply]) -> Reply:  # noqa: ANN401 - the Lambda context
    """The one place for `Idempotency-Key`."""
    who = customer(request)
    key = repeat_key(request)
    if key is None:
        return once()
    return answered_once(key, who.sub, request, table(request.deadline), context, once)


def _shaped(route: Route, act: Callable[[], Reply]) -> Reply:
    """What `act` answers; an error in the shape of the route's family."""
    try:
        return act()
    except PayFirstError as error:
        return _failed(error, route)
    except Exception:  # noqa: BLE001 - the last resort: the customer gets the family's shape, the operator an alarm
        alarm("request.crashed", operation=route.operation)
        return _failed(TemporaryError("Something went wrong on our side; please try again."), route, status=_SERVER_ERRORS)


def _failed(error: PayFirstError, route: Route, *, status: int | None = None) -> Reply:
    reply = reply_to(error, route.family, route.operation)
    status = status or reply.status
    if status >= _SERVER_ERRORS:
        warn("request.failed", operation=route.operation, status=status, code=error.code)
    return Reply(status, reply.body, reply.headers)


def no_route(event: Mapping[str, Any], *, hides: bool) -> Reply:
    """The 404 or 405 of a path or a method that no route has, in the shape of the path's family; or what a browser asks before.

    With `hides` all paths of operators are unknown ones.
    """
    path, method = event["rawPath"], event["requestContext"]["http"]["method"]
    asked = preflight(event)
    if asked is not None:
        return asked
    allowed = () if hides and path.startswith(OPERATORS_PREFIX) else methods_of(path)
    if not allowed or method in allowed:  # a path with an id that no id looks like matches a route's form and no route
        return reply_to(NoSuchRouteError("Not found"), family_of(path))
    error = MethodNotAllowedError(f"{method} is not allowed here.", allowed=allowed)
    return reply_to(error, family_of(path))


def _as_json(reply: Reply) -> Reply:
    """The reply with its body as text, unless it is text already."""
    body = reply.body
    if isinstance(body, str):
        return reply
    if hasattr(body, "model_dump_json"):
        text = body.model_dump_json(exclude_unset=True)
    else:
        text = json.dumps(body, default=_plain, separators=(",", ":"))
    return Reply(reply.status, text, {"Content-Type": "application/json", **reply.headers})


def _written(reply: Reply) -> Response[str]:
    reply = _as_json(reply)
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-store", **reply.headers}
    return Response(status_code=reply.status, body=reply.body, headers=headers)


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True)
    raise TypeError(f"{type(value).__name__} does not belong into an answer")
