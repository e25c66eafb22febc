"""Holds the templates against what AWS does: `python -m checks.aws`, part of `make check`.

cfn-lint reads every template, and what SAM makes of template.yaml; the rules of `rules.yaml` and the limits of `quotas.py` are
for what AWS would make of them for each shop of `shops.yaml`. Prints what was found, and ends with 1 where that is anything.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from checks.aws.quotas import QUOTAS, Quota
from checks.aws.relations import RELATIONS, Finding
from checks.aws.stacks import Shop, make_shops

ROOT: Final = Path(__file__).resolve().parents[2]
LONGEST: Final = 180
HERE: Final = Path(__file__).parent
RULES: Final[Mapping[str, dict[str, Any]]] = yaml.safe_load((HERE / "rules.yaml").read_text(encoding="utf-8"))
SHOPS: Final[Mapping[str, dict[str, str]]] = yaml.safe_load((HERE / "shops.yaml").read_text(encoding="utf-8"))
OF_THE_SOURCE: Final = ("W2001", "W3002", "W7001")
"""What cfn-lint says of template.yaml alone: SAM resolves some parameters and mappings by itself, and uploads folders."""


def schema_findings(rule: Mapping[str, Any], shop: Shop) -> Iterator[Finding]:
    """What the schema of a rule finds in the resources of its type."""
    if not Draft202012Validator(rule.get("shop", True)).is_valid(shop.parameters):
        return
    for resource in shop.of(rule["type"]):
        if not Draft202012Validator(rule.get("when", True)).is_valid(resource.body):
            continue
        place: Any = resource.body
        steps = rule["at"].split(".") if "at" in rule else []
        for step in steps:
            place = place.get(step) if isinstance(place, dict) else None
        for error in Draft202012Validator(rule["schema"]).iter_errors(place):
            path = [*steps, *map(str, error.absolute_path)]
            said = (
                error.message if len(error.message) < LONGEST else f"{error.message[:60]} ... {error.message[60 - LONGEST :]}"
            )
            yield Finding(
                resource.file, resource.name, f"{'.'.join(path[-3:])}: {said}", (str(error.instance), *reversed(path))
            )


def find(shops: Sequence[Shop], root: Path) -> dict[str, dict[Finding, list[str]]]:
    """What breaks each rule that is broken, with the names of the shops that it is true for."""
    found: dict[str, dict[Finding, list[str]]] = {}
    for shop in shops:
        for name, rule in RULES.items():
            relation = RELATIONS.get(name)
            for one in relation(shop, root) if relation else schema_findings(rule, shop):
                found.setdefault(name, {}).setdefault(one, []).append(shop.name)
    return found


def line_of(finding: Finding, root: Path) -> int:
    """The line that says it: in the resource or the one that SAM made it of; a path of the API stands with its function."""
    lines = (root / finding.file).read_text(encoding="utf-8").splitlines()
    starts = {match[1]: at for at, line in enumerate(lines) if (match := re.match(r"  (\w+):", line))}
    start = max((at for name, at in starts.items() if finding.name.startswith(name)), default=0)
    end = next((at for at, line in enumerate(lines[start + 1 :], start + 1) if re.match(r" {0,2}[^\s#]", line)), len(lines))
    for word in finding.words:
        for at in range(len(lines)) if word.startswith("/") else range(start, end):
            if re.search(rf"(^|[\s\"'{{]){re.escape(word)}($|[\s\"',:}}])", lines[at]):
                return at + 1
    return start + 1


def print_findings(found: Mapping[str, Mapping[Finding, Sequence[str]]], root: Path, shops: int) -> None:
    """Each with its line; after those of a rule what AWS does, what would do, and where that is written."""
    for name, findings in found.items():
        for one, names in findings.items():
            where = "" if len(names) == shops else f" (for a shop {', or '.join(names)})"
            print(f"{one.file}:{line_of(one, root)}: {one.name}: {one.what}{where}")
        rule = RULES[name]
        print(f"    {name}: AWS {rule['aws']}\n    {rule['do']}\n    {rule['source']}")


def print_quotas(shops: Sequence[Shop], root: Path, quotas: Sequence[Quota] = QUOTAS) -> bool:
    """A line for each limit; whether all are kept."""
    kept = True
    print(f"{'AWS limits':<34}{'most':>12}{'limit':>13}{'share':>7}  where")
    for quota in quotas:
        counts = [(count, place) for shop in shops for place, count in quota.counts(shop, root)]
        most, place = max(counts, default=(0, "nothing is built" if "layer" in quota.name else "none"))
        kept = kept and most <= quota.limit
        print(f"{quota.name:<34}{most:>12,}{quota.limit:>13,}{most / quota.limit:>7.0%}  {place}")
        if most > quota.limit:
            print(f"    AWS takes no more: {quota.source}")
    return kept


def judge(shops: Sequence[Shop], root: Path) -> bool:
    """Whether `shops` break no rule and keep every limit; prints what does not."""
    found = find(shops, root)
    print_findings(found, root, len(shops))
    kept = print_quotas(shops, root)
    if not found:
        print(f"Nothing breaks the {len(RULES)} rules of checks/aws/rules.yaml for a shop {', '.join(SHOPS)}.")
    return kept and not found


def lint(*files: Path) -> subprocess.Popen[str]:
    """cfn-lint, started."""
    program = Path(sys.executable).with_name("cfn-lint")
    return subprocess.Popen([program, "-t", *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def write_translated(shop: Shop, folder: Path) -> Path:
    """What SAM makes for `shop`, written into `folder` with the values of its parameters, for cfn-lint to read."""
    body = shop.templates[0].body
    parameters = {name: {"Type": one["Type"], "Default": shop.parameters[name]} for name, one in body["Parameters"].items()}
    ignored = {"cfn-lint": {"config": {"ignore_checks": OF_THE_SOURCE}}}
    path = folder / "translated.json"
    path.write_text(json.dumps({**body, "Parameters": parameters, "Metadata": ignored}, indent=1), encoding="utf-8")
    return path


def main(root: Path = ROOT) -> int:
    """Check the templates in `root`; the exit code."""
    beside = [path for path in (*root.glob("*.yaml"), *root.glob("ops/*.yaml")) if path.name != "template.yaml"]
    linters = [lint(root / "template.yaml", *beside)]
    shops = make_shops(root / "template.yaml", SHOPS)
    with tempfile.TemporaryDirectory() as name:
        for path in beside:
            shutil.copy(path, name)
        largest = max(shops, key=lambda shop: len(shop.templates[0].body["Resources"]))
        linters.append(lint(write_translated(largest, Path(name))))
        kept = judge(shops, root)
        for linter in linters:
            print(linter.communicate()[0], end="")
    return 0 if kept and not any(linter.returncode for linter in linters) else 1


if __name__ == "__main__":
    sys.exit(main())
