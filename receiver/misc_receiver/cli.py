"""`misc-recv --from URL`."""

import typer

from misc_receiver.options import ReceiveSettings
from misc_shared.settings import settings_command

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@settings_command(app, ReceiveSettings, program="misc-recv", variables="MISC_RECV")
def receive(settings: ReceiveSettings) -> None:
    """Receive pictures, show them coarse at once and refined soon after."""
    from misc_receiver.commands import ReceiveCommand

    ReceiveCommand(settings).run()
