"""`misc-bench ladder` and `misc-bench first-bytes`: our codec alone, over its range of bytes."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["first_bytes", "ladder"]

_BUDGETS = "150,200,300,424,600,840,1180,1700,2400,3300"
_QUALITIES = "0,3,6,9,12,15,18,21,24,27,31"


def ladder(
    folder: Annotated[Path, typer.Argument(help="Folder of pictures; all of them are used.")],
    out: Annotated[Path, typer.Option(help="Folder for ladder.json and ladder.png.")] = Path(
        "bench-results"
    ),
    budgets: Annotated[
        str, typer.Option("--bytes", help="Budgets in bytes, with commas between.")
    ] = _BUDGETS,
    qualities: Annotated[
        str, typer.Option(help="Qualities from 0 to 31, with commas between.")
    ] = _QUALITIES,
    perceptual: Annotated[
        list[str] | None, typer.Option(help="As for rd: repeated or with commas between.")
    ] = None,
    pack: Annotated[str, typer.Option(help="Model pack.")] = "nano",
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 2,
) -> None:
    """Are budgets kept and used, and is more never worse? Picture by picture."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.ladder import LadderSettings, run_ladder
        from misc_lab.bench.printing import show_ladder, watch

        settings = LadderSettings(
            folder=folder,
            out=out,
            budgets=_whole_numbers(budgets),
            qualities=_whole_numbers(qualities),
            perceptual=tuple(name for text in perceptual or () for name in _split(text)),
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
    budgets: Annotated[
        str, typer.Option("--bytes", help="Budgets in bytes, with commas between.")
    ] = "150,300,600,1200",
    pack: Annotated[str, typer.Option(help="Model pack.")] = "nano",
) -> None:
    """Show what a receiver sees of 512x384 pictures after the first layer, and after more bytes."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.first_bytes import SAMPLES, draw_first_bytes

        sizes = draw_first_bytes(
            tuple(pictures or SAMPLES), out, budgets=_whole_numbers(budgets), pack=pack
        )
        for name, nbytes in sizes.items():
            typer.echo(f"{name}: first layer {nbytes} bytes, headers included")
        typer.echo(f"Written: {out}")


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole_numbers(text: str) -> tuple[int, ...]:
    from misc_shared.errors import ConfigError

    try:
        return tuple(sorted({int(part) for part in _split(text)}))
    except ValueError as error:
        raise ConfigError(f"Give whole numbers with commas between; got {text!r}.") from error
