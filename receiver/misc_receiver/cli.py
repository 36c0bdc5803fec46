"""`misc-recv --from URL`."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def receive(
    origin: Annotated[
        str,
        typer.Option(
            "--from", help="mqtt://[USER:PASSWORD@]HOST[/misc/STREAM], mqtts://..., file:PATH."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Refine on a CUDA device.")] = False,
    no_refine: Annotated[
        bool, typer.Option("--no-refine", help="Coarse pictures only; needs no torch.")
    ] = False,
    refiner: Annotated[str, typer.Option(help="Who refines: nano or none.")] = "nano",
    steps: Annotated[int, typer.Option(help="Refinement steps; each gives a preview.")] = 2,
    fidelity: Annotated[
        float, typer.Option(help="0 shows the refined picture, 1 the coarse one.")
    ] = 0.0,
    once: Annotated[bool, typer.Option("--once", help="Stop after one frame.")] = False,
    count: Annotated[int | None, typer.Option(help="Stop after this many frames.")] = None,
    stream: Annotated[str | None, typer.Option(help="The stream's name.")] = None,
    pack: Annotated[str, typer.Option(help="Model pack: nano, or a folder.")] = "nano",
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust, for mqtts.")] = None,
) -> None:
    """Receive pictures, show them coarse at once and refined soon after."""
    with exit_on_error("misc-recv"):
        from misc_receiver.commands import ReceiveCommand
        from misc_receiver.refinery import RefinerySettings
        from misc_shared.errors import ConfigError

        if once and count is not None:
            raise ConfigError("--once and --count say the same in two ways: drop one of them")
        if gpu and no_refine:
            raise ConfigError("--gpu speeds up what --no-refine leaves out: drop one of them")
        settings = RefinerySettings(
            refiner=refiner, steps=steps, fidelity=fidelity, device="cuda" if gpu else "cpu"
        )
        ReceiveCommand(
            origin=origin,
            stream=stream,
            out=out,
            pack=pack,
            ca_file=ca_file,
            count=1 if once else count,
            refining=None if no_refine else settings,
        ).run()
