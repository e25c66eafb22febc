"""The restore drill, as `make restore-drill` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.restore_drill import drill


@pytest.mark.needs("aws")
def test_a_shop_that_lost_its_table_goes_on_with_the_restored_one_and_its_books_agree(tmp_path: Path) -> None:
    said: list[str] = []
    restored = drill(tmp_path, 2.0, said.append)
    assert restored.items > 100
    assert "reconcile finds no difference" in " ".join(said)
