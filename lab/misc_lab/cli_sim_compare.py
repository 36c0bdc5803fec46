"""`misc-sim compare SOURCE...`."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["compare"]

_SAMPLES = ["sample:astronaut", "sample:chelsea", "sample:coffee", "sample:rocket"]


def compare(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="As for misc-send: pictures, folders, sample:NAME ...; by default, four samples.",
            show_default=False,
        ),
    ] = None,
    links: Annotated[
        str | None, typer.Option(help="Profiles, with commas between; all by default.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for compare.html, compare.json, compare.md, compare.svg.")
    ] = Path("compare"),
    seed: Annotated[int, typer.Option(help="Of losses, jitter and epochs.")] = 0,
    max_bytes: Annotated[
        int | None,
        typer.Option("--bytes", help="Bytes of each of our pictures on the wire; else 0.024 bpp."),
    ] = None,
    quality: Annotated[
        float, typer.Option(help="The stated quality, an MS-SSIM, until which time is taken.")
    ] = 0.7,
    semantics: Annotated[
        str, typer.Option(help="Who says what is in the pictures, as for misc-send.")
    ] = "nano",
    refine: Annotated[bool, typer.Option(help="Refine at our receiver.")] = True,
    computing: Annotated[
        bool, typer.Option(help="Count stated times for coding, decoding and refining.")
    ] = True,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer settings of the other codecs: for a first look.")
    ] = False,
    pack: Annotated[str, typer.Option(help="Model pack: nano, or a folder.")] = "nano",
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
) -> None:
    """The same pictures over every link, MISC beside AVIF, WebP and JPEG: a page and its tables."""
    with exit_on_error("misc-sim"):
        from misc_lab.compare.run import run_comparison
        from misc_lab.compare.settings import CompareSettings
        from misc_lab.compare.writing import write_comparison
        from misc_lab.links import PROFILES, find_profile

        names = list(PROFILES) if links is None else [name.strip() for name in links.split(",")]
        settings = CompareSettings(
            sources=tuple(sources or _SAMPLES),
            profiles=tuple(find_profile(name) for name in dict.fromkeys(names)),
            out=out,
            seed=seed,
            max_bytes=max_bytes,
            quality=quality,
            semantics=semantics,
            refine=refine,
            computing=computing,
            quick=quick,
            pack=pack,
            workers=workers,
        )
        write_comparison(settings, run_comparison(settings, on_picture=_tell))
        typer.echo(f"The page: {out / 'compare.html'}", err=True)


def _tell(done: int, total: int) -> None:
    typer.echo(f"{done} of {total} pictures compared", err=True)
