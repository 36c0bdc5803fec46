"""`misc-bench`: measure the codec beside the usual ones."""

from pathlib import Path
from typing import Annotated

import typer

from misc_lab.bench.options import (
    RESULTS,
    Count,
    Folder,
    Pack,
    Perceptual,
    Workers,
    as_names,
    as_numbers,
    split,
)
from misc_lab.cli_bench_delta import delta
from misc_lab.cli_bench_ladder import first_bytes, ladder
from misc_lab.cli_bench_refiner import ablate, seeds
from misc_lab.cli_bench_speed import speed
from misc_shared.exit_codes import exit_on_error
from misc_shared.version_option import VersionFlag

__all__ = ["app"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command()(ladder)
app.command()(first_bytes)
app.command()(speed)
app.command()(delta)
app.command()(ablate)
app.command()(seeds)

_DEFAULT_BUDGETS = "0.012,0.024,0.048,0.096"


@app.callback()
def main(*, version: VersionFlag = False) -> None:
    """Measure MISC: every byte counted, decoded in another process from the bytes alone."""


@app.command()
def rd(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Folder for rd.json, rd.csv and rd.png.")] = RESULTS,
    perceptual: Perceptual = None,
    codecs: Annotated[
        str | None, typer.Option(help="Codecs, with commas between; all by default.")
    ] = None,
    bpp: Annotated[
        str, typer.Option(help="Budgets in bits per pixel, with commas between.")
    ] = _DEFAULT_BUDGETS,
    pack: Pack = "nano",
    semantics: Annotated[
        str, typer.Option(help="Semantics in our pictures' bytes: nano, file or none.")
    ] = "nano",
    refine: Annotated[bool, typer.Option(help="Refine our pictures as well.")] = True,
    workers: Workers = 2,
    merge: Annotated[
        list[Path] | None,
        typer.Option(help="An earlier rd.json: take over its rows of the codecs not run now."),
    ] = None,
) -> None:
    """Rate against quality: ours beside JPEG to VVC, each within equal bytes."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.printing import show_bd_rates, show_points, watch
        from misc_lab.bench.run import RateSettings, run_rates

        settings = RateSettings(
            folder=folder,
            out=out,
            codecs=_codecs(codecs),
            budgets=as_numbers(bpp, float, what="Budgets", example="0.012,0.024"),
            perceptual=as_names(perceptual),
            refine=refine,
            pack=pack,
            semantics=semantics,
            workers=workers,
            merge=tuple(merge or ()),
        )
        with watch("pictures") as on_picture:
            results = run_rates(settings, on_picture=on_picture)
        show_points(results.points, out=out)
        show_bd_rates(results.bd)


@app.command()
def semantics(
    folder: Folder,
    captions: Annotated[
        Path | None, typer.Option(help='JSON lines {"image": NAME, "captions": [TEXT, ...]}.')
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help='JSON lines {"image": NAME, "boxes": [[LABEL, SCORE, ...], ...]}.'),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="NumPy archive of names and masks [N, 32, 32]: VOC class per cell."),
    ] = None,
    example: Annotated[
        Path | None, typer.Option(help="A longer text, to code and compare with brotli.")
    ] = None,
    backend: Annotated[
        str, typer.Option("--semantics", help="What is measured: nano or file.")
    ] = "nano",
    pack: Pack = "nano",
    threads: Annotated[int, typer.Option(help="Processor cores.")] = 2,
    count: Count = None,
    out: Annotated[Path, typer.Option(help="Folder for semantics.json.")] = RESULTS,
) -> None:
    """How often items and captions are right, how well maps fit, and what all of it costs."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.printing import watch
        from misc_lab.semantics.printing import show_bars
        from misc_lab.semantics.run import SemanticsSettings, run_semantics

        settings = SemanticsSettings(
            folder=folder,
            captions=captions,
            boxes=boxes,
            masks=masks,
            example=example,
            semantics=backend,
            pack=pack,
            threads=threads,
            count=count,
            out=out,
        )
        with watch("pictures") as on_picture:
            compared = run_semantics(settings, on_picture=on_picture)
        show_bars(compared, out=out)


def _codecs(text: str | None) -> tuple[str, ...]:
    """Those named, or all; one that this system cannot run is left out of all, and said."""
    from misc_lab.bench.rivals import absent_rivals
    from misc_lab.bench.run import CODECS

    if text is not None:
        return split(text)
    absent = absent_rivals()
    for sentence in absent.values():
        typer.echo(f"misc-bench: {sentence}", err=True)
    return tuple(name for name in CODECS if name not in absent)
