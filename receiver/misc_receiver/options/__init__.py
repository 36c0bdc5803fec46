"""Everything that can be set for `misc-recv`; a new group is a file here and a line below.

Nothing here imports more than typer at its top: `--help` answers at once.
"""

from dataclasses import dataclass

from misc_receiver.options.link import LinkSettings
from misc_receiver.options.output import OutputSettings
from misc_receiver.options.refining import RefiningSettings
from misc_receiver.options.security import SecuritySettings
from misc_receiver.options.stable_diffusion import StableDiffusionSettings
from misc_receiver.options.streams import StreamsSettings
from misc_receiver.options.view import ViewSettings
from misc_receiver.options.webrtc import WebrtcSettings
from misc_shared.metrics import MetricsSettings

__all__ = [
    "LinkSettings",
    "MetricsSettings",
    "OutputSettings",
    "ReceiveSettings",
    "RefiningSettings",
    "SecuritySettings",
    "StableDiffusionSettings",
    "StreamsSettings",
    "ViewSettings",
    "WebrtcSettings",
]


@dataclass(frozen=True, kw_only=True)
class ReceiveSettings:
    """All groups, in the order of `--help`."""

    link: LinkSettings
    streams: StreamsSettings
    security: SecuritySettings
    webrtc: WebrtcSettings
    output: OutputSettings
    view: ViewSettings
    refining: RefiningSettings
    sd: StableDiffusionSettings
    metrics: MetricsSettings
