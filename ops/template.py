"""Reads `template.yaml`, so that what runs locally and in tests is declared once."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

PLAIN_NAMES: Final = frozenset({"Ref", "Condition"})


class _TemplateLoader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms: `!Ref Table` reads as `{"Ref": "Table"}`; libyaml reads it ten times as fast."""


def _intrinsic(loader: _TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in PLAIN_NAMES else f"Fn::{suffix}"
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    value = str(loader.construct_scalar(node))  # type: ignore[arg-type]
    return {name: value.split(".", 1) if suffix == "GetAtt" else value}


_TemplateLoader.add_multi_constructor("!", _intrinsic)


def load_template(path: Path) -> dict[str, Any]:
    """The template at `path` as CloudFormation reads it, short forms spelled out; the caller may change it."""
    return copy.deepcopy(_read(path.read_text(encoding="utf-8")))


@cache
def _read(text: str) -> dict[str, Any]:
    """The template of that text; every test that makes a table asks for the same one."""
    loaded: dict[str, Any] = yaml.load(text, _TemplateLoader)  # noqa: S506 - a SafeLoader with more tags
    return loaded


def the_only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of the template's one resource of type `kind`; ValueError if there is none or several."""
    found = [resource for resource in template["Resources"].values() if resource["Type"] == kind]
    if len(found) != 1:
        raise ValueError(f"the template declares {len(found)} resources of type {kind}, not one")
    properties: dict[str, Any] = found[0].get("Properties", {})
    return properties
