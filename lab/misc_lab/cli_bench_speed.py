"""`misc-bench speed`: time and memory, ours beside the usual ones."""

import re
from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["speed"]

_SIZES = "256x192,512x384,1024x768,2048x1536,4096x3072"


def speed(
    out: Annotated[Path, typer.Option(help="Folder for speed.json and speed.png.")] = Path(
        "bench-results"
    ),
    sizes: Annotated[str, typer.Option(help="Sizes, with commas between.")] = _SIZES,
    codecs: Annotated[
        str, typer.Option(help="Codecs, with commas between.")
    ] = "misc,avif,webp,jpeg",
    runs: Annotated[int, typer.Option(help="Runs, of which the median is taken.")] = 20,
    bpp: Annotated[float, typer.Option(help="Budget of every codec in bits per pixel.")] = 0.024,
    picture: Annotated[
        str, typer.Option(help="A file or sample:NAME, stretched to each size.")
    ] = "sample:astronaut",
    pack: Annotated[str, typer.Option(help="Model pack of our codec.")] = "nano",
    threads: Annotated[int, typer.Option(help="Cores for our networks; 0 takes all.")] = 0,
) -> None:
    """Encoding and decoding: median time and peak memory by size, each in its own process."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.printing import show_speeds, watch
        from misc_lab.bench.speed import SpeedSettings, run_speed

        settings = SpeedSettings(
            out=out,
            sizes=_parse_sizes(sizes),
            codecs=tuple(part.strip() for part in codecs.split(",") if part.strip()),
            runs=runs,
            bpp=bpp,
            picture=picture,
            pack=pack,
            threads=threads,
        )
        with watch("timings") as on_stage:
            speeds = run_speed(settings, on_stage=on_stage)
        show_speeds(speeds, out=out)


def _parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    from misc_shared.errors import ConfigError

    found = [re.fullmatch(r"\s*(\d+)x(\d+)\s*", part) for part in text.split(",")]
    sizes = tuple((int(one[1]), int(one[2])) for one in found if one is not None)
    if len(sizes) < len(found):
        raise ConfigError(f"Sizes look like 512x384, with commas between; got {text!r}.")
    return sizes
