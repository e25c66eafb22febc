"""What the Lambda service gives a worker: its environment and its function's name."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

from local.host.application import Function
from local.host.config import ACCOUNT, HostConfig

ROOT: Final = Path(__file__).parents[2]

RUNTIME: Final = "PAYFIRST_RUNTIME"
"""The variable of this process that names the module which workers run in place of AWS's runtime client, for tests. Variables
whose names begin like this are handed on to it."""


def runtime_module() -> str:
    """What a worker runs: AWS's own runtime client, or what RUNTIME names."""
    return os.environ.get(RUNTIME, "awslambdaric")


def worker_environment(function: Function, config: HostConfig, port: int) -> dict[str, str]:
    """The environment of one worker: what the Lambda service sets and what the template says; nothing of this machine's."""
    now = time.strftime("%Y/%m/%d", time.gmtime())
    service = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{now}/[$LATEST]{port}",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "LAMBDA_RUNTIME_DIR": str(function.folder),
        "PYTHONPATH": str(function.folder),
        "_HANDLER": function.handler,
    }
    if RUNTIME in os.environ:  # that module is ours, and no part of a function
        service["PYTHONPATH"] += f"{os.pathsep}{ROOT}"
        service |= {name: value for name, value in os.environ.items() if name.startswith(RUNTIME)}
    return {**service, **config.aws, **function.variables}


def function_arn(function: Function, region: str) -> str:
    """The ARN under which the function would be known."""
    return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{function.name}"
