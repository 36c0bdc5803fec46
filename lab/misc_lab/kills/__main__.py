"""`python -m misc_lab.kills`: kill both ends a thousand times, and count."""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def kill(
    *,
    kills: Annotated[int, typer.Option(help="Of both programs together.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the random moments.")] = 1,
    longest: Annotated[
        float, typer.Option(help="Seconds that a program lives at most; more on slow machines.")
    ] = 3.0,
    sealed: Annotated[bool, typer.Option(help="Give the stream a key.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Leave everything in this folder.")] = None,
) -> None:
    """Kill a camera with a spool and its receiver at random moments; report what was lost."""
    from misc_lab.kills.run import KillSettings, run_kills

    settings = KillSettings(kills=kills, seed=seed, longest=longest, sealed=sealed)
    with exit_on_error("kills"), tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if keep is None else keep
        folder.mkdir(parents=True, exist_ok=True)
        outcome = run_kills(folder, settings)
        report = dataclasses.asdict(settings) | dataclasses.asdict(outcome)
        sys.stdout.write(json.dumps(report | {"clean": outcome.clean}, indent=1) + "\n")
    raise typer.Exit(code=0 if outcome.clean else 1)


if __name__ == "__main__":
    app()
