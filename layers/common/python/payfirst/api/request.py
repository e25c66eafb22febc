"""One request as handlers see it: who is calling, what was sent, and how much time is left."""

from __future__ import annotations

import base64
import binascii
import json
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from payfirst.api.errors import MalformedError, TooLargeError, UnauthorizedError
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.session import Customer

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

LARGEST_BODY: Final = 64 * 1024
LONGEST_SUBJECT: Final = 128
LONGEST_NUMBER: Final = 1000
LARGEST_EXPONENT: Final = 1000
_BETWEEN_GROUPS: Final = re.compile(r"[\[\],\s]+")
_ADDRESS: Final = re.compile(r"(?=.{3,254}\Z)[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f-\x9f]+@[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f-\x9f]+")
"""One plain address, with nothing that a header of an e-mail would read as another."""


@dataclass(frozen=True, slots=True)
class Request:
    """An event as `read_event` gives it, its instant, and the function's remaining time."""

    event: Mapping[str, Any]
    now: datetime
    deadline: Deadline

    def header(self, name: str) -> str | None:
        """The header of that name in any case; None when there is none."""
        headers = self.event.get("headers") or {}
        return next((value for key, value in headers.items() if key.lower() == name.lower()), None)

    def parameter(self, name: str) -> str | None:
        """The query parameter of that name; None when there is none."""
        return (self.event.get("queryStringParameters") or {}).get(name)

    @property
    def raw(self) -> bytes:
        """The body as it was sent; TooLargeError over 64 KB, MalformedError for base64 that is none."""
        body = self.event.get("body") or ""
        try:
            sent = base64.b64decode(body, validate=True) if self.event.get("isBase64Encoded") else body.encode()
        except (binascii.Error, ValueError) as exc:
            raise MalformedError("The body cannot be decoded.") from exc
        if len(sent) > LARGEST_BODY:
            raise TooLargeError(f"The body is larger than {LARGEST_BODY} bytes.")
        return sent

    @property
    def notice(self) -> bytes:
        """A gateway's body exactly as it was sent, of any size and form; what cannot be decoded is empty."""
        body = self.event.get("body") or ""
        if not self.event.get("isBase64Encoded"):
            return str(body).encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(body)
        except (binascii.Error, ValueError):
            return b""

    def body(self, model: type[Model]) -> Model:
        """The body as `model`, whatever the Content-Type says; an absent body is `{}`. InvalidInputError names the fields."""
        from pydantic import ValidationError  # noqa: PLC0415 - notices never need it

        try:
            return model.model_validate(_json_object(self.raw))
        except ValidationError as exc:
            raise InvalidInputError(*(_problem(error) for error in exc.errors(include_url=False))) from exc

    @property
    def claims(self) -> Mapping[str, str]:
        """The verified token's claims, as the API's authorizer passes them on."""
        authorizer = self.event.get("requestContext", {}).get("authorizer") or {}
        return (authorizer.get("jwt") or {}).get("claims") or {}

    def api_address(self, region: str) -> str | None:
        """Where the REST API in `region` that took this request answers by itself; None where none took it.

        API Gateway tells id and stage of its own accord: no header of the request (`Host`, `X-Forwarded-Host`) changes them.
        """
        context = self.event["requestContext"]
        if not context.get("api"):
            return None
        return f"https://{context['api']}.execute-api.{region}.amazonaws.com/{context['apiStage']}"

    @property
    def groups(self) -> frozenset[str]:
        """The groups of the caller, as the verified token itself lists them.

        The authorizer tells a list as `a,b` or `[a b]`, and a name may hold a comma: only the token says where one ends. A
        header can be sent twice, though, and which one was verified is not told: a token counts only if it lists what the
        verified claim holds.
        """
        payload = (self.header("authorization") or "").partition(".")[2].partition(".")[0]
        try:
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            names = claims["cognito:groups"]
            listed = frozenset(names if isinstance(names, list) else ())
            return listed if _words_in(names) == _words_in(self.claims.get("cognito:groups", "")) else frozenset()
        except (ValueError, KeyError, TypeError, RecursionError):
            return frozenset()

    def customer(self, issuer: str, audience: str) -> Customer:
        """Who is calling. The authorizer has verified the token; UnauthorizedError if it is not an ID token of this shop."""
        claims = self.claims
        subject = claims.get("sub", "")
        right = _is_id_token(claims) and claims.get("iss") == issuer and claims.get("aud") == audience
        if not right or not subject or len(subject) > LONGEST_SUBJECT:
            raise UnauthorizedError("Please sign in and send your ID token.")
        user_id = claims.get("user_id") or claims.get("custom:user_id") or ""
        return Customer(
            sub=subject,
            user_id=int(user_id) if user_id.isdecimal() and len(user_id) < 16 else None,  # noqa: PLR2004 - below 2^53
            email=_verified_address(claims),
            name=claims.get("name"),
            phone=claims.get("phone_number"),
        )


def read_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of the REST API (payload 1.0) or of a function's own URL (2.0), in the form of the second.

    Its path is written as in `routes.py`: no slash at its end, and before it neither a stage nor a domain's mapping. Values in
    it stay as they were sent, percent-encoded in payload 1.0.
    """
    given = dict(event) if "rawPath" in event else _of_rest_api(event)
    # A stage other than this one is what Powertools would cut off once more.
    return {**given, "rawPath": own_path(given), "requestContext": {**given["requestContext"], "stage": "$default"}}


def _of_rest_api(event: Mapping[str, Any]) -> dict[str, Any]:
    context, method = event["requestContext"], event["httpMethod"]
    seen = context.get("identity") or {}
    claims = (context.get("authorizer") or {}).get("claims")
    several = event.get("multiValueQueryStringParameters") or {}
    return {
        "version": "2.0",
        "routeKey": f"{method} {event['resource']}",
        "rawPath": event["path"],
        "headers": event.get("headers") or {},
        "queryStringParameters": {name: ",".join(values) for name, values in several.items()},
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded", False),
        "requestContext": {
            "requestId": context["requestId"],
            "api": context.get("apiId"),
            "apiStage": context.get("stage"),
            "stage": context.get("stage"),
            "http": {"method": method, "path": event["path"], "sourceIp": seen.get("sourceIp", "")},
            **({"authorizer": {"jwt": {"claims": claims}}} if claims else {}),
        },
    }


def own_path(event: Mapping[str, Any]) -> str:
    """The event's path as `routes.py` writes it: no slash at its end, and before it neither a stage nor a domain's mapping.

    API Gateway puts either before the path where it has one, except where it does not; the route that it matched tells.
    """
    parts = str(event["rawPath"]).rstrip("/").removeprefix("/").split("/")
    route = str(event.get("routeKey", "")).partition(" ")[2].strip("/").split("/")
    if route[-1].endswith("+}") and route[0] in parts:
        parts = parts[parts.index(route[0]) :]
    elif route != [""] and not route[-1].endswith("+}"):
        parts = parts[-len(route) :]
    elif parts[0] == event["requestContext"].get("stage"):
        parts = parts[1:]
    return "/" + "/".join(parts)


def _verified_address(claims: Mapping[str, Any]) -> str | None:
    """The address that the issuer has verified; None for any other: whoever set it may not be who reads there."""
    verified, address = claims.get("email_verified"), str(claims.get("email", ""))
    return address if (verified is True or verified == "true") and _ADDRESS.fullmatch(address) else None


def _is_id_token(claims: Mapping[str, str]) -> bool:
    """Whether a token says who somebody is, not what its bearer may do. Cognito writes it into `token_use`; of other issuers'
    tokens, those for access name the client that may use them or what it may do with them (RFC 9068, section 2.2)."""
    use = claims.get("token_use")
    return use == "id" if use is not None else not claims.keys() & {"client_id", "scope", "scp"}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _words_in(groups: str | list[str]) -> list[str]:
    """The words of a list of groups, however it is written."""
    return _BETWEEN_GROUPS.sub(" ", groups if isinstance(groups, str) else " ".join(groups)).split()


def _fraction(digits: str) -> Decimal:
    """MalformedError for an exponent that no amount, quantity or id has."""
    try:
        number = Decimal(digits)
    except ArithmeticError as exc:
        raise MalformedError("A number in the body is out of range.") from exc
    if number and abs(number.adjusted()) > LARGEST_EXPONENT:
        raise MalformedError("A number in the body is out of range.")
    return number


def _whole(digits: str) -> int:
    """MalformedError where there are more digits than Python reads."""
    if len(digits) > LONGEST_NUMBER:
        raise MalformedError("A number in the body is too long.")
    return int(digits)


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode("utf-8-sig")  # some clients put a byte order mark before it
        body = (
            json.loads(text, parse_int=_whole, parse_float=_fraction, parse_constant=_refuse)
            if text.strip(string.whitespace)
            else {}
        )
        body = _without_nulls(body) if isinstance(body, dict) else {} if body is None else body
    except (ValueError, RecursionError) as exc:
        raise MalformedError("The body is not JSON in UTF-8.") from exc
    if not isinstance(body, dict):
        raise MalformedError("The body has to be a JSON object.")
    return body


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """`null` equals absent."""
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value for name, value in body.items() if value is not None
    }


_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field.",
    "greater_than": "A number above zero is expected.",
}


def _problem(error: Mapping[str, Any]) -> FieldProblem:
    name = ".".join(str(part) for part in error["loc"]) or "body"
    message = _SENTENCES.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return FieldProblem(name[:100], message)


def remaining(context: Any) -> Callable[[], float]:  # noqa: ANN401 - the Lambda context, which has no public type
    """The seconds until the function is stopped, by its own clock."""
    return lambda: context.get_remaining_time_in_millis() / 1000
