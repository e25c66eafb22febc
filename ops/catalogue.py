"""`payfirst catalogue`: what the shop offers, taken from a file and written to one; one entry by hand: `catalogue_by_hand`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ops import words
from ops.catalogue_file import Entry, as_raw, as_yaml, name_of, read_catalogue
from ops.deployed import Home, StackName, enter_stack
from ops.printing import bar, complain, hand_over, hand_over_json, say
from ops.running import HOME, table_of
from ops.sentences import in_one_sentence
from payfirst.domain.catalogue import Listing
from payfirst.domain.days import ANY_DAY, Days
from payfirst.domain.errors import ContentionError
from payfirst.storage import catalogue, catalogue_edits
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table

catalogue_app = typer.Typer(name="catalogue", help="Keep what the shop offers.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry of a file that the table does not hold so: `current` is what it holds, None for nothing."""

    wanted: Entry
    current: Entry | None

    def lines(self) -> Iterator[str]:
        """What would change, for people."""
        after = as_raw(self.wanted)
        if self.current is None:
            yield f"+ {name_of(self.wanted)}: {after.get('name') or after.get('product_name') or after['currency']}"
            return
        before = as_raw(self.current)
        for name in dict.fromkeys((*before, *after)):
            if before.get(name) != after.get(name):
                yield f"~ {name_of(self.wanted)}, {name}: {_shown(before.get(name))} -> {_shown(after.get(name))}"


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever a file holds
    return "nothing" if value is None else str(value)


def compare(table: Table, entries: Sequence[Entry]) -> list[Difference]:
    """What of `entries` the table does not hold, or holds otherwise; stock and uses are never compared."""
    found = []
    for first in range(0, len(entries), catalogue_edits.AT_ONCE):
        batch = entries[first : first + catalogue_edits.AT_ONCE]
        for wanted, current in zip(batch, catalogue_edits.read_same(table, batch), strict=True):
            if current is None or catalogue_edits.content(wanted) != catalogue_edits.content(current):
                found.append(Difference(_with_stock_of(wanted, current), current))
    return found


def _with_stock_of(wanted: Entry, current: Entry | None) -> Entry:
    if isinstance(wanted, Listing) and isinstance(current, Listing):
        return catalogue_edits.with_stock(wanted, current.available)
    return wanted


def store(table: Table, found: Sequence[Difference], written: Callable[[int], None] = lambda _: None) -> None:
    """Write the differences, nearly a hundred at a time, each batch at once or not at all, and tell `written` how many are.

    What was stored before an interruption is no difference any more: the same import ends it. ContentionError when somebody
    else changed an entry.
    """
    for first in range(0, len(found), catalogue_edits.AT_ONCE):
        batch = found[first : first + catalogue_edits.AT_ONCE]
        try:
            catalogue_edits.store(table, [(each.wanted, each.current) for each in batch])
        except ConditionFailedError as error:
            message = f"Somebody else changed {', '.join(sorted(error.failed))} meanwhile; please look again."
            raise ContentionError(message) from error
        written(first + len(batch))


def store_in_sight(table: Table, found: Sequence[Difference]) -> None:
    """Write the differences as `store` does, with a bar; whatever stops it half-way, it says how far it came."""
    progress = bar()
    task = progress.add_task("Storing", total=len(found))
    try:
        with progress:
            store(table, found, lambda written: progress.update(task, completed=written))
    except BaseException:
        # Whether the batch under way was taken may be unknown; those before it are written.
        written = int(progress.tasks[0].completed)
        complain(f"At least {written} of {len(found)} entries are written; the same import again writes the rest.")
        raise


@catalogue_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A catalogue in YAML.", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Take what a file offers.

    New entries are added, others changed; stock and uses of what is there stay as they are.

    A file with mistakes changes nothing; each is named with its line. What the file does not name stays.
    """
    with in_one_sentence():
        stack = enter_stack(stack_name, home)
        table = table_of(stack)
        entries = read_catalogue(file, Days(ahead=int(stack.environment.get("HORIZON_DAYS", ANY_DAY.ahead))))
        found = compare(table, entries)
        if dry_run:
            for each in found:
                for line in each.lines():
                    say(line)
        else:
            store_in_sight(table, found)
    added = sum(each.current is None for each in found)
    would = "would be " if dry_run else ""
    say(f"{added} {would}added, {len(found) - added} {would}changed, {len(entries) - len(found)} as they are.")


@catalogue_app.command("export")
def export_command(as_json: words.AsJson = False, stack_name: StackName = None, home: Home = HOME) -> None:
    """Print the catalogue as a file that `import` takes.

    Stock is what can be bought now.
    """
    with in_one_sentence():
        table = table_of(enter_stack(stack_name, home))
        offered: dict[str, Sequence[Entry]] = {
            "listings": catalogue.all_listings(table),
            "services": catalogue.all_services(table),
            "promos": catalogue_edits.all_promos(table),
        }
    raw = {section: [as_raw(entry) for entry in entries] for section, entries in offered.items() if entries}
    if as_json:
        hand_over_json(raw)
    else:
        hand_over(as_yaml(raw))
