"""The command line of the demonstration."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("demo"),
    link: Annotated[str, typer.Option(help="Profile of the simulated link.")] = "nb-iot",
    max_bytes: Annotated[
        int | None,
        typer.Option("--bytes", help="Bytes per picture on the wire; by default 0.024 bpp."),
    ] = None,
    photographs: Annotated[
        str, typer.Option(help="Names of scikit-image's photographs, with commas between.")
    ] = "astronaut,chelsea,coffee,rocket",
    semantics: Annotated[
        str, typer.Option(help="Who says what is in the picture: nano or none.")
    ] = "nano",
    refine: Annotated[bool, typer.Option(help="Refine at the receiver.")] = True,
) -> None:
    """Send photographs over a simulated narrow link and lay out what arrived when."""
    with exit_on_error("misc_lab.demo"):
        from misc_lab.demo.show import DemoSettings, run_demo
        from misc_lab.links import find_profile

        run_demo(
            DemoSettings(
                out=out,
                profile=find_profile(link),
                max_bytes=max_bytes,
                photographs=tuple(name.strip() for name in photographs.split(",")),
                semantics=semantics,
                refine=refine,
            )
        )
