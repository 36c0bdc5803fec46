"""Everything that can be set for `misc-send`; a new group is a file here and a line below.

Nothing here imports more than typer at its top: `--help` answers at once.
"""

from dataclasses import dataclass

from misc_sender.options.adaptation import AdaptationSettings
from misc_sender.options.budget import BudgetSettings
from misc_sender.options.link import LinkSettings
from misc_sender.options.models import ModelSettings
from misc_sender.options.security import SecuritySettings
from misc_sender.options.semantics import SemanticsSettings
from misc_sender.options.source import SourceSettings
from misc_sender.options.webrtc import WebrtcSettings
from misc_shared.metrics import MetricsSettings

__all__ = [
    "AdaptationSettings",
    "BudgetSettings",
    "LinkSettings",
    "MetricsSettings",
    "ModelSettings",
    "SecuritySettings",
    "SemanticsSettings",
    "SendSettings",
    "SourceSettings",
    "WebrtcSettings",
]


@dataclass(frozen=True, kw_only=True)
class SendSettings:
    """All groups, in the order of `--help`."""

    source: SourceSettings
    link: LinkSettings
    security: SecuritySettings
    webrtc: WebrtcSettings
    budget: BudgetSettings
    adaptation: AdaptationSettings
    semantics: SemanticsSettings
    models: ModelSettings
    metrics: MetricsSettings
