"""The environments of `samconfig.toml`: which stack, where, with which parameters; and how SAM wants parameters written."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.running import ROOT

CONFIG_FILE: Final = ROOT / "samconfig.toml"
PRODUCTION: Final = "production"


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment: its stack, the parameters that it gives to the template, and its region; None is the caller's own."""

    name: str
    stack: str
    region: str | None
    parameters: Mapping[str, str]

    @property
    def protects_data(self) -> bool:
        """Whether table and customers are to be protected from deletion once they are there: always in production."""
        return self.parameters.get("Stage") == PRODUCTION or self.parameters.get("ProtectData") == "true"


def read_environment(name: str, config: Path = CONFIG_FILE) -> Environment:
    """The environment called `name`; LookupError names those that there are, for one that is not."""
    environments: dict[str, Any] = tomllib.loads(config.read_text(encoding="utf-8"))
    environments.pop("version", None)
    if name not in environments:
        raise LookupError(f"{config.name} has no environment {name!r}: say ENV={' or ENV='.join(sorted(environments))}.")
    given = {
        key: value
        for command in ("global", "deploy")
        for key, value in environments[name].get(command, {}).get("parameters", {}).items()
    }
    if "stack_name" not in given:
        raise LookupError(f"{config.name} names no stack for {name}: write stack_name into [{name}.deploy.parameters].")
    return Environment(name, given["stack_name"], given.get("region"), read_overrides(given.get("parameter_overrides", [])))


def read_overrides(written: str | list[str]) -> dict[str, str]:
    """Parameters as SAM's configuration holds them: a list of `Name=value`, or the one line that its guide writes."""
    words = shlex.split(written) if isinstance(written, str) else written
    return {name: value.strip('"') for name, _, value in (word.partition("=") for word in words)}


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """The option that gives SAM parameters; nothing for none.

    Every value is quoted: SAM cuts at blanks, and takes an empty value without quotes for no value at all. It reads a backslash
    as itself, except before a blank or a quote, where it cannot be told.
    """
    words = [f"ParameterKey={name},ParameterValue={_quoted(value)}" for name, value in parameters.items()]
    return ["--parameter-overrides", *words] if words else []


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '\\"') + '"'
