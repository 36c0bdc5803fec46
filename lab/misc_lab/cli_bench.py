"""`misc-bench`: measure the codec beside the usual ones."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["app"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_DEFAULT_BUDGETS = "0.012,0.024,0.048,0.096"


@app.callback()
def main() -> None:
    """Measure MISC: every byte counted, decoded in another process from the bytes alone."""


@app.command()
def rd(
    folder: Annotated[Path, typer.Argument(help="Folder of pictures; all of them are used.")],
    out: Annotated[Path, typer.Option(help="Folder for rd.json, rd.csv and rd.png.")] = Path(
        "bench-results"
    ),
    perceptual: Annotated[
        str | None,
        typer.Option(
            help="lpips, dists, or a Python file with SqueezeNet, feature_distance and "
            "texture_distance."
        ),
    ] = None,
    codecs: Annotated[
        str | None, typer.Option(help="Codecs, with commas between; all by default.")
    ] = None,
    bpp: Annotated[
        str, typer.Option(help="Budgets in bits per pixel, with commas between.")
    ] = _DEFAULT_BUDGETS,
    pack: Annotated[str, typer.Option(help="Model pack of our codec.")] = "nano",
    semantics: Annotated[
        str, typer.Option(help="Semantics in our pictures' bytes: nano, file or none.")
    ] = "nano",
    refine: Annotated[bool, typer.Option(help="Refine our pictures as well.")] = True,
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 2,
) -> None:
    """Rate against quality: ours, JPEG, WebP, AVIF, JPEG XL and JPEG 2000 within equal bytes."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.printing import show_points, watch
        from misc_lab.bench.run import CODECS, RateSettings, run_rates

        settings = RateSettings(
            folder=folder,
            out=out,
            codecs=CODECS if codecs is None else _split(codecs),
            budgets=_numbers(bpp),
            perceptual=perceptual,
            refine=refine,
            pack=pack,
            semantics=semantics,
            workers=workers,
        )
        with watch("pictures") as on_picture:
            points = run_rates(settings, on_picture=on_picture)
        show_points(points, out=out)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> tuple[float, ...]:
    from misc_shared.errors import ConfigError

    try:
        return tuple(float(part) for part in _split(text))
    except ValueError as error:
        raise ConfigError(
            f"Budgets are numbers with commas between, such as 0.012,0.024; got {text!r}."
        ) from error
