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
        str, typer.Option(help="Codecs, with commas between; none for the refiner alone.")
    ] = "misc,avif,webp,jpeg",
    runs: Annotated[int, typer.Option(help="Runs, of which the median is taken.")] = 20,
    bpp: Annotated[float, typer.Option(help="Budget of every codec in bits per pixel.")] = 0.024,
    picture: Annotated[
        str, typer.Option(help="A file or sample:NAME, stretched to each size.")
    ] = "sample:astronaut",
    pack: Annotated[str, typer.Option(help="Model pack of our codec.")] = "nano",
    threads: Annotated[int, typer.Option(help="Cores for our networks; 0 takes all.")] = 0,
    refiner: Annotated[
        bool, typer.Option(help="Time refinement too, on the CPU and on a GPU if there is one.")
    ] = True,
    refiner_sizes: Annotated[str, typer.Option(help="Sizes, with commas between.")] = "512x384",
    batches: Annotated[
        str, typer.Option(help="Pictures refined together, with commas between.")
    ] = "1,2,4,8,16",
    steps: Annotated[int, typer.Option(help="Diffusion steps.")] = 2,
) -> None:
    """Encoding, decoding and refining: median time and peak memory, each in its own process."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.printing import show_speeds, watch
        from misc_lab.bench.printing_refiner import show_refiner_speeds
        from misc_lab.bench.refiner_speed import RefinerSpeedSettings, run_refiner_speed
        from misc_lab.bench.speed import SpeedSettings, run_speed

        names = tuple(part.strip() for part in codecs.split(",") if part.strip())
        refining = RefinerSpeedSettings(
            out=out,
            picture=picture,
            sizes=_parse_sizes(refiner_sizes),
            batches=_parse_numbers(batches),
            steps=steps,
            runs=runs,
            pack=pack,
            threads=threads,
        )
        if names != ("none",):
            settings = SpeedSettings(
                out=out,
                sizes=_parse_sizes(sizes),
                codecs=names,
                runs=runs,
                bpp=bpp,
                picture=picture,
                pack=pack,
                threads=threads,
            )
            with watch("timings") as on_stage:
                speeds = run_speed(settings, on_stage=on_stage)
            show_speeds(speeds, out=out)
        if refiner:
            with watch("batches") as on_stage:
                show_refiner_speeds(run_refiner_speed(refining, on_stage=on_stage), out=out)


def _parse_numbers(text: str) -> tuple[int, ...]:
    from misc_shared.errors import ConfigError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"Give whole numbers with commas between; got {text!r}.") from error


def _parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    from misc_shared.errors import ConfigError

    found = [re.fullmatch(r"\s*(\d+)x(\d+)\s*", part) for part in text.split(",")]
    sizes = tuple((int(one[1]), int(one[2])) for one in found if one is not None)
    if len(sizes) < len(found):
        raise ConfigError(f"Sizes look like 512x384, with commas between; got {text!r}.")
    return sizes
