"""What the page for newcomers from the documents says does the same here: each command, name and word of it is there, and the
commands that a local stack can run are run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from local.choices import KNOWN
from ops.funnel import _WORDS
from payfirst.usecases.operators.funnel import Rate
from tests.integration.ops.commands import succeeded
from tests.integration.ops.test_operator import home, running
from tests.integration.ops.test_orders import order
from tests.stack.template import ROOT, TEMPLATE

__all__ = ["home", "order", "running"]

PAGE: Final = (ROOT / "docs" / "from-the-documents.md").read_text(encoding="utf-8")
CODE: Final = re.findall(r"`([^`]+)`", PAGE)
PRINTED: Final = (
    "python test_payment_first_flow.py",
    "python manage.py migrate payment",
    "python manage.py set_mpesa_credentials",
    "GROUP BY session_status",
    "success rate of the last 24 hours",
    "session creation rate",
    "payment initiation rate",
    "payment success rate",
    "session expiry rate",
    "order creation success rate",
    "MPESA_CONSUMER_KEY",
    "MPESA_CONSUMER_SECRET",
    "MPESA_BUSINESS_SHORTCODE",
    "MPESA_PASSKEY",
    "MPESA_CALLBACK_URL",
    "MPESA_ENVIRONMENT=production",
)
CHECKLIST: Final = 9
"""Eleven boxes are printed; two pairs ask the same."""


@pytest.mark.parametrize("printed", PRINTED)
def test_each_printed_command_query_metric_and_name_has_its_line(printed: str) -> None:
    assert printed in PAGE


def test_the_checklist_is_there_whole() -> None:
    rows = [line for line in PAGE.partition("## The deployment checklist")[2].splitlines() if line.startswith("| ")]
    assert len(rows) - 1 == CHECKLIST


def test_each_file_parameter_alarm_and_variable_that_is_named_exists() -> None:
    files = {path for word in CODE for path in re.findall(r"(?:tests|docs)/[\w/.-]+", word)}
    assert len(files) >= 4
    assert [path for path in files if not (ROOT / path).exists()] == []
    alarms = yaml.load((ROOT / "alarms.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["Resources"]  # noqa: S506
    named = {word for word in CODE if re.fullmatch(r"[A-Z][a-z]+[A-Za-z]*", word)}
    assert named <= {*TEMPLATE["Parameters"], *TEMPLATE["Outputs"], *alarms}
    assert {word.partition("=")[0] for word in CODE if word.startswith("MPESA_")} <= KNOWN


def test_each_rate_is_called_as_the_funnel_calls_it() -> None:
    assert re.findall(r"rate \*([a-z ]+)\*", PAGE) == [rate.value.replace("_", " ") for rate in Rate]
    assert set(re.findall(r"\*([A-Z][a-z ]+)\*", PAGE)) <= set(_WORDS.values())


@pytest.mark.usefixtures("order")
def test_the_funnel_answers_what_the_queries_and_the_metrics_ask(home: Path) -> None:
    succeeded("tick", "deliver", "--home", home)
    table = succeeded("funnel", "--since", "24h", "--home", home)
    for word in (*_WORDS.values(), "Status now"):
        assert word in table
    told = json.loads(succeeded("funnel", "--since", "7d", "--json", "--home", home))
    assert told["status_now"]["order_created"] >= 1
    assert set(told["stages"]) == set(_WORDS)
    assert all(0 <= stage["rate"] <= 1 for stage in told["stages"].values() if stage["rate"] is not None)
