"""Errors as an operator reads them: one sentence, and exit 2 for what was typed wrong, 1 for everything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ops.catalogue_file import CatalogueError
from ops.running import NoStackError
from ops.statements import StatementError
from ops.token import TokenError
from ops.words import WrongInputError
from payfirst.domain.errors import InvalidInputError, PayFirstError

FAILED: Final = 1
WRONG_INPUT: Final = 2
"""As the command line's own exit for an option that there is not."""


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What an operator can mend is told in one sentence; everything else is a fault of ours and keeps its traceback."""
    try:
        yield
    except (NoStackError, TokenError, CatalogueError, StatementError) as error:
        fail(str(error), error)
    except (WrongInputError, InvalidInputError) as error:
        fail(str(error), error, exit_code=WRONG_INPUT)
    except PayFirstError as error:
        fail(error.message, error)
    except ClientError as error:
        fail(f"AWS refused: {error.response['Error'].get('Message', error)}", error)
    except BotoCoreError as error:
        fail(f"AWS cannot be reached: {error}", error)


def fail(sentence: str, cause: Exception | None = None, *, exit_code: int = FAILED) -> NoReturn:
    """Say it and exit."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="red", markup=False)
    raise typer.Exit(exit_code) from cause
