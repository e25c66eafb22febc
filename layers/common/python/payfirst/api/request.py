"""One request as handlers see it: who is calling, what was sent, and how much time is left."""

from __future__ import annotations

import base64
import binascii
import json
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


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP API 2.0 event, its instant, and the function's remaining time."""

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

    @property
    def groups(self) -> frozenset[str]:
        """The groups of the caller, which the authorizer writes as `[a b]`; no group's name holds a blank."""
        claim = self.claims.get("cognito:groups") or ""
        names = claim[1:-1] if claim.startswith("[") and claim.endswith("]") else claim
        return frozenset(names.split())

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
            email=claims.get("email"),
            name=claims.get("name"),
        )


def _is_id_token(claims: Mapping[str, str]) -> bool:
    """Whether a token says who somebody is, not what its bearer may do. Cognito writes it into `token_use`; of other issuers'
    tokens, those for access name the client that may use them or what it may do with them (RFC 9068, section 2.2)."""
    use = claims.get("token_use")
    return use == "id" if use is not None else not claims.keys() & {"client_id", "scope", "scp"}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _json_object(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw.decode(), parse_float=Decimal, parse_constant=_refuse)
        body = _without_nulls(body) if isinstance(body, dict) else body
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
}


def _problem(error: Mapping[str, Any]) -> FieldProblem:
    name = ".".join(str(part) for part in error["loc"]) or "body"
    message = _SENTENCES.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return FieldProblem(name[:100], message)


def remaining(context: Any) -> Callable[[], float]:  # noqa: ANN401 - the Lambda context, which has no public type
    """The seconds until the function is stopped, by its own clock."""
    return lambda: context.get_remaining_time_in_millis() / 1000
