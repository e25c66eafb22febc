"""The rules of `checks/rules.yaml`, which `make check` holds every line against: each sees what breaks it, and only that."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.tools import PROGRAMS, need

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "checks" / "rules.yaml"
PLACE: Final = "layers/common/python/payfirst/storage"

BREAKS: Final[Mapping[str, tuple[str, ...]]] = {
    "clock": (
        "from datetime import UTC, datetime\nnow = datetime.now(UTC)",
        "import datetime as dt\ntoday = dt.date.today()",
        "import time\nnow = time.time()",
        "from time import time\nnow = time()",
    ),
    "compared-secret": (
        "same = given_signature == expected",
        "if expected != notice.password: stop()",
        "same = read(request) == hmac.new(key, body).hexdigest()",
    ),
    "swallowed-fault": (
        "try:\n    work()\nexcept:\n    raise",
        "try:\n    work()\nexcept Exception:\n    pass",
        "for one in all:\n    try:\n        work()\n    except Exception as exc:\n        continue",
        "try:\n    work()\nexcept BaseException:\n    pass",
        "import contextlib\nwith contextlib.suppress(Exception):\n    work()",
    ),
    "unconditional-put": (
        'write(table, Put("order", item))',
        'write(table, Put(name="order", item=item))',
        'writes = [Put("order", item, when=(absent("pk"),)), Put("other", item)]',
    ),
    "put-past-the-table": ("client.put_item(Item=item)", "act = table.client.transact_write_items"),
    "money-as-float": ("amount = Money.of(1.5, KES)", "amount = Decimal(0.1)", "amount = float(price)", "Money(-1.0, KES)"),
}
KEEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "clock": ("import time\nstarted = time.monotonic()", "now = utc_now()"),
    "compared-secret": ("from hmac import compare_digest\nsame = compare_digest(a_signature, b)", 'empty = password == ""'),
    "swallowed-fault": (
        "try:\n    work()\nexcept ValueError:\n    pass",
        "try:\n    work()\nexcept Exception:\n    alarm()",
    ),
    "unconditional-put": ('write(table, Put("order", item, when=(absent("pk"),)))', 'Put("order", item, clauses)'),
    "put-past-the-table": ("write(table, change)",),
    "money-as-float": ('amount = Money.of("1.50", KES)', "amount = Decimal(2)"),
}


def scan(folder: Path) -> list[dict[str, Any]]:
    """What the rules find in `folder`, as if it were the root of the project."""
    need("checks")
    done = subprocess.run(
        ["semgrep", "scan", "--config", RULES, "--metrics", "off", "--disable-version-check", "--no-git-ignore", "--json", "."],
        cwd=folder,
        env={
            "PATH": f"{PROGRAMS['checks'][1].parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder.parent),
            "SEMGREP_SETTINGS_FILE": str(folder.parent / "settings.yaml"),
            "SEMGREP_LOG_FILE": str(folder.parent / "semgrep.log"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["errors"] == []
    found: list[dict[str, Any]] = answer["results"]
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Each rule with the name of each file in which it found something; one scan for all."""
    folder = tmp_path_factory.mktemp("planted") / "project"
    place = folder / PLACE
    place.mkdir(parents=True)
    for kind, examples in (("breaks", BREAKS), ("keeps", KEEPS)):
        for rule, texts in examples.items():
            for number, text in enumerate(texts):
                (place / f"{kind}_{rule}_{number}.py").write_text(f"{text}\n", encoding="utf-8")
    (place / "excepted.py").write_text('Put("one", item)  # nosemgrep: unconditional-put\n', encoding="utf-8")
    return {(result["check_id"].rsplit(".", 1)[-1], Path(result["path"]).stem) for result in scan(folder)}


def test_every_rule_has_examples() -> None:
    rules = {rule["id"] for rule in yaml.safe_load(RULES.read_text(encoding="utf-8"))["rules"]}
    assert rules == set(BREAKS) == set(KEEPS)


@pytest.mark.parametrize(("rule", "number"), [(rule, number) for rule, texts in BREAKS.items() for number in range(len(texts))])
def test_the_rule_sees_what_breaks_it(found: set[tuple[str, str]], rule: str, number: int) -> None:
    assert (rule, f"breaks_{rule}_{number}") in found


def test_no_rule_minds_what_keeps_it_or_says_that_it_is_excepted(found: set[tuple[str, str]]) -> None:
    assert {(rule, name) for rule, name in found if not name.startswith("breaks_")} == set()


def test_the_check_of_every_line_runs_these_rules_and_is_red_for_one_finding() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "semgrep scan --config checks/rules.yaml" in makefile
    assert "--error" in makefile
    assert "\t$(SEMGREP) $(RUNS)\n" in makefile
