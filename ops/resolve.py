"""Works out the values that CloudFormation would compute, as far as a local host needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any

VARIABLE: Final = re.compile(r"\$\{(!?)([\w:.]+)\}")


class TemplateError(Exception):
    """The template says something that the local host cannot do; the message names it."""


class Resolver:
    """Resolves intrinsic functions with the template's parameters at their defaults.

    `known` gives values that exist only once something runs: a logical id for `Ref`, `Id.Attribute` for `GetAtt`.
    """

    def __init__(self, template: Mapping[str, Any], known: Mapping[str, str]) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        defaults = {name: _default(one) for name, one in template.get("Parameters", {}).items() if "Default" in one}
        self._known: dict[str, Any] = defaults | dict(known)
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._look_up,
            "Condition": self.condition,
            "Fn::GetAtt": lambda path: self._look_up(".".join(path) if isinstance(path, list) else path),
            "Fn::Sub": self._substitute,
            "Fn::If": self._choose,
            "Fn::Join": lambda parts: str(parts[0]).join(str(self.value(part)) for part in self.value(parts[1])),
            "Fn::Select": lambda pair: self.value(pair[1])[int(pair[0])],
            "Fn::Split": lambda pair: str(self.value(pair[1])).split(pair[0]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::Equals": lambda pair: str(self.value(pair[0])) == str(self.value(pair[1])),
            "Fn::Not": lambda one: not self.value(one[0]),
            "Fn::And": lambda several: all(self.value(one) for one in several),
            "Fn::Or": lambda several: any(self.value(one) for one in several),
        }

    def value(self, declared: Json) -> Json:
        """What `declared` stands for; TemplateError if that is known only in AWS."""
        if isinstance(declared, list):
            return [self.value(item) for item in declared]
        if not isinstance(declared, dict):
            return declared
        if len(declared) == 1:
            [(name, argument)] = declared.items()
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise TemplateError(f"the local host does not know {name}")
        return {key: self.value(item) for key, item in declared.items()}

    def condition(self, name: str) -> bool:
        """Whether the template's condition `name` holds."""
        return bool(self.value(self._conditions[name]))

    def _look_up(self, name: str) -> Json:
        if name not in self._known:
            raise TemplateError(f"the value of {name} is known only in AWS")
        return self._known[name]

    def _substitute(self, argument: Json) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            return str(self.value(given[name]) if name in given else self._look_up(name))

        return VARIABLE.sub(replaced, text)

    def _choose(self, argument: list[Any]) -> Json:
        name, then, otherwise = argument
        return self.value(then if self.condition(name) else otherwise)

    def _find_in_map(self, argument: list[Any]) -> Json:
        name, first, second = (self.value(part) for part in argument)
        return self._mappings[name][first][second]


def _default(parameter: Mapping[str, Any]) -> Json:
    """What a Ref to a parameter answers where nobody gave a value: of a list, its parts."""
    default: Json = parameter["Default"]
    return default.split(",") if "List" in parameter.get("Type", "") and isinstance(default, str) else default
