"""A deployed shop as `make smoke` looks at it, and the lines that it answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from botocore.exceptions import ClientError

from ops.deployed import CONFIG
from ops.stack_state import outputs_of, parameters_of
from payfirst.api.routes import ROUTES, Route

TIMEOUT_S: Final = 35.0
"""API Gateway itself gives up after 29 seconds."""
ALIAS: Final = "live"
FIRST_MINUTES: Final = timedelta(minutes=15)
"""How long CloudWatch may take to show what a new stack measures."""
NESTED: Final = "AWS::CloudFormation::Stack"
ENDS: Final = ("", "/")
"""Both forms of a path: the one that we hand out, and the documents'."""
_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class Verdict(StrEnum):
    """What a line says in the end."""

    OK = "ok"
    NOT_OK = "not ok"
    UNKNOWN = "not known here"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: what was looked at, what was found, whether that is right, and what to do."""

    what: str
    found: str
    verdict: Verdict
    do: str = ""


def ok(what: str, found: str, do: str = "") -> Line:
    """It is as it should be."""
    return Line(what, found, Verdict.OK, do)


def bad(what: str, found: str, do: str) -> Line:
    """It is not as it should be."""
    return Line(what, found, Verdict.NOT_OK, do)


def unknown(what: str, found: str, do: str = "") -> Line:
    """It cannot be known here, or not yet."""
    return Line(what, found, Verdict.UNKNOWN, do)


def judged(what: str, problems: list[str], found: str, do: str) -> Line:
    """`found` where there are no problems, else the problems and what to do about them."""
    return bad(what, "; ".join(problems), do) if problems else ok(what, found)


@dataclass(frozen=True)
class Shop:
    """One deployed stack: what it was given and answers, what it is made of, and clients in its account and region."""

    name: str
    session: Any = field(repr=False)
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    resources: tuple[Mapping[str, str], ...] = field(repr=False)
    status: str
    changed: datetime
    now: datetime
    address: str
    """Where customers reach the API, without a slash at its end."""

    def output(self, name: str) -> str:
        """An output of the stack; `-` for one that it does not have, which nothing is called."""
        return self.outputs.get(name, "-")

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes their classes at run time
        """A boto3 client of `service`."""
        return self.session.client(service, config=CONFIG)

    @cached_property
    def emulated(self) -> bool:
        """Whether something else than AWS answers: it may say what AWS would not."""
        host = urlsplit(self.client("cloudformation").meta.endpoint_url).hostname or ""
        return not host.endswith(_AWS)

    @property
    def options(self) -> str:
        """What names this stack to a command of `payfirst`."""
        return f"--stack-name {self.name} --region {self.client('cloudformation').meta.region_name}"

    @property
    def is_new(self) -> bool:
        """Whether the stack has changed a few minutes ago only."""
        return self.now - self.changed < FIRST_MINUTES

    @property
    def takes_real_money(self) -> bool:
        """Whether this is production, where nothing is bought for a try."""
        return self.parameters.get("Stage") == "production"

    def made(self, kind: str) -> dict[str, str]:
        """The resources of a CloudFormation type, in the stack and those inside it: physical names by logical ids."""
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in self.resources
            if one["ResourceType"] == kind and one.get("PhysicalResourceId")
        }

    def function(self, folder: str) -> str:
        """The name of the function whose code is in `functions/folder`; empty if the stack has none."""
        return self.made("AWS::Lambda::Function").get(logical_id(folder), "")

    def send(self, method: str, path: str, *, token: str | None = None, **more: Any) -> requests.Response:  # noqa: ANN401
        """What the API answers, redirects not followed; requests' errors if it does not."""
        headers = {**({} if token is None else {"Authorization": f"Bearer {token}"}), **more.pop("headers", {})}
        address = path if "://" in path else self.address + path
        return requests.request(method, address, headers=headers, timeout=TIMEOUT_S, allow_redirects=False, **more)


def logical_id(folder: str) -> str:
    """The function of a folder in the template: `create_session` is `CreateSessionFunction`."""
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def code_of(answer: requests.Response) -> str:
    """The `error_code` of one of our answers; empty for anything else, as API Gateway's own words."""
    try:
        told = answer.json()
    except ValueError:
        return ""
    return str(told.get("error_code", "")) if isinstance(told, dict) else ""


def shown(answer: requests.Response) -> str:
    """An answer in a few words: its status and its code, else the beginning of its text."""
    return f"{answer.status_code} {code_of(answer) or answer.text[:60]!r}"


def concrete(route: Route) -> str:
    """The route's path with `0` for each id, which nothing has."""
    return "/".join("0" if part.startswith("{") else part for part in route.path.split("/"))


def one_per_function() -> Iterator[Route]:
    """The first route that needs a token of each function that has one."""
    yield from {route.function: route for route in reversed(ROUTES) if not route.public}.values()


def read_shop(session: Any, stack: str, now: datetime, address: str | None = None) -> Shop:  # noqa: ANN401 - a boto3 session
    """The deployed stack of that name, reached at `address` if given; botocore's ClientError if there is none."""
    stacks = session.client("cloudformation", config=CONFIG)
    [found] = stacks.describe_stacks(StackName=stack)["Stacks"]
    outputs = outputs_of(found)
    return Shop(
        name=found["StackName"],
        session=session,
        outputs=outputs,
        parameters=parameters_of(found),
        resources=tuple(_resources(stacks, stack)),
        status=found["StackStatus"],
        changed=found.get("LastUpdatedTime") or found["CreationTime"],
        now=now,
        address=(address or outputs.get("PublicUrl", "")).rstrip("/"),
    )


def _resources(stacks: Any, stack: str) -> Iterator[dict[str, str]]:  # noqa: ANN401 - a boto3 client
    for page in stacks.get_paginator("list_stack_resources").paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            yield one
            if one["ResourceType"] == NESTED and one.get("PhysicalResourceId"):
                yield from _resources(stacks, one["PhysicalResourceId"])


def if_there(ask: Callable[..., Any], **given: str) -> dict[str, Any]:
    """What AWS answers to `ask`; nothing where there is no such thing."""
    try:
        return dict(ask(**given))
    except ClientError as error:
        if not is_missing(error):
            raise
        return {}


def is_missing(error: ClientError) -> bool:
    """Whether AWS says that there is no such thing."""
    return "NotFound" in error.response["Error"].get("Code", "")
