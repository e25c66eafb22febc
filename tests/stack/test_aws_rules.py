"""The rules of `checks/aws`, which `make check` holds the templates against: each sees the fault that is written beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from checks.aws.__main__ import ROOT, RULES, SHOPS, judge, lint, print_quotas, write_translated
from checks.aws.quotas import QUOTAS, Quota, invocation_policies
from checks.aws.relations import RELATIONS
from checks.aws.stacks import Resource, Shop, make_shop, make_shops
from checks.aws.translated import translate_each
from ops.template import load_template
from tests.tools import need

TEMPLATES: Final = sorted(path.name for path in ROOT.glob("*.yaml"))
DEFAULT: Final = next(iter(SHOPS))


def merged(value: Any, patch: Any) -> Any:
    """`value` with the merge patch of RFC 7396: what is null goes, what is no object replaces."""
    if not isinstance(patch, dict):
        return patch
    kept = value if isinstance(value, dict) else {}
    changed = {key: merged(kept.get(key), part) for key, part in patch.items() if part is not None}
    return {key: part for key, part in kept.items() if key not in patch} | changed


def with_fault(folder: Path, patch: Mapping[str, Any], name: str = "template.yaml") -> Path:
    """A copy of the templates in `folder`, with `patch` in the one called `name`; the path of the first."""
    folder.mkdir()
    for each in TEMPLATES:
        shutil.copy(ROOT / each, folder)
    # JSON is YAML, and quick to write.
    (folder / name).write_text(json.dumps(merged(load_template(ROOT / name), patch), indent=1), encoding="utf-8")
    return folder / "template.yaml"


def is_for_sam(rule: Mapping[str, Any]) -> bool:
    """Whether the rule's fault changes what SAM translates; it hands on every other resource as it is."""
    known = load_template(ROOT / "template.yaml")["Resources"]
    touched = [known.get(name, {}).get("Type", "") for name in rule["fault"].get("Resources", {})]
    return "fault_in" not in rule and any(kind.startswith("AWS::Serverless::") for kind in touched)


@pytest.fixture(scope="module")
def shops() -> list[Shop]:
    need("sam")
    return make_shops(ROOT / "template.yaml", SHOPS)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, shops: list[Shop]) -> dict[str, Shop]:
    """What each rule's fault makes of the shop that it is for; one process translates them all."""
    folder = tmp_path_factory.mktemp("faults")
    sound = {shop.name: shop.templates[0].body for shop in shops}
    owner = {name: rule.get("fault_for", DEFAULT) for name, rule in RULES.items()}
    paths = {
        name: with_fault(folder / name, rule["fault"], rule.get("fault_in", "template.yaml")) for name, rule in RULES.items()
    }
    for_sam = [name for name, rule in RULES.items() if is_for_sam(rule)]
    made = dict(zip(for_sam, translate_each([(paths[name], SHOPS[owner[name]]) for name in for_sam]), strict=True))
    for name, rule in RULES.items():
        made.setdefault(name, merged(sound[owner[name]], {} if "fault_in" in rule else rule["fault"]))
    return {name: make_shop(name, SHOPS[owner[name]], paths[name], made[name]) for name in RULES}


def test_every_rule_is_a_schema_or_a_function_and_says_what_it_is_about_with_a_public_source() -> None:
    assert {name for name, rule in RULES.items() if "schema" not in rule} == set(RELATIONS)
    for name, rule in RULES.items():
        assert {"aws", "do", "source", "fault"} <= set(rule), name
        assert rule["source"].startswith("https://"), name


@pytest.mark.parametrize("name", RULES)
def test_the_rule_sees_its_fault_and_the_check_is_red(
    faulty: dict[str, Shop], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge([faulty[name]], ROOT) is False
    said = capsys.readouterr().out
    assert f"    {name}: AWS {RULES[name]['aws']}" in said
    assert RULES[name]["source"] in said


def test_the_templates_break_no_rule_for_any_shop(shops: list[Shop], capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(shops, ROOT), capsys.readouterr().out


def test_every_condition_is_true_for_one_shop_and_false_for_another(shops: list[Shop]) -> None:
    seen: dict[tuple[str, str], set[bool]] = {}
    for template in (one for shop in shops for one in shop.templates):
        for condition, holds in template.conditions.items():
            seen.setdefault((template.file, condition), set()).add(holds)
    assert {condition for condition, values in seen.items() if len(values) < 2} == set()


@pytest.mark.parametrize("quota", QUOTAS, ids=lambda quota: quota.name)
def test_more_than_a_limit_is_red(shops: list[Shop], quota: Quota, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in TEMPLATES:
        shutil.copy(ROOT / name, tmp_path)
    for part in ("CommonLayer", "SiteFunction"):
        (tmp_path / ".aws-sam" / "build" / part).mkdir(parents=True)
        (tmp_path / ".aws-sam" / "build" / part / "app.py").write_text("12345", encoding="utf-8")
    rule = Resource("template.yaml", "Origin", {"Type": "AWS::Events::Rule"})
    busy = [replace(shop, resources=[*shop.resources, rule]) for shop in shops]
    most = max(count for shop in busy for _, count in quota.counts(shop, tmp_path))
    assert most > 0
    assert print_quotas(busy, tmp_path, [replace(quota, limit=most)])
    assert not print_quotas(busy, tmp_path, [replace(quota, counts=lambda *_: iter([("here", quota.limit + 1)]))])
    assert quota.source in capsys.readouterr().out


def test_who_may_call_a_function_is_counted_byte_by_byte_as_lambda_prints_its_policy(shops: list[Shop]) -> None:
    target = "arn:aws:lambda:ap-south-1:123456789012:function:f:live"
    source = "arn:aws:execute-api:ap-south-1:123456789012:a1b2c3d4e5/*/GET/api/orders/*"
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": target,
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": source,
    }
    one = Resource("template.yaml", "Orders", {"Type": "AWS::Lambda::Permission", "Properties": permission})
    printed = (
        '{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"payfirst-Orders-1A2B3C4D5E6F","Effect":"Allow",'
        '"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction",'
        f'"Resource":"{target}","Condition":{{"ArnLike":{{"AWS:SourceArn":"{source}"}}}}}}]}}'
    )
    assert list(invocation_policies(replace(shops[0], resources=[one]), ROOT)) == [("f:live", len(printed))]


SWEEP: Final = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String, Default: sandbox}}
Resources:
  Sweep:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/sweep
      Handler: app.handler
      Runtime: python3.13
      Environment: {Variables: {STAGE: !Ref Stage}}
      Events:
        Minute: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), RetryPolicy: {MaximumRetryAttempts: 186}}}
"""


@pytest.mark.needs("sam")
def test_cfn_lint_sees_in_the_translation_what_it_does_not_see_in_the_source(tmp_path: Path) -> None:
    source, made = tmp_path / "template.yaml", tmp_path / "made"
    source.write_text(SWEEP, encoding="utf-8")
    made.mkdir()
    [shop] = make_shops(source, {DEFAULT: {}})
    linters = [lint(source), lint(write_translated(shop, made))]
    said = [linter.communicate()[0] for linter in linters]
    assert ["186 is greater than the maximum of 185" in one for one in said] == [False, True]
    assert [linter.returncode != 0 for linter in linters] == [False, True]


def test_make_check_and_what_lands_run_these_rules() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert makefile.count("\t$(BIN)/python -m checks.aws\n") == 2
