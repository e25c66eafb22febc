"""`template.yaml` as CloudFormation gets it: every role, permission, version and schedule that SAM makes of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from local.embedded_aws import REGION, ROOT, TEMPLATE
from local.sam import SamError


def translate_each(templates: Sequence[tuple[Path, Mapping[str, str]]]) -> list[dict[str, Any]]:
    """The CloudFormation templates that SAM makes of `templates`, each with the values of parameters beside it.

    SamError if one cannot be made.
    """
    python = ROOT / ".tools" / "sam" / "bin" / "python"
    if not python.exists():
        raise SamError("The SAM CLI is not installed yet: run `make tools-sam`.")
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("translate_process.py"))],
        input=json.dumps([(str(path), dict(parameters)) for path, parameters in templates]),
        env={"PATH": os.environ.get("PATH", os.defpath), "AWS_DEFAULT_REGION": REGION},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SamError(f"{done.stderr}\nThe template cannot be translated (the reason is above).")
    made: list[dict[str, Any]] = json.loads(done.stdout)
    return made


@cache
def _translated(parameters: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(translate_each([(TEMPLATE, dict(parameters))])[0])


def translate(parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The same of `template.yaml` with `parameters` in place of their defaults: a copy of the caller's own."""
    template: dict[str, Any] = json.loads(_translated(tuple(sorted((parameters or {}).items()))))
    return template
