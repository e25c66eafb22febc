"""The process that turns a SAM template into CloudFormation; `checks.aws.translated` starts it with the Python of `.tools/sam`.

Its standard input is a JSON list of pairs, the path of a template and the values of parameters; its standard output is the list
of the CloudFormation templates that SAM makes of them.
"""

import json
import sys
from pathlib import Path

from samtranslator.translator.transform import transform  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

PLACES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
"""What names a folder until `sam package` has uploaded it."""


class ManagedPolicies:
    """AWS's own policies by name, of which SAM adds some by itself."""

    def load(self) -> dict[str, str]:
        """None: the template names no managed policy, and SAM writes the ARNs of those that it adds."""
        return {}


def translated(path: str, parameters: dict[str, str]) -> object:
    """What SAM makes of the template at `path`."""
    template = yaml_parse(Path(path).read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] in PLACES:
            resource["Properties"][PLACES[resource["Type"]]] = "s3://packaged/package.zip"
    return transform(template, parameters, ManagedPolicies())


if __name__ == "__main__":
    json.dump([translated(path, parameters) for path, parameters in json.load(sys.stdin)], sys.stdout)
