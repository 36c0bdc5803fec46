"""Opens the listener that a `--from` URL names: for one stream, or for all that come."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from misc_shared.errors import ConfigError
from misc_shared.transports.address import MqttAddress, WebrtcAddress, parse_address
from misc_shared.transports.base import Listener
from misc_shared.transports.opening import check_webrtc, open_receiver
from misc_shared.transports.single import SingleListener
from misc_shared.transports.webrtc.options import DEFAULT_WEBRTC, WebrtcOptions

__all__ = ["DEFAULT_STREAMS", "expects_many", "open_listener"]

DEFAULT_STREAMS = 64
"""Streams at a time, unless told otherwise."""

_ALL = "/+"


def expects_many(url: str, *, stream: str | None = None) -> bool:
    """Whether a `--from` URL names no single stream, so that streams come and go.

    Raises:
        ConfigError: the URL is of no known kind, incomplete, or contradicts `stream`.
    """
    if _wildcard(url, stream=stream) is not None:
        return True
    address = parse_address(url, stream=stream)
    return isinstance(address, WebrtcAddress) and address.stream is None


async def open_listener(
    url: str,
    *,
    stream: str | None = None,
    ca_file: Path | None = None,
    webrtc: WebrtcOptions = DEFAULT_WEBRTC,
    limit: int = DEFAULT_STREAMS,
    admits: Callable[[str], bool] | None = None,
    archives: bool = False,
) -> Listener:
    """Open the receiving end of one stream or of many.

    Args:
        url: as for `open_receiver`; mqtt://host/prefix/+ is every stream below the prefix, and
            webrtc+http://host every one that is offered.
        stream: the stream's name, where the URL does not say it; for a recording, another name.
        ca_file: certificates to trust in place of the system's, for mqtts.
        webrtc: how WebRTC connections are made.
        limit: the most streams at a time.
        admits: whether a stream of this name is wanted at all; None for all.
        archives: whether every stream means every archive too.

    Raises:
        ConfigError: the URL, the name or the limit makes no sense.
        TransportError: the broker does not answer or refuses us, or the file is no recording.
    """
    if limit < 1:
        raise ConfigError(f"{limit} streams at a time: give at least 1")
    everything = _wildcard(url, stream=stream)
    if everything is not None:
        from misc_shared.transports.mqtt_listener import MqttListener

        return await MqttListener.connect(
            everything, limit=limit, admits=admits, archives=archives, ca_file=ca_file
        )
    address = parse_address(url, stream=stream)
    if isinstance(address, WebrtcAddress) and address.stream is None:
        check_webrtc()
        from misc_shared.transports.webrtc.listener import WebrtcListener

        return await WebrtcListener.open(
            address, options=dataclasses.replace(webrtc, sessions=limit)
        )
    return SingleListener(await open_receiver(url, stream=stream, ca_file=ca_file, webrtc=webrtc))


def _wildcard(url: str, *, stream: str | None) -> MqttAddress | None:
    """The address of all streams below a prefix; None if the URL names another thing."""
    scheme = url.partition(":")[0]
    if scheme not in {"mqtt", "mqtts"} or not url.endswith(_ALL):
        return None
    if stream is not None:
        raise ConfigError(f"the URL means all streams and --stream says {stream!r}: drop one")
    # Any name takes the place of the wildcard while the rest is read and checked.
    address = parse_address(f"{url.removesuffix(_ALL)}/any")
    if not isinstance(address, MqttAddress):
        raise ConfigError(f"{url!r} is no place of many streams")
    return dataclasses.replace(address, stream="+")
