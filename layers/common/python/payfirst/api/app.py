"""From an HTTP API event to a handler and back: the one way in for every function behind the API.

`build_app` strips the trailing slash before routing, gives every error its shape, and is the one place for
`Idempotency-Key`. Routing is Powertools'; what a route is, says `routes.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRoute

from payfirst.api.errors import MethodNotAllowedError, NoSuchRouteError, Reply, reply_to
from payfirst.api.repeat import answered_once, repeat_key
from payfirst.api.request import Request, remaining
from payfirst.api.resources import customer, operator, table
from payfirst.api.routes import ROUTES, Route, family_of, methods_of
from payfirst.domain.clock import Deadline, utc_now
from payfirst.domain.errors import PayFirstError, TemporaryError
from payfirst.observability import alarm, logger, warn

Handler = Callable[..., Reply]
"""Takes the request, and the path's parameters by name."""

Lambda = Callable[[dict[str, Any], Any], dict[str, Any]]

DEFAULT_STAGE: Final = "$default"
_SERVER_ERRORS: Final = 500


def build_app(function: str, handlers: Mapping[str, Handler]) -> Lambda:
    """The Lambda handler of `function`, whose routes are answered by `handlers`, by operation.

    Every route of the function needs a handler and every handler a route; LookupError otherwise.
    """
    app = APIGatewayHttpResolver()
    routes = [route for route in ROUTES if route.function == function]
    if {route.operation for route in routes} != set(handlers):
        raise LookupError(f"the handlers of {function} are not those of its routes")
    for route in routes:
        rule = route.path.replace("{", "<").replace("}", ">")
        app.route(rule, method=route.method)(_answering(app, route, handlers[route.operation]))

    app.exception_handler(NoRoute)(lambda _: _written(no_route(app.current_event.raw_event)))

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - the Lambda context
        # API Gateway answers with this id in a header of its own; in the log it finds the lines of one request.
        logger().append_keys(request_id=event["requestContext"]["requestId"])
        context_of_route = {**event["requestContext"], "stage": DEFAULT_STAGE}  # else Powertools would cut it off once more
        return app.resolve({**event, "rawPath": own_path(event), "requestContext": context_of_route}, context)

    return handle


def own_path(event: Mapping[str, Any]) -> str:
    """The event's path as `routes.py` writes it: no slash at its end, and before it neither a stage nor a domain's mapping.

    API Gateway puts either before the path where it has one, except where it does not; the route that it matched tells.
    """
    parts = str(event["rawPath"]).rstrip("/").removeprefix("/").split("/")
    route = str(event.get("routeKey", "")).partition(" ")[2].strip("/")
    if route:
        parts = parts[-len(route.split("/")) :]
    elif parts[0] == event["requestContext"].get("stage"):
        parts = parts[1:]
    return "/" + "/".join(parts)


def _answering(app: APIGatewayHttpResolver, route: Route, handler: Handler) -> Callable[..., Response[str]]:
    def answer(**parameters: str) -> Response[str]:
        request = Request(app.current_event.raw_event, utc_now(), Deadline(remaining(app.lambda_context)))

        def handled() -> Reply:
            if route.operators:
                operator(request)
            elif not route.public:
                customer(request)  # before the body is looked at: a stranger learns nothing else
            return handler(request, **parameters)

        def once() -> Reply:
            return _as_json(_shaped(route, handled))

        if route.method == "POST" and not route.public:
            return _written(_shaped(route, lambda: _repeatable(request, app.lambda_context, once)))
        return _written(once())

    return answer


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


def no_route(event: Mapping[str, Any]) -> Reply:
    """The 404 or 405 of a path or a method that no route has, in the shape of the path's family."""
    path, method = event["rawPath"], event["requestContext"]["http"]["method"]
    allowed = methods_of(path)
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
