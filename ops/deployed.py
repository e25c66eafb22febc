"""A stack that is deployed to the caller's AWS account, as the command line works on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

import boto3
import typer
from botocore.config import Config

from ops import words
from ops.running import RunningStack, enter
from ops.stack_state import outputs_of

CONFIG: Final = Config(connect_timeout=5, read_timeout=30)
Home = Annotated[Path, typer.Option(help="Where the local stack keeps its state.", show_default=".local")]
StackName = Annotated[str | None, words.option(help="A deployed stack; the local one that runs if absent.")]
SETTINGS_OF: Final = "ReconcilePaymentsFunction"
"""The function whose settings an operator needs: it talks to gateways, settles and refunds."""


def caller() -> str:
    """The ARN by which AWS knows who is calling; botocore's errors where it knows nobody."""
    arn: str = boto3.session.Session().client("sts", config=CONFIG).get_caller_identity()["Arn"]
    return arn


def enter_stack(stack_name: str | None, home: Path) -> RunningStack:
    """The deployed stack `stack_name` or, without a name, the local one that is kept in `home`.

    From here on this process has the settings of its functions. It keeps the caller's own AWS profile, region and rights
    for a deployed one. botocore's ClientError or NoStackError if there is none.
    """
    if stack_name is None:
        return enter(home)
    session = boto3.session.Session()
    stacks: Any = session.client("cloudformation", config=CONFIG)
    functions: Any = session.client("lambda", config=CONFIG)
    [stack] = stacks.describe_stacks(StackName=stack_name)["Stacks"]
    found = stacks.describe_stack_resource(StackName=stack_name, LogicalResourceId=SETTINGS_OF)
    function = functions.get_function_configuration(FunctionName=found["StackResourceDetail"]["PhysicalResourceId"])
    environment = dict(function["Environment"]["Variables"])
    os.environ.update(environment)
    return RunningStack(outputs_of(stack).get("ApiUrl", ""), environment)
