"""The vendors' own bodies, where the collection of them lies beside the project: each is handled as its notes say."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from .payload_checks_mpesa import MPESA_CHECKS
from .payload_checks_phonepe import PHONEPE_CHECKS
from .scripted_gateway import ScriptedGateway

FOLDER: Final = Path(__file__).parents[4] / "shared" / "payloads"
CHECKS: Final = {**MPESA_CHECKS, **PHONEPE_CHECKS}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the vendors' bodies do not lie beside the project")


def test_every_body_of_the_collection_has_its_check() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(CHECKS)
    assert len(CHECKS) == 63


@pytest.mark.parametrize("name", CHECKS)
def test_each_body_is_handled_as_its_notes_say(gateway: ScriptedGateway, name: str) -> None:
    CHECKS[name](gateway, (FOLDER / f"{name}.json").read_bytes())
