"""The running API against its own description: requests that fit it and requests that do not, thought up by schemathesis.

Whatever is asked, the answer is one that the description names for that operation, of the content type and the schema that it
gives, and never a fault of the server. Half of the requests name what the caller really has.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ops.api_reference.document import build
from tests.conftest import RunningStack
from tests.contract.conftest import API_PREFIX
from tests.contract.possessions import possessions_of
from tests.contract.walk import Customer, a_session
from tests.issuer import TokenIssuer

SCHEMA: Final = schemathesis.openapi.from_dict(build())
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

PARAMETER: Final = re.compile(r"[-.~()'!*:@,;=+&$%<> \[\]{}|^\w]+")
"""What Powertools takes for a parameter in a path; everything else comes percent-encoded from API Gateway."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is a customer and an operator; `has` are the ids, by parameter, of what they may name."""

    base_url: str
    session: requests.Session
    customer: Customer
    has: Mapping[str, tuple[Any, ...]]


@pytest.fixture(scope="module")
def stack_apart(request: pytest.FixtureRequest, issuer: TokenIssuer) -> Iterator[RunningStack]:
    """A stack whose lists no other test has made long; of those that take long to start there is only the one."""
    if request.config.getoption("deployed") or request.config.getoption("against"):
        yield request.getfixturevalue("stack")
        return
    with RunningStack(issuer) as running:
        running.wait_until_warm()
        yield running


@pytest.fixture(scope="module")
def caller(stack_apart: RunningStack) -> Iterator[Caller]:
    stack = stack_apart
    with requests.Session() as session:
        claims: dict[str, Any] = {"cognito:groups": ["operators"]}
        token = stack.token(sub="described", **claims)
        session.headers["Authorization"] = f"Bearer {token}"
        customer = Customer(stack.base_url, token)
        owned = possessions_of(customer, stack)
        has = {
            "session_id": (*owned.session_id, a_session(customer)["session_id"]),
            "payment_id": owned.payment_id,
            "cart_id": owned.cart_id,
            "booking_id": owned.booking_id,
            "order_id": owned.order_id,
            "order_number": owned.order_id[1:],
            "attempt": owned.payment_id[2:],
            "which": (*owned.payment_id[1:], *owned.order_id[1:], *owned.booking_id[1:]),
            "gateway": ("phonepe",),
            "listing_id": (123,),
            "service_id": (1,),
            "county_id": (1, "47"),
        }
        yield Caller(stack.base_url, session, customer, has)


@SCHEMA.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),  # a module's fixture serves all examples, and a loaded machine is slow
)
def test_every_answer_is_one_that_the_description_names(case: schemathesis.Case[Any], caller: Caller) -> None:
    told_apart = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if told_apart % 2:
        name_what_is_there(case, caller.has, told_apart // 2)
    if leaves_its_path(case, decoded=API_PREFIX in caller.base_url):
        return
    if case.operation.definition.raw["operationId"] == "create_session":
        caller.customer.add_tomatoes()  # an empty cart would hide everything behind it
    answer = case.call(base_url=caller.base_url, session=caller.session)
    case.validate_response(answer, checks=CHECKS)


def name_what_is_there(case: schemathesis.Case[Any], has: Mapping[str, tuple[Any, ...]], draw: int) -> None:
    """Put ids of what the caller has into the path of `case`, and into its body where it has ids; `draw` says which."""
    for place in (case.path_parameters, case.body):
        if isinstance(place, dict):
            for name in place.keys() & has.keys():
                place[name] = has[name][draw % len(has[name])]


def leaves_its_path(case: schemathesis.Case[Any], *, decoded: bool) -> bool:
    """Whether the path becomes another operation's: API Gateway decodes it before routing, and clients resolve dots.

    `decoded`: functions get it decoded, as from MiniStack; then what no route's parameter may hold is no path of ours.
    """
    values = [unquote(str(value)) for value in (case.path_parameters or {}).values()]
    return any(
        set("/?") & set(value) or value in {"", ".", ".."} or (decoded and not PARAMETER.fullmatch(value)) for value in values
    )


def test_an_answer_that_the_description_does_not_name_is_seen(caller: Caller) -> None:
    other = build()
    health = other["paths"]["/health"]["get"]["responses"]
    health["201"] = health.pop("200")
    case = schemathesis.openapi.from_dict(other)["/health"]["GET"].Case()
    answer = case.call(base_url=caller.base_url, session=caller.session)
    with pytest.raises(FailureGroup, match="Undocumented status code"):
        case.validate_response(answer, checks=CHECKS)


def test_an_answer_of_another_shape_than_described_is_seen(caller: Caller) -> None:
    other = build()
    other["paths"]["/health"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    case = schemathesis.openapi.from_dict(other)["/health"]["GET"].Case()
    answer = case.call(base_url=caller.base_url, session=caller.session)
    with pytest.raises(FailureGroup, match="violates schema"):
        case.validate_response(answer, checks=CHECKS)
