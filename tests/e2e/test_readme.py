"""README's walks, pasted into a shell line by line as a newcomer does it, answer what README prints."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from ops.running import ROOT
from tests.integration.host.test_process import running

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
WALKS: Final = "\n".join(re.findall(r"^```bash\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
PRINTED: Final = [
    json.loads(line)
    for block in re.findall(r"^```json\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
ANEW: Final = {
    "session_id", "expires_at", "checkout_request_id", "order_number", "cart_id", "selected_date", "selected_time",
    "payment_id", "merchant_transaction_id", "payment_url", "book_id",
}  # fmt: skip
"""What is another each time."""


def says(answer: Any, printed: Any) -> bool:
    """Whether all that is printed stands in the answer, in its place; what is another each time stands there with any value."""
    if isinstance(printed, dict):
        return isinstance(answer, dict) and all(
            name in answer and (name in ANEW or says(answer[name], value)) for name, value in printed.items()
        )
    if isinstance(printed, list):
        return isinstance(answer, list) and len(answer) == len(printed) and all(map(says, answer, printed))
    return bool(answer == printed)


@pytest.mark.skipif(shutil.which("curl") is None, reason="README's walks need curl")
def test_readme_s_walks_answer_what_it_prints(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    home = tmp_path / ".local"
    with running(home):
        told = json.loads((home / "stack.json").read_text(encoding="utf-8"))
        typed = (
            WALKS.replace("http://127.0.0.1:8000", told["base_url"])
            .replace("http://127.0.0.1:8001", told["environment"]["PAYFIRST_SIMULATOR_URL"])
            .replace("payfirst token", f"payfirst token --home {home}")
        )
        shell = subprocess.run(["bash", "-c", typed], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    answers = [json.loads(line) for line in (shell.stdout + shell.stderr).splitlines() if line.startswith("{")]
    assert len(PRINTED) == 7
    for printed in PRINTED:
        assert any(says(answer, printed) for answer in answers), f"nothing answered {printed}:\n{shell.stdout}{shell.stderr}"
