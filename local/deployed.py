"""The deployed form: `template.yaml`, unmodified, built by SAM and deployed to the embedded AWS.

    python -m local.deployed                  # start the embedded AWS, deploy, and stay until Ctrl-C
    python -m local.deployed --onto-running   # build and deploy again onto the one that runs

The functions then run as Lambda functions behind API Gateway with the layer, the roles, the queue and the schedules of the
template. It shows that the stack deploys and works as one; `make run` is faster for everything else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIG_BLOCK, SIGINT, SIGTERM, pthread_sigmask, sigwait
from typing import Any, Final, TypeVar

from local.api_import import allow_origins, import_routes
from local.embedded_aws import REGION, ROOT, AwsEndpoint, EmbeddedAws, EmbeddedAwsError
from local.resources import Client

STACK: Final = "payfirst-local"
API_ID: Final = "a1b2c3d4"
"""The id that the API gets in MiniStack, by a tag that it knows, so that its address is known before it exists."""
DEFAULT_PORT: Final = 4566
BUILD_DIR: Final = ROOT / ".aws-sam" / "build"
LAST_LINES: Final = 25
Result = TypeVar("Result")


class DeployError(Exception):
    """The stack could not be built or deployed; the message ends with the SAM CLI's own last words."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack: its outputs by name, the base URL of its API, how many routes that has."""

    outputs: Mapping[str, str]
    base_url: str
    routes: int


def base_url(aws: AwsEndpoint) -> str:
    """Where the API of the deployed stack answers; known before it is deployed."""
    return f"{aws.endpoint}/_aws/execute-api/{API_ID}/$default"


def build(build_dir: Path = BUILD_DIR) -> None:
    """Build functions and layer for the Python and the processor at hand; what did not change comes from a cache."""
    _sam(
        "build",
        "--template-file", str(ROOT / "template.yaml"),
        "--build-dir", str(build_dir),
        "--cached",
        "--cache-dir", str(ROOT / ".aws-sam" / "cache"),
        "--parallel",
        "--parameter-overrides", *_overrides(_machine()),
    )  # fmt: skip


def deploy(aws: AwsEndpoint, parameters: Mapping[str, str], build_dir: Path = BUILD_DIR) -> Deployment:
    """Deploy what `build` built to `aws`, or update what is deployed there, and make its routes.

    `parameters` are those of the template; stage, Python, processor and the origins have values already. The gateways'
    base URLs stay the sandboxes' unless they are given.
    """
    origin = base_url(aws)
    chosen = {"Stage": "local", "PublicOrigin": origin, "CallbackOrigin": origin} | _machine() | dict(parameters)
    _sam(
        "deploy",
        "--template-file", str(build_dir / "template.yaml"),
        "--stack-name", STACK,
        "--resolve-s3",
        "--capabilities", "CAPABILITY_IAM",
        "--tags", f"ms-custom-id={API_ID}",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--parameter-overrides", *_overrides(chosen),
        environment=aws.environment(),
    )  # fmt: skip
    return _finish(aws)


def _finish(aws: AwsEndpoint) -> Deployment:
    """Read the deployed stack back and make the routes that its API should have."""
    stacks = aws.client("cloudformation")
    [stack] = stacks.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    body = _openapi_body(stacks)
    gateway = aws.client("apigatewayv2")
    pool = outputs["UserPoolId"]
    routes = import_routes(
        gateway,
        api_id=outputs["ApiId"],
        body=body,
        arns=_function_arns(stacks, aws.client("lambda")),
        issuer=f"https://cognito-idp.{pool.split('_', 1)[0]}.amazonaws.com/{pool}",
        audience=outputs["UserPoolClientId"],
    )
    allow_origins(gateway, api_id=outputs["ApiId"], body=body, origins=[given["ShopOrigin"]])
    return Deployment(outputs, f"{aws.endpoint}/_aws/execute-api/{outputs['ApiId']}/$default", routes)


def _openapi_body(stacks: Client) -> Mapping[str, Any]:
    processed = stacks.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    template = json.loads(processed) if isinstance(processed, str) else processed
    [api] = [part for part in template["Resources"].values() if part["Type"] == "AWS::ApiGatewayV2::Api"]
    body: Mapping[str, Any] = api["Properties"]["Body"]
    return body


def _function_arns(stacks: Client, functions: Client) -> dict[str, str]:
    return {
        part["LogicalResourceId"]: functions.get_function(FunctionName=part["PhysicalResourceId"])["Configuration"][
            "FunctionArn"
        ]
        for part in stacks.describe_stack_resources(StackName=STACK)["StackResources"]
        if part["ResourceType"] == "AWS::Lambda::Function"
    }


def _machine() -> dict[str, str]:
    """The Python and the processor that the functions are built for, and run with here."""
    processor = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[os.uname().machine.lower()]
    return {"Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}", "Architecture": processor}


def _overrides(parameters: Mapping[str, str]) -> list[str]:
    return [f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()]


def _sam(*arguments: str, environment: Mapping[str, str] | None = None) -> None:
    """Run the SAM CLI; DeployError with its last words if it fails."""
    sam = ROOT / ".tools" / "sam" / "bin" / "sam"
    if not sam.exists():
        raise DeployError("The SAM CLI is not installed yet: run `make tools-sam`.")
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": REGION,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",  # sam build looks for pythonX.Y
        **(environment or {}),
    }
    done = subprocess.run(
        [str(sam), *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        last = "\n".join(f"  | {line}" for line in (done.stdout + done.stderr).splitlines()[-LAST_LINES:])
        raise DeployError(f"{last}\n`sam {arguments[0]}` failed (exit code {done.returncode}; its last words are above).")


def timed(what: str, step: Callable[[], Result]) -> Result:
    """Do `step`, say how long it took, and answer what it answered."""
    started = time.monotonic()
    print(f"{what} …", flush=True)
    answer = step()
    print(f"  done in {time.monotonic() - started:.1f} s", flush=True)
    return answer


def build_and_deploy(aws: AwsEndpoint, parameters: Mapping[str, str]) -> Deployment:
    """Build, deploy and say where the result is."""
    timed("Building functions and layer", build)
    deployment = timed("Deploying the stack", lambda: deploy(aws, parameters))
    print(f"API     {deployment.base_url} ({deployment.routes} routes)")
    print(f"AWS     {aws.endpoint}, for instance: aws --endpoint-url {aws.endpoint} logs describe-log-groups")
    for name, value in sorted(deployment.outputs.items()):
        print(f"        {name} = {value}")
    return deployment


def main(arguments: list[str] | None = None) -> int:
    """The command line; answers its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.deployed", description="Deploy the stack to the embedded AWS.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the port of the embedded AWS (%(default)s)")
    parser.add_argument("--onto-running", action="store_true", help="use the one that runs on that port, start none")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template")
    options = parser.parse_args(arguments)
    parameters = dict(pair.split("=", 1) for pair in options.parameter)
    try:
        if options.onto_running:
            build_and_deploy(AwsEndpoint(options.port), parameters)
            return 0
        with EmbeddedAws(options.port, ROOT / ".local" / "deployed") as aws:
            build_and_deploy(aws, parameters)
            print("Ctrl-C stops it and keeps its state.", flush=True)
            pthread_sigmask(SIG_BLOCK, {SIGINT, SIGTERM})
            sigwait({SIGINT, SIGTERM})
    except (DeployError, EmbeddedAwsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
