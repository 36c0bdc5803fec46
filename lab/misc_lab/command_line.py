"""What the lab's command lines share: an error is one sentence and exit status 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

__all__ = ["one_sentence"]


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn our errors into one sentence on standard error.

    Raises:
        typer.Exit: With status 2, in place of any `MiscError`.
    """
    from misc_shared.errors import MiscError

    try:
        yield
    except MiscError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a program's message
        raise typer.Exit(2) from error
