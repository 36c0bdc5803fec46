"""`misc-bench ablate` and `misc-bench seeds`: what diffusion does."""

from pathlib import Path
from typing import Annotated

import typer

from misc_lab.bench.options import (
    RESULTS,
    Bpp,
    Count,
    Folder,
    Pack,
    Perceptual,
    Workers,
    as_names,
    as_numbers,
)
from misc_shared.exit_codes import exit_on_error

__all__ = ["ablate", "seeds"]

_Out = Annotated[Path, typer.Option(help="Folder for the results.")]
_Gpu = Annotated[bool, typer.Option("--gpu", help="Refine on a CUDA device.")]


def ablate(
    folder: Folder,
    out: _Out = RESULTS,
    bpp: Bpp = 0.024,
    steps: Annotated[
        str, typer.Option(help="Diffusion steps with commas between; 0 is without.")
    ] = "0,1,2,4,8",
    perceptual: Perceptual = None,
    semantics: Annotated[str, typer.Option(help="Who says what there is: nano or file.")] = "nano",
    count: Count = None,
    pack: Pack = "nano",
    gpu: _Gpu = False,
    workers: Workers = 2,
) -> None:
    """Which content buys what at equal total bytes: latents, words, maps, diffusion steps."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.ablate import AblateSettings, run_ablation
        from misc_lab.bench.printing import watch
        from misc_lab.bench.printing_refiner import show_ablation

        settings = AblateSettings(
            folder=folder,
            out=out,
            bpp=bpp,
            steps=as_numbers(steps, int, what="Steps", example="0,1,2"),
            perceptual=as_names(perceptual),
            semantics=semantics,
            count=count,
            pack=pack,
            device="cuda" if gpu else "cpu",
            workers=workers,
        )
        with watch("pictures") as on_picture:
            means = run_ablation(settings, on_picture=on_picture)
        show_ablation(means, out=out)


def seeds(
    folder: Folder,
    out: _Out = RESULTS,
    count: Annotated[int, typer.Option(help="Pictures, the folder's first.")] = 5,
    number: Annotated[int, typer.Option("--seeds", help="Seeds on each picture.")] = 20,
    steps: Annotated[int, typer.Option(help="Diffusion steps.")] = 2,
    bpp: Bpp = 0.024,
    pack: Pack = "nano",
    gpu: _Gpu = False,
) -> None:
    """Does another seed change detail and not content? Agreement with what was received."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.printing import watch
        from misc_lab.bench.printing_refiner import show_seeds
        from misc_lab.bench.seeds import SeedSettings, run_seeds

        settings = SeedSettings(
            folder=folder,
            out=out,
            count=count,
            seeds=number,
            steps=steps,
            bpp=bpp,
            pack=pack,
            device="cuda" if gpu else "cpu",
        )
        with watch("pictures") as on_picture:
            found = run_seeds(settings, on_picture=on_picture)
        show_seeds(found, out=out)
