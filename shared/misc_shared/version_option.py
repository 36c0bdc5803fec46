"""`--version`, alike in every program."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["VersionFlag"]


def _print_version(ctx: typer.Context, asked: bool) -> None:  # noqa: FBT001 - as click calls it
    if asked:
        from importlib.metadata import version

        typer.echo(f"{ctx.info_name} {version('misc-streaming')}")
        raise typer.Exit


VersionFlag = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version."),
]
