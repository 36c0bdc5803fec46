"""`misc-bench ladder` and `misc-bench first-bytes`: our codec alone, over its range of bytes."""

from pathlib import Path
from typing import Annotated

import typer

from misc_lab.bench.options import RESULTS, Folder, Pack, Perceptual, Workers, as_names, as_numbers
from misc_shared.exit_codes import exit_on_error

__all__ = ["first_bytes", "ladder"]

_BUDGETS = "150,200,300,424,600,840,1180,1700,2400,3300"
_Budgets = Annotated[str, typer.Option("--bytes", help="Budgets in bytes, with commas between.")]
_QUALITIES = "0,3,6,9,12,15,18,21,24,27,31"


def ladder(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Folder for ladder.json and ladder.png.")] = RESULTS,
    budgets: _Budgets = _BUDGETS,
    qualities: Annotated[
        str, typer.Option(help="Qualities from 0 to 31, with commas between.")
    ] = _QUALITIES,
    perceptual: Perceptual = None,
    pack: Pack = "nano",
    workers: Workers = 2,
) -> None:
    """Are budgets kept and used, and is more never worse? Picture by picture."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.ladder import LadderSettings, run_ladder
        from misc_lab.bench.printing import show_ladder, watch

        settings = LadderSettings(
            folder=folder,
            out=out,
            budgets=_rungs(budgets, what="Budgets", example="150,300"),
            qualities=_rungs(qualities, what="Qualities", example="0,16,31"),
            perceptual=as_names(perceptual),
            pack=pack,
            workers=workers,
        )
        with watch("pictures") as on_picture:
            rungs = run_ladder(settings, on_picture=on_picture)
        show_ladder(rungs, out=out)


def first_bytes(
    pictures: Annotated[
        list[str] | None, typer.Argument(help="Pictures: files or sample:NAME; four samples else.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("first-bytes.png"),
    budgets: _Budgets = "150,300,600,1200",
    pack: Pack = "nano",
) -> None:
    """Show what a receiver sees of 512x384 pictures after the first layer, and after more bytes."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.first_bytes import SAMPLES, draw_first_bytes

        sizes = draw_first_bytes(
            tuple(pictures or SAMPLES),
            out,
            budgets=_rungs(budgets, what="Budgets", example="150,300"),
            pack=pack,
        )
        for name, nbytes in sizes.items():
            typer.echo(f"{name}: first layer {nbytes} bytes, headers included")
        typer.echo(f"Written: {out}")


def _rungs(text: str, *, what: str, example: str) -> tuple[int, ...]:
    """Each number once, in rising order."""
    return tuple(sorted(set(as_numbers(text, int, what=what, example=example))))
