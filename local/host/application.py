"""What `template.yaml` says of functions, routes, schedules, queues and streams, as the host needs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.host.config import ACCOUNT, HostConfig, Json
from ops.resolve import Resolver, TemplateError
from ops.template import load_template

ANY_METHOD: Final = "ANY"
NO_AUTHORIZER: Final = "NONE"
NO_VALUE: Final = {"Ref": "AWS::NoValue"}
SECONDS: Final = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function; `name` is its folder's name, `timeout` is in seconds, `memory` in MB."""

    logical_id: str
    name: str
    folder: Path
    handler: str
    timeout: float
    memory: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one resource of the REST API; `path` is the resource's."""

    method: str
    path: str
    function: str
    needs_token: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """One timer; `scheduler` says whether EventBridge Scheduler fires it or an EventBridge rule."""

    name: str
    function: str
    seconds: float
    scheduler: bool
    payload: str | None


@dataclass(frozen=True, slots=True)
class QueueSource:
    """One SQS queue that a function is fed from; `partial` says whether the function reports failures one by one."""

    queue: str
    function: str
    batch_size: int
    partial: bool


@dataclass(frozen=True, slots=True)
class StreamSource:
    """The stream of one table that a function is fed from, filtered by `patterns`; `lanes` batches at the same time at most."""

    table: str
    function: str
    batch_size: int
    lanes: int
    patterns: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """What the API answers by itself: a status unless the situation's own is kept, headers, and a template of the body."""

    status: int | None
    headers: Mapping[str, str]
    template: str


@dataclass(frozen=True, slots=True)
class Application:
    """The whole template, read; functions by logical id."""

    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    schedules: tuple[Schedule, ...]
    queues: tuple[QueueSource, ...]
    streams: tuple[StreamSource, ...]
    responses: Mapping[str, GatewayResponse]

    def behind_routes(self) -> tuple[str, ...]:
        """The logical ids of the functions that a request can reach, in the template's order."""
        reached = {route.function for route in self.routes}
        return tuple(name for name in self.functions if name in reached)


def read_responses(template: Mapping[str, Any], shop_origin: str) -> dict[str, GatewayResponse]:
    """What the API of `template` answers by itself, by situation, to pages of `shop_origin`."""
    resolver = Resolver(template, {"ShopOrigin": shop_origin})
    apis = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Api"]
    return {
        kind: GatewayResponse(
            status=declared.get("StatusCode"),
            headers={
                name.lower(): str(resolver.value(value)).strip("'")
                for name, value in declared.get("ResponseParameters", {}).get("Headers", {}).items()
            },
            template=declared["ResponseTemplates"]["application/json"],
        )
        for api in apis
        for kind, declared in api.get("GatewayResponses", {}).items()
    }


def read_application(config: HostConfig) -> Application:
    """The application that `config.template` declares; TemplateError names what the host cannot do."""
    return _Reader(config).application()


class _Reader:
    def __init__(self, config: HostConfig) -> None:
        self._config = config
        self._template = load_template(config.template)
        known = {
            "AWS::Region": config.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": "payfirst-local",
            "Stage": "local",
        }
        self._resolver = Resolver(self._template, known)
        self._globals: Mapping[str, Any] = self._template.get("Globals", {})

    def application(self) -> Application:
        functions = {name: self._function(name, properties) for name, properties in self._of_type("AWS::Serverless::Function")}
        events = list(self._events())
        return Application(
            functions=functions,
            routes=tuple(self._routes(events)),
            schedules=tuple(self._schedule(*event) for event in events if event[2]["Type"] in ("Schedule", "ScheduleV2")),
            queues=tuple(self._queue(function, event) for function, _, event in events if event["Type"] == "SQS"),
            streams=tuple(self._stream(function, event) for function, _, event in events if event["Type"] == "DynamoDB"),
            responses=read_responses(self._template, self._config.variables.get("SHOP_ORIGIN", "")),
        )

    def _of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, resource in self._template["Resources"].items():
            if resource["Type"] == kind and ("Condition" not in resource or self._resolver.condition(resource["Condition"])):
                yield name, resource.get("Properties", {})

    def _function(self, logical_id: str, own: Mapping[str, Any]) -> Function:
        shared = self._globals.get("Function", {})
        declared = {**shared.get("Environment", {}).get("Variables", {}), **own.get("Environment", {}).get("Variables", {})}
        folder = (self._config.template.parent / str(own["CodeUri"])).resolve()
        properties = {**shared, **own}
        return Function(
            logical_id=logical_id,
            name=folder.name,
            folder=folder,
            handler=str(properties["Handler"]),
            timeout=float(self._resolver.value(properties.get("Timeout", 3))),
            memory=int(self._resolver.value(properties.get("MemorySize", 128))),
            variables={name: self._variable(logical_id, name, value) for name, value in declared.items() if value != NO_VALUE},
        )

    def _variable(self, function: str, name: str, declared: Json) -> str:
        if name in self._config.variables:
            return self._config.variables[name]
        try:
            value = self._resolver.value(declared)
        except TemplateError as exc:
            raise TemplateError(f"{function}: nothing says what {name} is locally: {exc}") from exc
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _events(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for function, properties in self._of_type("AWS::Serverless::Function"):
            for name, event in properties.get("Events", {}).items():
                if event["Type"] not in ("Api", "Schedule", "ScheduleV2", "SQS", "DynamoDB"):
                    raise TemplateError(f"{function}: the local host cannot feed events of type {event['Type']}")
                yield function, name, event

    def _routes(self, events: list[tuple[str, str, Mapping[str, Any]]]) -> Iterator[Route]:
        default = self._api().get("Auth", {}).get("DefaultAuthorizer", NO_AUTHORIZER)
        for function, _, event in events:
            if event["Type"] != "Api":
                continue
            properties = event.get("Properties", {})
            method = str(properties["Method"]).upper()
            authorizer = properties.get("Auth", {}).get("Authorizer", default)
            yield Route(
                method=ANY_METHOD if method == "*" else method,
                path=str(properties["Path"]),
                function=function,
                needs_token=authorizer != NO_AUTHORIZER,
            )

    def _api(self) -> Mapping[str, Any]:
        declared = [properties for _, properties in self._of_type("AWS::Serverless::Api")]
        if len(declared) > 1:
            raise TemplateError("the local host serves one API, the template declares several")
        return {**self._globals.get("Api", {}), **(declared[0] if declared else {})}

    def _schedule(self, function: str, name: str, event: Mapping[str, Any]) -> Schedule:
        properties = event["Properties"]
        expression = str(self._resolver.value(properties.get("ScheduleExpression", properties.get("Schedule"))))
        match = RATE.fullmatch(expression)
        if match is None:
            raise TemplateError(f"{function}: the local host fires rates only, not {expression}")
        seconds = self._config.schedule_seconds or int(match[1]) * SECONDS[match[2]]
        payload = properties.get("Input")
        return Schedule(
            name=str(self._resolver.value(properties["Name"])) if "Name" in properties else f"{function}{name}",
            function=function,
            seconds=seconds,
            scheduler=event["Type"] == "ScheduleV2",
            payload=None if payload is None else str(self._resolver.value(payload)),
        )

    def _queue(self, function: str, event: Mapping[str, Any]) -> QueueSource:
        properties = event["Properties"]
        match properties["Queue"]:
            case {"Fn::GetAtt": [str(queue), "Arn"]}:
                pass
            case other:
                raise TemplateError(f"{function}: the local host reads queues given as !GetAtt Queue.Arn, not {other}")
        return QueueSource(
            queue=queue,
            function=function,
            batch_size=int(self._resolver.value(properties.get("BatchSize", 10))),
            partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )

    def _stream(self, function: str, event: Mapping[str, Any]) -> StreamSource:
        properties = event["Properties"]
        match properties["Stream"], properties.get("MaximumRetryAttempts"), properties["StartingPosition"]:
            case {"Fn::GetAtt": [str(table), "StreamArn"]}, 0, "LATEST":
                pass
            case other:
                how = "given as !GetAtt Table.StreamArn, from LATEST, without a second try"
                raise TemplateError(f"{function}: the local host reads streams {how}, not {other}")
        return StreamSource(
            table=table,
            function=function,
            batch_size=int(self._resolver.value(properties.get("BatchSize", 100))),
            lanes=int(self._resolver.value(properties.get("ParallelizationFactor", 1))),
            patterns=tuple(json.loads(each["Pattern"]) for each in properties["FilterCriteria"]["Filters"]),
        )
