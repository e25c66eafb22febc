"""Functions, layer, parameters and settings of `template.yaml` are those of the code."""

from __future__ import annotations

import ast
import re

import pytest

from ops.template import the_only
from payfirst.gateways.registry import setting_names
from tests.stack.template import ROOT, TEMPLATE, functions

LEFT_ALONE = {
    "Runtime",
    "Architecture",
    "Stage",  # `samconfig.toml` gives it and the gateways' addresses
    "MpesaBaseUrl",
    "PhonePeBaseUrl",
    "PhonePeTokenUrl",
    "PublicOrigin",
    "CallbackOrigin",
    "ExpiryGraceSeconds",
    "PhonePaceSeconds",
    "MpesaNoAnswerSeconds",
    "MpesaConfirmWithQuery",
    "ApiRequestsPerSecond",
    "ApiBurst",
    "FailOnWarnings",
}

SENDER = TEMPLATE["Parameters"]["OrdersMailSender"]["AllowedPattern"]


def test_every_command_that_the_stack_prints_names_its_region() -> None:
    printed = [output["Value"] for name, output in TEMPLATE["Outputs"].items() if name.startswith("Next")]
    assert len(printed) == 2
    for value in map(str, printed):
        assert value.count("--stack-name ${AWS::StackName} --region ${AWS::Region}") == value.count("payfirst ")


def test_every_folder_of_functions_is_a_function_and_every_function_has_its_folder() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert set(functions()) == folders


def test_every_function_is_called_by_something() -> None:
    assert [name for name, function in functions().items() if not function["Events"]] == []


def test_functions_get_exactly_the_settings_that_they_read() -> None:
    names = set(setting_names())
    assert set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]) == names | {
        "AWS_ENDPOINT_URL",
        "POWERTOOLS_TRACE_DISABLED",
    }
    for name, function in functions().items():
        own = set(function.get("Environment", {}).get("Variables", {}))
        assert own <= names, name


def test_no_secret_is_a_parameter_or_a_setting() -> None:
    for name in [*TEMPLATE["Parameters"], *setting_names()]:
        words = name.lower().replace("_secret_id", "").replace("keyarn", "")
        assert not any(word in words for word in ("secret", "password", "passkey", "key")), name


def test_a_shop_finds_every_parameter_on_the_page_about_deploying_but_those_that_it_can_leave_alone() -> None:
    told = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert {name for name in TEMPLATE["Parameters"] if not re.search(rf"\b{name}\b", told)} <= LEFT_ALONE
    assert set(TEMPLATE["Parameters"]) >= LEFT_ALONE


def test_every_parameter_says_what_it_is_for() -> None:
    assert [name for name, parameter in TEMPLATE["Parameters"].items() if not parameter.get("Description")] == []


def test_the_layer_holds_the_package_once() -> None:
    layer = the_only(TEMPLATE, "AWS::Serverless::LayerVersion")
    assert (ROOT / layer["ContentUri"] / "payfirst" / "__init__.py").exists()


def test_the_layer_is_built_for_the_runtime_and_processor_of_the_functions_unless_told_otherwise() -> None:
    makefile = (ROOT / "layers" / "common" / "python" / "Makefile").read_text(encoding="utf-8")
    for name in ("Runtime", "Architecture"):
        assert f"LAYER_{name.upper()} ?= {TEMPLATE['Parameters'][name]['Default']}\n" in makefile


def test_no_function_imports_another() -> None:
    for path in (ROOT / "functions").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] in ("functions", "local", "ops") for name in names), path


def test_no_deployed_form_lets_a_developer_s_own_pages_in_by_itself() -> None:
    assert TEMPLATE["Parameters"]["ShopOrigin"]["Default"] == ""
    written = [
        *ROOT.glob("*.yaml"),
        ROOT / "samconfig.toml",
        *(ROOT / ".github/workflows").glob("*.yml"),
        ROOT / "ops/rollout.py",
    ]
    named = {file.name for file in written if re.search(r"localhost:\d+|127\.0\.0\.1:\d+", file.read_text(encoding="utf-8"))}
    assert not named, "only `make run` allows http://localhost:3000"


@pytest.mark.parametrize("name", ["Green Valley Produce ", "St. Mary's Farm & Co ", "Duka-1 ", ""])
def test_a_sender_may_have_a_name_in_plain_letters(name: str) -> None:
    assert re.fullmatch(SENDER, f"{name}<orders@shop.example>")
    assert re.fullmatch(SENDER, "orders@shop.example")
    assert re.fullmatch(SENDER, "")


@pytest.mark.parametrize(
    "name", ["Puja, Ltd ", "Farm: fresh ", "Duka @ Nairobi ", '"Shop" ', "पूजा ", "A <b> ", "A (b) ", "A; b ", "A\\b ", "A\n"]
)
def test_a_sender_has_no_name_that_the_user_pool_or_ses_would_refuse_later(name: str) -> None:
    assert not re.fullmatch(SENDER, f"{name}<orders@shop.example>")
    assert not re.fullmatch(SENDER, "Shop <orders@caf\u00e9.example>")
