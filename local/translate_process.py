"""The process that turns a SAM template into CloudFormation; `local.translated` starts it with the Python of `.tools/sam`.

Its one argument is the template's path, its standard input the values of parameters as JSON, its standard output the
CloudFormation template as JSON.
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


def main() -> None:
    """Translate the template that the command line names."""
    template = yaml_parse(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] in PLACES:
            resource["Properties"][PLACES[resource["Type"]]] = "s3://packaged/package.zip"
    json.dump(transform(template, json.load(sys.stdin), ManagedPolicies()), sys.stdout)


if __name__ == "__main__":
    main()
