"""`misc-send SOURCE --to URL`."""

import typer

from misc_sender.options import SendSettings
from misc_shared.settings import settings_command

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@settings_command(app, SendSettings, program="misc-send", variables="MISC_SEND")
def send(settings: SendSettings) -> None:
    """Send pictures over a narrow link."""
    from misc_sender.commands import SendCommand

    SendCommand(settings).run()
