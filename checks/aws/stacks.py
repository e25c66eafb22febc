"""What CloudFormation would make of the templates for a shop: conditions decided, references replaced by what AWS would answer.

Names and ARNs have the length that AWS gives them, so that sizes are real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from checks.aws.translated import translate_each
from ops.template import load_template

REGION: Final = "ap-south-1"
ACCOUNT: Final = "123456789012"
STACK: Final = "payfirst"
PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/0a1b2c3d-0000-0000-0000-000000000000",
    "AWS::URLSuffix": "amazonaws.com",
}
NAMED_BY: Final = {
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::ApiGatewayV2::DomainName": "DomainName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Scheduler::ScheduleGroup": "Name",
}
"""Types whose Ref is a property, where it is given."""
ARN_BEFORE_NAME: Final = {"AWS::DynamoDB::Table": "table/", "AWS::IAM::Role": "role/", "AWS::Cognito::UserPool": "userpool/"}
REF_IS_ARN: Final = frozenset(
    {
        "AWS::Lambda::Alias",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Version",
        "AWS::SNS::Topic",
        "AWS::SecretsManager::Secret",
    }
)
_NO_VALUE: Final = object()


@dataclass(frozen=True)
class Resource:
    """One resource that AWS would make, everything in it resolved: `file` declares it, `ref` is what a Ref to it answers."""

    file: str
    name: str
    body: dict[str, Any]
    ref: str = ""

    @property
    def kind(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.get("Properties", {})
        return found


@dataclass(frozen=True)
class Template:
    """A template as CloudFormation gets it, with the conditions that hold for the shop."""

    file: str
    body: dict[str, Any]
    conditions: dict[str, bool]


@dataclass(frozen=True)
class Shop:
    """All that one set of parameters makes: `resources` of all its stacks, and SAM's own beside what became of them."""

    name: str
    parameters: dict[str, Any]
    resources: list[Resource]
    templates: list[Template]

    def of(self, kind: str) -> Iterator[Resource]:
        """The resources of the type `kind`."""
        return (one for one in self.resources if one.kind == kind)


class _Stack:
    def __init__(self, template: Mapping[str, Any], given: Mapping[str, Any], name: str) -> None:
        self.name = name
        self.template = template
        declared = template.get("Parameters", {})
        self.parameters = {one: given.get(one, declared[one].get("Default", "")) for one in declared}
        self.conditions = {one: bool(self.value({"Condition": one})) for one in template.get("Conditions", {})}

    def resources(self, file: str) -> Iterator[Resource]:
        for name, body in self.template["Resources"].items():
            if self.conditions.get(body.get("Condition"), True):
                made = self.value({key: part for key, part in body.items() if key != "Condition"})
                yield Resource(file, name, made, str(self.reference(name)))

    def value(self, node: Any) -> Any:  # noqa: PLR0912 - one case for each function of CloudFormation's
        if isinstance(node, list):
            return [one for part in node if (one := self.value(part)) is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            match next(iter(node.items())):
                case "Ref", name:
                    return self.reference(name)
                case "Fn::GetAtt", target:
                    name, attribute = target.split(".", 1) if isinstance(target, str) else target
                    return self.attribute(name, attribute)
                case "Condition", str(name):
                    return self.value(self.template["Conditions"][name])
                case "Fn::If", [condition, then, otherwise]:
                    return self.value(then if self.conditions[condition] else otherwise)
                case "Fn::Equals", [one, other]:
                    return str(self.value(one)) == str(self.value(other))
                case "Fn::Not", [one]:
                    return not self.value(one)
                case "Fn::And", parts:
                    return all(self.value(part) for part in parts)
                case "Fn::Or", parts:
                    return any(self.value(part) for part in parts)
                case "Fn::Sub", [str(text), names]:
                    return self.substituted(text, names)
                case "Fn::Sub", text:
                    return self.substituted(text, {})
                case "Fn::Join", [separator, parts]:
                    return separator.join(map(str, self.value(parts)))
                case "Fn::Split", [separator, text]:
                    return str(self.value(text)).split(separator)
                case "Fn::Select", [index, parts]:
                    return self.value(parts)[int(index)]
                case "Fn::FindInMap", [mapping, one, other]:
                    return self.template["Mappings"][mapping][self.value(one)][self.value(other)]
                case str(function), _ if function.startswith("Fn::"):
                    raise ValueError(f"checks/aws/stacks.py does not know {function}")
                case _:
                    pass
        return {key: one for key, part in node.items() if (one := self.value(part)) is not _NO_VALUE}

    def substituted(self, text: str, names: Mapping[str, Any]) -> str:
        def found(match: re.Match[str]) -> str:
            name, _, attribute = match[1].partition(".")
            if name in names:
                return str(self.value(names[name]))
            return str(self.attribute(name, attribute) if attribute else self.reference(name))

        return re.sub(r"\$\{([^!}]+)\}", found, text).replace("${!", "${")

    def reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name == "AWS::StackName":
            return self.name
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            value = self.parameters[name]
            return value.split(",") if "List" in self.template["Parameters"][name]["Type"] else value
        resource = self.template["Resources"].get(name, {})
        kind = resource.get("Type", "")
        if kind in NAMED_BY and (given := resource.get("Properties", {}).get(NAMED_BY[kind])):
            return self.value(given)
        if kind in REF_IS_ARN:
            return self.arn(name)
        return "a1b2c3d4e5" if kind == "AWS::ApiGateway::RestApi" else f"{self.name}-{name}-1A2B3C4D5E6F"[-64:]

    def attribute(self, name: str, attribute: str) -> str:
        if attribute == "Arn":
            return self.arn(name)
        if attribute.endswith("Name") and "Domain" not in attribute:
            return str(self.reference(name))
        host = f"{'a1b2c3d4' * 4}.{attribute.lower()}.{REGION}.on.aws"
        return f"https://{host}/" if attribute == "FunctionUrl" else f"{self.reference(name)}.{attribute}"

    def arn(self, name: str) -> str:
        resource = self.template["Resources"].get(name, {})
        _, service, thing = resource.get("Type", "AWS::Unknown::Unknown").split("::")
        if thing in {"Alias", "Version"}:
            properties = resource["Properties"]
            return f"{self.arn(properties['FunctionName']['Ref'])}:{properties.get('Name', '1')}"
        where = f"{service.lower()}:{'' if service == 'IAM' else REGION}:{ACCOUNT}"
        before = "function:" if thing == "Function" else ARN_BEFORE_NAME.get(resource.get("Type", ""), "")
        own = f"{self.name}-{name}-1A2B3C4D5E6F" if resource.get("Type") in REF_IS_ARN else self.reference(name)
        return f"arn:aws:{where}:{before}{own}"


def make_shops(template: Path, sets: Mapping[str, Mapping[str, str]]) -> list[Shop]:
    """What each of `sets` makes of the SAM template at `template` and of the templates beside it that it names."""
    translated = translate_each([(template, parameters) for parameters in sets.values()])
    return [make_shop(name, given, template, one) for (name, given), one in zip(sets.items(), translated, strict=True)]


def make_shop(name: str, given: Mapping[str, str], template: Path, translated: dict[str, Any]) -> Shop:
    """The same for one set of parameters, once SAM has `translated` the template for it."""
    source, stack = _Stack(load_template(template), given, STACK), _Stack(translated, given, STACK)
    resources = [one for one in source.resources(template.name) if one.kind.startswith("AWS::Serverless::")]
    resources += stack.resources(template.name)
    templates = [Template(template.name, translated, stack.conditions)]
    for nested in [one for one in resources if one.kind == "AWS::CloudFormation::Stack"]:
        path = template.with_name(nested.properties["TemplateURL"])
        inner = _Stack(load_template(path), nested.properties.get("Parameters", {}), f"{STACK}-{nested.name}-1A2B3C4D5E6F")
        resources += inner.resources(path.name)
        templates.append(Template(path.name, dict(inner.template), inner.conditions))
    return Shop(name, source.parameters, resources, templates)
