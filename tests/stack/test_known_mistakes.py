"""Checkov over the templates as CloudFormation gets them, bandit over the code, the licences, and the bill of materials."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.tools import PROGRAMS, need

ROOT: Final = Path(__file__).resolve().parents[2]
TOOLS: Final = PROGRAMS["checks"][1].parent
LOCK: Final = ROOT / "layers" / "common" / "python" / "requirements.txt"
SERVED: Final = (
    r"AWS::Lambda::Function\.(Bookings|Carts|Catalogue|CreateSession|InitiatePayment|Operators|ReadPayments|Site)Function"
)
ACCEPTED: Final[Mapping[str, tuple[str, str]]] = {
    "CKV_AWS_26": (r"AWS::SNS::Topic\.AlarmTopic", "alarms name a metric and nobody; CloudWatch may not use AWS' own key"),
    "CKV_AWS_27": (r"AWS::SQS::Queue\.\w+", "the queues are encrypted with SQS' own key, which checkov does not count"),
    "CKV_AWS_73": (r"AWS::ApiGateway::Stage\.ApiliveStage", "the parameter Tracing switches it on, for the API too"),
    "CKV_AWS_76": (r"AWS::ApiGateway::Stage\.ApiliveStage", "the parameter AccessLogs switches them on, once the account can"),
    "CKV_AWS_120": (
        r"AWS::ApiGateway::Stage\.ApiliveStage",
        "answers belong to one customer; public ones name their age",
    ),
    "CKV_AWS_115": (SERVED, "the API's throttle limits them; a reserve for each would starve the others in a small account"),
    "CKV_AWS_116": (r"AWS::Lambda::Function\.\w+", "what runs by schedule or queue has a place for failures of another kind"),
    "CKV_AWS_117": (r"AWS::Lambda::Function\.\w+", "nothing that they call lies in a network of the shop's"),
    "CKV_AWS_28": (r"AWS::DynamoDB::Table\.GatewayTokens", "access tokens belong into no backup"),
    "CKV_AWS_119": (r"AWS::DynamoDB::Table\.(Table|GatewayTokens)", "the tables have AWS' key unless the shop names one"),
    "CKV_AWS_149": (r"AWS::SecretsManager::Secret\.\w+", "the secrets have AWS' own key"),
    "CKV_AWS_158": (r"AWS::Logs::LogGroup\.\w+", "logs hold no secret, no token and no whole phone number"),
    "CKV_AWS_173": (r"AWS::Lambda::Function\.\w+", "the variables hold names and addresses, no secret"),
    "CKV_AWS_258": (r"AWS::Lambda::Url\.WebhookFunctionUrl", "gateways sign nothing that AWS would take; the function checks"),
}
"""The checks that are not followed: for which resources, and why."""


def run(*command: Path | str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)


def checkov(folder: Path) -> list[tuple[str, str]]:
    """Each check that fails with the resource that it fails for, over all templates in `folder`."""
    need("checkov")
    program = PROGRAMS["checkov"][1]
    done = run(program, "-d", folder, "--framework", "cloudformation", "--skip-download", "--compact", "--quiet", "-o", "json")
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    return [(failed["check_id"], failed["resource"]) for failed in report["results"]["failed_checks"]]


def test_checkov_finds_nothing_in_the_templates_but_what_is_accepted_with_a_reason(
    template: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "template.json").write_text(json.dumps(template), encoding="utf-8")
    beside = [path for path in ROOT.glob("*.yaml") if path.name != "template.yaml"]
    for path in beside:
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    # A planted mistake: were it not found, neither would others be.
    (tmp_path / "planted.json").write_text(
        json.dumps({"Resources": {"Planted": {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}}}}),
        encoding="utf-8",
    )

    failed = checkov(tmp_path)

    assert any(resource == "AWS::S3::Bucket.Planted" for _, resource in failed)
    unexplained = [
        (check, resource)
        for check, resource in failed
        if not resource.endswith(".Planted") and not (check in ACCEPTED and re.fullmatch(ACCEPTED[check][0], resource))
    ]
    assert unexplained == []
    assert ACCEPTED.keys() - {check for check, _ in failed} == set(), "these need no exception any more"


@pytest.mark.needs("checks")
def test_bandit_sees_a_planted_mistake(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("import subprocess\nsubprocess.run(given, shell=True)\n", encoding="utf-8")
    done = run(TOOLS / "bandit", "--quiet", "--recursive", tmp_path)
    assert done.returncode == 1
    assert "B602" in done.stdout


@pytest.mark.needs("checks")
def test_a_licence_that_is_not_on_the_list_is_red() -> None:
    allowed = [line for line in (ROOT / "checks" / "licences.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]

    def licences(names: list[str]) -> subprocess.CompletedProcess[str]:
        return run(TOOLS / "pip-licenses", "--python", ROOT / ".venv" / "bin" / "python", "--allow-only", ";".join(names))

    assert licences(allowed).returncode == 0
    shorter = licences([name for name in allowed if name != "PSF-2.0"])
    assert shorter.returncode == 1
    assert "PSF-2.0" in shorter.stderr


@pytest.mark.needs("checks")
def test_the_bill_of_materials_names_every_package_of_the_layer_with_its_hashes(tmp_path: Path) -> None:
    written = tmp_path / "sbom.json"
    done = run("make", "--no-print-directory", "sbom", f"SBOM={written}")
    assert done.returncode == 0, done.stderr
    bill: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    named = {part["name"]: part for part in bill["components"]}
    locked = dict(re.findall(r"^([a-z0-9-]+)==([\w.]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name: part["version"] for name, part in named.items()} == locked
    assert all(part["externalReferences"][0]["hashes"] for part in named.values())
    assert bill["metadata"]["component"]["name"] == "payfirst"


@pytest.mark.parametrize("tool", ["bandit", "pip-licenses"])
def test_the_checks_run_it(tool: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"\t$(CHECKS)/{tool} " in makefile
