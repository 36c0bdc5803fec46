"""`misc-bench delta VIDEO`."""

from pathlib import Path
from typing import Annotated

import typer

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
    pack: Annotated[str, typer.Option(help="Model pack: nano, or a folder.")] = "nano",
    out: Annotated[Path, typer.Option(help="Folder for delta.json and delta.png.")] = Path(
        "bench-results"
    ),
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
            qualities=_numbers(qualities),
            pack=pack,
            out=out,
        )
        show_deltas(*run_deltas(settings, on_step=lambda step: typer.echo(step, err=True)))


def _numbers(text: str) -> tuple[int, ...]:
    from misc_shared.errors import ConfigError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"Qualities are whole numbers with commas between, such as 8,16,24; got {text!r}."
        ) from error
