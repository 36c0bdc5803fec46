"""Opens the transport that a URL names; each kind is imported only when it is used."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from misc_shared.errors import ConfigError, MissingExtraError
from misc_shared.transports.address import (
    DEFAULT_STREAM,
    FileAddress,
    WebrtcAddress,
    parse_address,
)
from misc_shared.transports.base import DEFAULT_MTU, Transport
from misc_shared.transports.recording_file import RecordingMode
from misc_shared.transports.webrtc.options import DEFAULT_WEBRTC, WebrtcOptions
from misc_shared.wire import MAX_DATAGRAM, MIN_MTU

__all__ = ["check_webrtc", "open_receiver", "open_sender"]


async def open_sender(
    url: str,
    *,
    stream: str | None = None,
    mtu: int = DEFAULT_MTU,
    expiry: float | None = None,
    ca_file: Path | None = None,
    webrtc: WebrtcOptions = DEFAULT_WEBRTC,
    recording: RecordingMode = RecordingMode.NEW,
    patient: bool = False,
) -> Transport:
    """Open the sending end of a stream.

    Args:
        url: mqtt://[user:password@]host[:port][/prefix/stream], mqtts://...,
            webrtc+http://host[:port][/whip/stream], webrtc+https://... or file:PATH.
        stream: the stream's name, where the URL does not say it.
        mtu: bytes of the largest datagram, 33 to 65535.
        expiry: seconds after which a broker may drop a datagram, or None.
        ca_file: certificates to trust in place of the system's, for mqtts and webrtc+https.
        webrtc: how WebRTC connections are made.
        recording: what may happen to a recording that is there already.
        patient: return before a broker has answered, and go on trying as after a lost connection.

    Raises:
        ConfigError: the URL, the name, the MTU or an option makes no sense, or a file is there.
        MissingExtraError: WebRTC is asked for and not installed.
        TransportError: the broker or receiver does not answer or refuses us, or the file cannot be
            written.
    """
    if not MIN_MTU <= mtu <= MAX_DATAGRAM:
        raise ConfigError(f"an MTU of {mtu} bytes is not within {MIN_MTU} to {MAX_DATAGRAM}")
    address = parse_address(url, stream=stream)
    if isinstance(address, FileAddress):
        from misc_shared.transports.file import RecordingSender

        return RecordingSender(address.path, stream=address.stream, mtu=mtu, mode=recording)
    if isinstance(address, WebrtcAddress):
        check_webrtc()
        from misc_shared.transports.webrtc.endpoint import MAX_MTU
        from misc_shared.transports.webrtc.sender import WebrtcSender

        if mtu > MAX_MTU:
            raise ConfigError(f"an MTU of {mtu} bytes is too much for WebRTC: at most {MAX_MTU}")
        name = address.stream or DEFAULT_STREAM
        return await WebrtcSender.connect(
            address, stream=name, options=webrtc, mtu=mtu, ca_file=ca_file
        )
    from misc_shared.transports.mqtt import MqttTransport

    return await MqttTransport.connect(
        address, sending=True, mtu=mtu, expiry=expiry, ca_file=ca_file, patient=patient
    )


async def open_receiver(
    url: str,
    *,
    stream: str | None = None,
    ca_file: Path | None = None,
    webrtc: WebrtcOptions = DEFAULT_WEBRTC,
) -> Transport:
    """Open the receiving end of a stream.

    Args:
        url: as for `open_sender`.
        stream: the stream's name, where the URL does not say it; for a recording, another name.
        ca_file: certificates to trust in place of the system's, for mqtts.
        webrtc: how WebRTC connections are made.

    Raises:
        ConfigError: the URL, the name or an option makes no sense.
        MissingExtraError: WebRTC is asked for and not installed.
        TransportError: the broker does not answer or refuses us, the file is no recording, or
            nobody can listen at the address.
    """
    address = parse_address(url, stream=stream)
    if isinstance(address, FileAddress):
        from misc_shared.transports.file import RecordingReceiver

        return RecordingReceiver(address.path, stream=address.stream)
    if isinstance(address, WebrtcAddress):
        check_webrtc()
        from misc_shared.transports.webrtc.listener import WebrtcListener

        listener = await WebrtcListener.open(address, options=webrtc)
        return listener.expect_only(address.stream or DEFAULT_STREAM)
    from misc_shared.transports.mqtt import MqttTransport

    return await MqttTransport.connect(address, sending=False, ca_file=ca_file)


def check_webrtc() -> None:
    """Refuse WebRTC where its packages are not installed.

    Raises:
        MissingExtraError: which.
    """
    for package in ("aiortc", "aiohttp"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError("WebRTC", package=package, extra="webrtc")
