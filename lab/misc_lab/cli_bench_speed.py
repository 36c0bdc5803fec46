"""`misc-bench speed`: time and memory, ours beside the usual ones."""

from pathlib import Path
from typing import Annotated

import typer

from misc_lab.bench.options import RESULTS, Bpp, Pack, as_numbers, as_sizes, split
from misc_shared.exit_codes import exit_on_error

__all__ = ["speed"]

_SIZES = "256x192,512x384,1024x768,2048x1536,4096x3072"


def speed(
    out: Annotated[Path, typer.Option(help="Folder for speed.json and speed.png.")] = RESULTS,
    sizes: Annotated[str, typer.Option(help="Sizes, with commas between.")] = _SIZES,
    codecs: Annotated[
        str, typer.Option(help="Codecs, with commas between; none for the refiner alone.")
    ] = "misc,avif,webp,jpeg",
    runs: Annotated[int, typer.Option(help="Runs, of which the median is taken.")] = 20,
    bpp: Bpp = 0.024,
    picture: Annotated[
        str, typer.Option(help="A file or sample:NAME, stretched to each size.")
    ] = "sample:astronaut",
    pack: Pack = "nano",
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

        names = split(codecs)
        refining = RefinerSpeedSettings(
            out=out,
            picture=picture,
            sizes=as_sizes(refiner_sizes),
            batches=as_numbers(batches, int, what="Batches", example="1,2,4"),
            steps=steps,
            runs=runs,
            pack=pack,
            threads=threads,
        )
        if names != ("none",):
            settings = SpeedSettings(
                out=out,
                sizes=as_sizes(sizes),
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
