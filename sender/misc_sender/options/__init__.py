"""Everything that can be set for `misc-send`; a new group is a file here and a line below.

Nothing here imports more than typer at its top: `--help` answers at once.
"""

from dataclasses import dataclass

from misc_sender.options.budget import BudgetSettings
from misc_sender.options.link import LinkSettings
from misc_sender.options.models import ModelSettings
from misc_sender.options.semantics import SemanticsSettings
from misc_sender.options.source import SourceSettings

__all__ = [
    "BudgetSettings",
    "LinkSettings",
    "ModelSettings",
    "SemanticsSettings",
    "SendSettings",
    "SourceSettings",
]


@dataclass(frozen=True, kw_only=True)
class SendSettings:
    """All groups, in the order of `--help`."""

    source: SourceSettings
    link: LinkSettings
    budget: BudgetSettings
    semantics: SemanticsSettings
    models: ModelSettings
