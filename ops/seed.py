"""Puts the catalogue of `docs/catalogue` into a table: what is missing is added, what is there stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.catalogue_file import read_catalogue
from payfirst.storage import catalogue
from payfirst.storage.dynamodb.table import Table

CATALOGUE: Final = Path(__file__).parents[1] / "docs" / "catalogue"


@dataclass(frozen=True, slots=True)
class SeedReport:
    """Entries that were added, and those that were there already and were left alone."""

    added: int
    kept: int


def seed(table: Table, files: Sequence[Path] | None = None) -> SeedReport:
    """Add every entry of `files` (default: all of `docs/catalogue`) that `table` does not hold.

    Stock, prices and uses of what it holds are never touched. CatalogueError if a file cannot be read.
    """
    entries = [entry for file in files or sorted(CATALOGUE.glob("*.yaml")) for entry in read_catalogue(file)]
    added = sum(catalogue.add(table, entry) for entry in entries)
    return SeedReport(added, len(entries) - added)
