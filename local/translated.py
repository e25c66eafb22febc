"""`template.yaml` as CloudFormation gets it: every role, permission, version and schedule that SAM makes of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from local.embedded_aws import REGION, ROOT, TEMPLATE
from local.sam import SamError


@cache
def _translated(parameters: tuple[tuple[str, str], ...]) -> str:
    python = ROOT / ".tools" / "sam" / "bin" / "python"
    if not python.exists():
        raise SamError("The SAM CLI is not installed yet: run `make tools-sam`.")
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("translate_process.py")), str(TEMPLATE)],
        input=json.dumps(dict(parameters)),
        env={"PATH": os.environ.get("PATH", os.defpath), "AWS_DEFAULT_REGION": REGION},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SamError(f"{done.stderr}\nThe template cannot be translated (the reason is above).")
    return done.stdout


def translate(parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The CloudFormation template that SAM makes of `template.yaml`, with `parameters` in place of their defaults.

    A copy of the caller's own. SamError if it cannot be made.
    """
    template: dict[str, Any] = json.loads(_translated(tuple(sorted((parameters or {}).items()))))
    return template


if __name__ == "__main__":
    print(json.dumps(translate(), indent=2))
