"""Everything that can be set for `misc-recv`; a new group is a file here and a line below.

Nothing here imports more than typer at its top: `--help` answers at once.
"""

from dataclasses import dataclass

from misc_receiver.options.link import LinkSettings
from misc_receiver.options.output import OutputSettings
from misc_receiver.options.refining import RefiningSettings

__all__ = ["LinkSettings", "OutputSettings", "ReceiveSettings", "RefiningSettings"]


@dataclass(frozen=True, kw_only=True)
class ReceiveSettings:
    """All groups, in the order of `--help`."""

    link: LinkSettings
    output: OutputSettings
    refining: RefiningSettings
