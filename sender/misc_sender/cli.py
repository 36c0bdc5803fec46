"""`misc-send SOURCE --to URL`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from misc_sender.options import SendSettings
from misc_shared.exit_codes import exit_on_error
from misc_shared.settings import settings_command

__all__ = ["app", "keygen_app", "main"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
keygen_app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@settings_command(app, SendSettings, program="misc-send", variables="MISC_SEND")
def send(settings: SendSettings) -> None:
    """Send pictures over a narrow link; `misc-send keygen FILE` makes a key to seal them with."""
    from misc_sender.commands import SendCommand

    SendCommand(settings).run()


@keygen_app.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="The new key file, such as garden.key.")],
    stream: Annotated[
        str | None, typer.Option(help="The stream that it is for, to write before the key.")
    ] = None,
) -> None:
    """Make a key, which only this user can read; copy it to the other end by a safe way."""
    with exit_on_error("misc-send"):
        from misc_shared.security import write_key
        from misc_shared.stream_names import check_stream_name

        if stream is not None:
            check_stream_name(stream)
        key = write_key(file, stream=stream)
        typer.echo(f"{file}: a new key, fingerprint {key.fingerprint}")


def main() -> None:
    """Make a key if the first word says so; else send."""
    if sys.argv[1:2] == ["keygen"]:
        keygen_app(sys.argv[2:], prog_name="misc-send keygen")
    else:
        app()
