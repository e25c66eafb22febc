"""Every answer that the API's description promises, of every operation, is brought about and fits what is described.

A recipe in `tests/contract/refusals` brings each pair of operation and answer about; one that is missing, or that belongs to
nothing described, is an error here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from openapi_schema_validator import OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ops.api_reference.document import build
from payfirst.api.routes import Route
from tests.conftest import RunningStack
from tests.contract.compare import shape_differences
from tests.contract.error_shapes import shape_problem
from tests.contract.refusals.scene import BY_OPERATION, RECIPES, Answered, Scene

DOCUMENT: Final = build()
ERRORS_FROM: Final = 400
NO_CONTENT: Final = 204
ITSELF: Final = "openapi"
"""The operation whose example is only the first line of its answer: the description of everything."""


def described(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer's description, where it is shared too."""
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = DOCUMENT["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]
    return found


def promises() -> Iterator[tuple[str, str, int]]:
    """Operation, code (the status where it is no error) and status of everything that is described."""
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if int(status) < ERRORS_FROM:
                    yield operation["operationId"], status, int(status)
                    continue
                for content in described(answer)["content"].values():
                    for code in content["examples"]:
                        yield operation["operationId"], code, int(status)


PROMISES: Final = list(promises())


@pytest.fixture(scope="module")
def scene(stack: RunningStack, narrow: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    file = tmp_path_factory.mktemp("throttled") / "answers.json"
    command = [sys.executable, "-m", "tests.contract.refusals.throttled", str(file)]
    environment = {**os.environ, **stack.environment}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    throttled = {name: Answered(*told) for name, told in json.loads(file.read_text(encoding="utf-8")).items()}
    return Scene(stack, narrow, throttled)


def test_every_answer_that_is_described_has_its_recipe_and_no_other_has() -> None:
    wanted = {(operation, code) for operation, code, _ in PROMISES}
    assert wanted - set(RECIPES) == set(), "write how these are brought about into tests/contract/refusals"
    assert set(RECIPES) - wanted == set(), "these are brought about and not described"


@pytest.mark.parametrize(("operation", "code", "status"), PROMISES, ids=str)
def test_what_is_described_can_be_seen(scene: Scene, operation: str, code: str, status: int) -> None:
    if (operation, code) not in RECIPES:
        pytest.fail(f"nothing shows {code} of {operation}")
    route = BY_OPERATION[operation]
    answer = RECIPES[operation, code](scene, route)
    body, seen = _told(answer)
    assert seen == status, body
    if status >= ERRORS_FROM:
        assert body["error_code"] == code
        if not isinstance(answer, Answered):
            assert shape_problem(route.family, answer) is None, body
            if status == 429 or code in ("REQUEST_IN_PROGRESS", "BUSY"):
                assert int(answer.headers["Retry-After"]) >= 1
    if status == NO_CONTENT:
        assert body == ""
    else:
        assert _problems(route, status, body) == []
    if status < ERRORS_FROM and status != NO_CONTENT and operation != ITSELF:
        assert not (found := _unlike_examples(route, status, body)), "\n  ".join(found)


def _told(answer: Any) -> tuple[Any, int]:
    if isinstance(answer, Answered):
        return answer.body, answer.status
    kind = "" if answer.status_code == NO_CONTENT else answer.headers.get("Content-Type", "")
    return (answer.json() if kind.startswith("application/json") else answer.text), answer.status_code


def _unlike_examples(route: Route, status: int, body: Any) -> list[str]:
    """How the shape of `body` differs from that of the example which is closest to it."""
    answer = described(DOCUMENT["paths"][route.path][route.method.lower()]["responses"][str(status)])
    [content] = answer["content"].values()
    return min((shape_differences(example["value"], body) for example in content["examples"].values()), key=len)


def _problems(route: Route, status: int, body: Any) -> list[str]:
    """What in `body` is not as the description says."""
    answer = described(DOCUMENT["paths"][route.path][route.method.lower()]["responses"][str(status)])
    [content] = answer["content"].values()
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(DOCUMENT))
    validator = OAS31Validator(_absolute(content["schema"]), registry=registry)
    return [error.message for error in validator.iter_errors(body)]


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: f"urn:api{part}" if name == "$ref" else _absolute(part) for name, part in schema.items()}
    return [_absolute(part) for part in schema] if isinstance(schema, list) else schema
