"""`misc-sim SOURCE --link PROFILE`, and `misc-sim compare`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from misc_lab.cli_sim_compare import compare
from misc_shared.exit_codes import exit_on_error
from misc_shared.version_option import VersionFlag

__all__ = ["app"]

_DEFAULT = "stream"


class _StreamByDefault(TyperGroup):
    """A first word that names no command is the source of a stream."""

    # The type of `ctx` is private to typer.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        if args and args[0] not in {*self.commands, "--help", "--version"}:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_StreamByDefault,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(compare)


@app.callback()
def main(*, version: VersionFlag = False) -> None:
    """Pictures over simulated links: misc-sim SOURCE --link PROFILE, or misc-sim compare."""


_Source = Annotated[
    str, typer.Argument(help="As for misc-send: a picture, a folder, sample:NAME, pattern ...")
]
_Link = Annotated[
    str, typer.Option(help="The link's profile, such as nb-iot; a wrong one lists them all.")
]
_MaxBytes = Annotated[
    int | None, typer.Option("--bytes", help="Bytes per picture on the wire; else 0.024 bpp.")
]
_Fps = Annotated[float, typer.Option(help="Pictures per second.")]
_Count = Annotated[int, typer.Option(help="Number of pictures.")]
_Seed = Annotated[int, typer.Option(help="Of losses, jitter and the epoch.")]
_Out = Annotated[Path | None, typer.Option(help="Folder for pictures and sim.json.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON, not as tables.")]
_Semantics = Annotated[
    str, typer.Option(help="Who says what is in the picture, as for misc-send: nano, file or none.")
]
_Refine = Annotated[bool, typer.Option(help="Refine at the receiver.")]
_Measured = Annotated[
    bool, typer.Option("--measured", help="Count the time that computing takes on this machine.")
]
_Overhead = Annotated[
    bool, typer.Option("--overhead", help="Charge the transport's own bytes to the link.")
]
_Trace = Annotated[
    Path | None, typer.Option(help="A mahimahi trace in place of the up-link's rate.")
]
_Deadline = Annotated[float, typer.Option(help="Seconds after which a picture is given up.")]
_KeyEvery = Annotated[
    int | None,
    typer.Option(min=1, help="Let every Nth picture stand alone, 1 for all; else as needed."),
]
_Adapt = Annotated[
    bool, typer.Option("--adapt", help="Let pictures become smaller and fewer with the link.")
]
_Pack = Annotated[str, typer.Option(help="Model pack: nano, or a folder.")]


@app.command(_DEFAULT)
def simulate(
    source: _Source,
    link: _Link,
    max_bytes: _MaxBytes = None,
    fps: _Fps = 0.1,
    count: _Count = 1,
    seed: _Seed = 0,
    out: _Out = None,
    as_json: _Json = False,
    semantics: _Semantics = "nano",
    refine: _Refine = True,
    measured: _Measured = False,
    overhead: _Overhead = False,
    trace: _Trace = None,
    deadline: _Deadline = 3600.0,
    key_every: _KeyEvery = None,
    adapt: _Adapt = False,
    pack: _Pack = "nano",
) -> None:
    """Send pictures over a simulated link, in virtual time: the same seed, the same result."""
    with exit_on_error("misc-sim"):
        from misc_lab.links import find_profile
        from misc_lab.simulation.printing import show_json, show_report
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
            measured=measured,
            charge_overhead=overhead,
            deadline=deadline,
            key_every=key_every,
            adapt=adapt,
            out=out,
        )
        show = show_json if as_json else show_report
        show(run(settings).report)
