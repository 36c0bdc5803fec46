"""`misc-sim SOURCE --link PROFILE`."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def simulate(
    source: Annotated[
        str, typer.Argument(help="As for misc-send: a picture, a folder, sample:NAME, pattern ...")
    ],
    link: Annotated[
        str, typer.Option(help="Profile of the link, such as nb-iot; a wrong one lists them all.")
    ],
    max_bytes: Annotated[
        int | None,
        typer.Option("--bytes", help="Bytes per picture on the wire; by default 0.024 bpp."),
    ] = None,
    fps: Annotated[float, typer.Option(help="Pictures per second.")] = 0.1,
    count: Annotated[int, typer.Option(help="Number of pictures.")] = 1,
    seed: Annotated[int, typer.Option(help="Of losses, jitter and the epoch.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for pictures and sim.json.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON in place of tables.")
    ] = False,
    semantics: Annotated[
        str, typer.Option(help="Who says what is in the picture: nano, file or none.")
    ] = "nano",
    refine: Annotated[bool, typer.Option(help="Refine at the receiver.")] = True,
    steps: Annotated[int, typer.Option(help="Steps of the refiner.")] = 2,
    measured: Annotated[
        bool,
        typer.Option("--measured", help="Count the time that computing takes on this machine."),
    ] = False,
    overhead: Annotated[
        bool, typer.Option("--overhead", help="Charge the transport's own bytes to the link.")
    ] = False,
    trace: Annotated[
        Path | None, typer.Option(help="A mahimahi trace in place of the link's rate.")
    ] = None,
    deadline: Annotated[
        float, typer.Option(help="Seconds after which a picture is given up.")
    ] = 3600.0,
    pack: Annotated[str, typer.Option(help="Model pack: nano, or a folder.")] = "nano",
) -> None:
    """Send pictures over a simulated link, in virtual time: the same seed, the same result."""
    with exit_on_error("misc-sim"):
        import json

        from misc_lab.links import find_profile
        from misc_lab.simulation.printing import show_report
        from misc_lab.simulation.run import simulate as run
        from misc_lab.simulation.settings import Settings

        settings = Settings(
            source=source,
            profile=find_profile(link),
            trace=trace,
            max_bytes=max_bytes,
            fps=fps,
            count=count,
            seed=seed,
            semantics=semantics,
            pack=pack,
            refine=refine,
            steps=steps,
            measured=measured,
            charge_overhead=overhead,
            deadline=deadline,
            out=out,
        )
        report = run(settings).report
        if as_json:
            typer.echo(json.dumps(report, indent=1))
        else:
            show_report(report)
