"""Errors as an operator reads them: one sentence, and exit 2 for what was typed wrong, 1 for everything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from ops.catalogue_file import CatalogueError
from ops.logs import asked_for
from ops.printing import complain
from ops.reconcile.statements import StatementError
from ops.running import NoStackError
from ops.token import TokenError
from ops.words import WrongInputError
from payfirst.domain.errors import InvalidInputError, PayFirstError
from payfirst.gateways.account import CredentialError

FAILED: Final = 1
WRONG_INPUT: Final = 2
"""As the command line's own exit for an option that there is not."""


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What an operator can mend is told in one sentence. Everything else is a fault of ours, which `Sentences` tells."""
    try:
        yield
    except (NoStackError, TokenError, CatalogueError, StatementError, CredentialError) as error:
        fail(str(error), error)
    except (WrongInputError, InvalidInputError) as error:
        fail(str(error), error, exit_code=WRONG_INPUT)
    except PayFirstError as error:
        fail(error.message, error)
    except ClientError as error:
        fail(f"AWS refused: {error.response['Error'].get('Message', error)}", error)
    except BotoCoreError as error:
        fail(f"AWS cannot be reached: {error}", error)


class Sentences(TyperGroup):
    """Commands that end in a sentence, whatever happens; who asks for the log gets the traceback of a fault of ours."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's signature
        """The words of the command line; exits with a sentence where a terminal sent bytes that are no text."""
        for word in args:
            try:
                word.encode()
            except UnicodeEncodeError as error:
                fail(f"{word!r} is not UTF-8; write it in characters.", error, exit_code=WRONG_INPUT)
        return super().parse_args(ctx, region_first(args))

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - click's signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            is_clicks_own = hasattr(error, "exit_code") or isinstance(error, typer.Abort)
            if is_clicks_own or isinstance(error, BrokenPipeError) or asked_for(verbose=ctx.params.get("verbose", False)):
                raise
            fail(f"This is a fault of ours: {type(error).__name__}: {error}. --verbose before the command shows where.", error)


def region_first(words: list[str]) -> list[str]:
    """The words with `--region` before the command, where it belongs, though people write it beside `--stack-name`."""
    if not any(word.partition("=")[0] == "--stack-name" for word in words):
        return words
    for place, word in enumerate(words):
        if word.partition("=")[0] == "--region":
            width = 1 if "=" in word else 2
            return words[place : place + width] + words[:place] + words[place + width :]
    return words


def fail(sentence: str, cause: Exception | None = None, *, exit_code: int = FAILED) -> NoReturn:
    """Say it and exit."""
    complain(sentence)
    raise typer.Exit(exit_code) from cause
