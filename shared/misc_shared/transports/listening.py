"""Opens the listener that a `--from` URL names: for one stream, or for all that come."""

from __future__ import annotations

from pathlib import Path

from misc_shared.transports.address import parse_address
from misc_shared.transports.base import Listener
from misc_shared.transports.opening import open_receiver
from misc_shared.transports.single import SingleListener

__all__ = ["expects_many", "open_listener"]


def expects_many(url: str, *, stream: str | None = None) -> bool:
    """Whether a `--from` URL names no single stream, so that streams come and go.

    Raises:
        ConfigError: the URL is of no known kind, incomplete, or contradicts `stream`.
    """
    parse_address(url, stream=stream)
    return False


async def open_listener(
    url: str, *, stream: str | None = None, ca_file: Path | None = None
) -> Listener:
    """Open the receiving end of one stream or of many.

    Args:
        url: as for `open_receiver`.
        stream: the stream's name, where the URL does not say it; for a recording, another name.
        ca_file: certificates to trust in place of the system's, for mqtts.

    Raises:
        ConfigError: the URL or the name makes no sense.
        TransportError: the broker does not answer or refuses us, or the file is no recording.
    """
    return SingleListener(await open_receiver(url, stream=stream, ca_file=ca_file))
