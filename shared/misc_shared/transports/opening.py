"""Opens the transport that a URL names; each kind is imported only when it is used."""

from __future__ import annotations

from pathlib import Path

from misc_shared.errors import ConfigError
from misc_shared.transports.address import DEFAULT_STREAM, FileAddress, parse_address
from misc_shared.transports.base import DEFAULT_MTU, Transport
from misc_shared.wire import MAX_DATAGRAM, MIN_MTU

__all__ = ["open_receiver", "open_sender"]


async def open_sender(
    url: str,
    *,
    stream: str | None = None,
    mtu: int = DEFAULT_MTU,
    expiry: float | None = None,
    ca_file: Path | None = None,
) -> Transport:
    """Open the sending end of a stream.

    Args:
        url: mqtt://[user:password@]host[:port][/prefix/stream], mqtts://... or file:PATH.
        stream: the stream's name, where the URL does not say it.
        mtu: bytes of the largest datagram, 48 to 65535.
        expiry: seconds after which a broker may drop a datagram, or None.
        ca_file: certificates to trust in place of the system's, for mqtts.

    Raises:
        ConfigError: the URL, the name or the MTU makes no sense.
        TransportError: the broker does not answer or refuses us, or the file cannot be written.
    """
    if not MIN_MTU <= mtu <= MAX_DATAGRAM:
        raise ConfigError(f"an MTU of {mtu} bytes is not within {MIN_MTU} to {MAX_DATAGRAM}")
    address = parse_address(url, stream=stream)
    if isinstance(address, FileAddress):
        from misc_shared.transports.file import RecordingSender

        return RecordingSender(address.path, stream=address.stream or DEFAULT_STREAM, mtu=mtu)
    from misc_shared.transports.mqtt import MqttTransport

    return await MqttTransport.connect(
        address, sending=True, mtu=mtu, expiry=expiry, ca_file=ca_file
    )


async def open_receiver(
    url: str, *, stream: str | None = None, ca_file: Path | None = None
) -> Transport:
    """Open the receiving end of a stream.

    Args:
        url: as for `open_sender`.
        stream: the stream's name, where the URL does not say it; for a recording, another name.
        ca_file: certificates to trust in place of the system's, for mqtts.

    Raises:
        ConfigError: the URL or the name makes no sense.
        TransportError: the broker does not answer or refuses us, or the file is no recording.
    """
    address = parse_address(url, stream=stream)
    if isinstance(address, FileAddress):
        from misc_shared.transports.file import RecordingReceiver

        return RecordingReceiver(address.path, stream=address.stream)
    from misc_shared.transports.mqtt import MqttTransport

    return await MqttTransport.connect(address, sending=False, ca_file=ca_file)
