"""`misc-bench ablate` and `misc-bench seeds`: what diffusion does."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["ablate", "seeds"]

_Folder = Annotated[Path, typer.Argument(help="Folder of pictures.")]
_Out = Annotated[Path, typer.Option(help="Folder for the results.")]
_Bpp = Annotated[float, typer.Option(help="Budget of every stream in bits per pixel.")]
_Pack = Annotated[str, typer.Option(help="Model pack: nano, or a folder.")]
_Gpu = Annotated[bool, typer.Option("--gpu", help="Refine on a CUDA device.")]


def ablate(
    folder: _Folder,
    out: _Out = Path("bench-results"),
    bpp: _Bpp = 0.024,
    steps: Annotated[
        str, typer.Option(help="Diffusion steps with commas between; 0 is without.")
    ] = "0,1,2,4,8",
    perceptual: Annotated[
        list[str] | None, typer.Option(help="As for rd: repeated or with commas between.")
    ] = None,
    semantics: Annotated[str, typer.Option(help="Who says what there is: nano or file.")] = "nano",
    count: Annotated[int | None, typer.Option(help="Only this many pictures.")] = None,
    pack: _Pack = "nano",
    gpu: _Gpu = False,
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 2,
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
            steps=_whole_numbers(steps),
            perceptual=tuple(one for text in perceptual or () for one in _split(text)),
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
    folder: _Folder,
    out: _Out = Path("bench-results"),
    count: Annotated[int, typer.Option(help="Pictures, the folder's first.")] = 5,
    number: Annotated[int, typer.Option("--seeds", help="Seeds on each picture.")] = 20,
    steps: Annotated[int, typer.Option(help="Diffusion steps.")] = 2,
    bpp: _Bpp = 0.024,
    pack: _Pack = "nano",
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


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole_numbers(text: str) -> tuple[int, ...]:
    from misc_shared.errors import ConfigError

    try:
        return tuple(int(part) for part in _split(text))
    except ValueError as error:
        raise ConfigError(f"Give whole numbers with commas between; got {text!r}.") from error
