"""Errors as an operator reads them: one sentence and a non-zero exit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ops.catalogue_file import CatalogueError
from ops.running import NoStackError
from ops.token import TokenError
from payfirst.domain.errors import PayFirstError


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What an operator can mend is told in one sentence; everything else is a fault of ours and keeps its traceback."""
    try:
        yield
    except (NoStackError, TokenError, CatalogueError) as error:
        fail(str(error), error)
    except PayFirstError as error:
        fail(error.message, error)
    except ClientError as error:
        fail(f"AWS refused: {error.response['Error'].get('Message', error)}", error)
    except BotoCoreError as error:
        fail(f"AWS cannot be reached: {error}", error)


def fail(sentence: str, cause: Exception | None = None) -> NoReturn:
    """Say it and exit with 1."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="red", markup=False)
    raise typer.Exit(1) from cause
