"""`misc-bench delta VIDEO`."""

from pathlib import Path
from typing import Annotated

import typer

from misc_lab.bench.options import RESULTS, Pack, as_numbers
from misc_shared.exit_codes import exit_on_error

__all__ = ["delta"]


def delta(
    video: Annotated[str, typer.Argument(help="A video, or any other source of misc-send.")],
    still: Annotated[
        str, typer.Option(help="A picture, seen again and again through a noisy sensor.")
    ] = "sample:astronaut",
    fps: Annotated[float, typer.Option(help="Pictures a second taken of the video.")] = 2.0,
    count: Annotated[int | None, typer.Option(help="Pictures taken at most.")] = None,
    qualities: Annotated[
        str, typer.Option(help="Qualities, 0 to 31, with commas between.")
    ] = "8,16,24",
    pack: Pack = "nano",
    out: Annotated[Path, typer.Option(help="Folder for delta.json and delta.png.")] = RESULTS,
) -> None:
    """What deltas save: in a still scene with sensor noise, and in a video."""
    with exit_on_error("misc-bench"):
        from misc_lab.bench.delta import DeltaSettings, run_deltas
        from misc_lab.bench.printing_delta import show_deltas

        settings = DeltaSettings(
            video=video,
            still=still,
            fps=fps,
            count=count,
            qualities=as_numbers(qualities, int, what="Qualities", example="8,16,24"),
            pack=pack,
            out=out,
        )
        show_deltas(*run_deltas(settings, on_step=lambda step: typer.echo(step, err=True)))
