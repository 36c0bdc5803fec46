"""Where a stream goes: the URLs of `--to` and `--from`, parsed and checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from misc_shared.errors import ConfigError
from misc_shared.stream_names import STREAM_NAME_PATTERN, archive_of, check_stream_name

__all__ = [
    "DEFAULT_STREAM",
    "STREAM_NAME_PATTERN",
    "Address",
    "FileAddress",
    "MqttAddress",
    "WebrtcAddress",
    "check_stream_name",
    "parse_address",
]

DEFAULT_STREAM = "camera"
_DEFAULT_PREFIX = "misc"
_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_WEBRTC_PORTS = {"webrtc+http": 8889, "webrtc+https": 8889}


@dataclass(frozen=True)
class MqttAddress:
    """A stream on an MQTT broker.

    Attributes:
        host: the broker's name or IP address.
        port: its TCP port.
        tls: whether to speak TLS (mqtts).
        prefix: the topic levels before the stream's name.
        stream: the stream's name.
        username: who we say we are, or None.
        password: the proof of it, or None; never shown.
    """

    host: str
    port: int
    tls: bool
    prefix: str
    stream: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def received_as(self) -> str:
        """What its receiver calls the stream: archives have the place of the same name."""
        return archive_of(self.stream) if self.prefix.endswith("/archive") else self.stream

    def topic(self, leaf: str) -> str:
        """The stream's topic for `leaf`: "data", "back" or "status"."""
        return f"{self.prefix}/{self.stream}/{leaf}"


@dataclass(frozen=True)
class FileAddress:
    """A recording on disk.

    Attributes:
        path: the recording.
        stream: the name to record, or None to keep the recording's own.
    """

    path: Path
    stream: str | None


@dataclass(frozen=True)
class WebrtcAddress:
    """Where WebRTC connections are agreed on: the receiver's HTTP server. RFC 9725 (WHIP).

    Attributes:
        host: the receiver's name or IP address; for the receiver, the one to listen on.
        port: its TCP port.
        tls: whether to speak TLS (webrtc+https).
        stream: the stream's name, or None where neither the URL nor `--stream` says it.
    """

    host: str
    port: int
    tls: bool
    stream: str | None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def endpoint(self, stream: str) -> str:
        """The URL that takes a stream's offers."""
        return f"{self.origin}/whip/{stream}"


Address = MqttAddress | FileAddress | WebrtcAddress


def parse_address(url: str, *, stream: str | None = None) -> Address:
    """Read a `--to` or `--from` URL.

    Args:
        url: mqtt://[user:password@]host[:port][/prefix/stream], mqtts://...,
            webrtc+http://host[:port][/whip/stream], webrtc+https://..., or file:PATH.
        stream: the stream's name; it overrides none but the default.

    Raises:
        ConfigError: the URL is of no known kind, incomplete, or contradicts `stream`.
    """
    if stream is not None:
        check_stream_name(stream)
    scheme, colon, rest = url.partition(":")
    if not colon:
        raise ConfigError(
            f"{url!r} is no URL: expected mqtt://HOST, mqtts://HOST, webrtc+http://HOST, "
            "webrtc+https://HOST or file:PATH.misc"
        )
    if scheme == "file":
        return _parse_file(rest, url=url, stream=stream)
    if scheme in _MQTT_PORTS:
        return _parse_mqtt(url, stream=stream)
    if scheme in _WEBRTC_PORTS:
        return _parse_webrtc(url, stream=stream)
    raise ConfigError(
        f"{scheme!r} is no transport of this version: expected mqtt://HOST, mqtts://HOST, "
        "webrtc+http://HOST, webrtc+https://HOST or file:PATH.misc"
    )


def _parse_file(rest: str, *, url: str, stream: str | None) -> FileAddress:
    # file:///tmp/x.misc and file:x.misc both name a path; file://host/x.misc names a machine.
    path = rest.removeprefix("//")
    if not path or (rest.startswith("//") and not path.startswith("/")):
        raise ConfigError(f"{url!r} names no file: expected file:PATH, such as file:photo.misc")
    return FileAddress(path=Path(path), stream=stream)


def _parse_mqtt(url: str, *, stream: str | None) -> MqttAddress:
    parts = _split(url, server="broker")
    prefix, name = _split_topic(parts.path, stream=stream)
    return MqttAddress(
        host=parts.hostname or "",  # _split refuses an empty one
        port=_port_of(parts),
        tls=parts.scheme == "mqtts",
        prefix=prefix,
        stream=name,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _parse_webrtc(url: str, *, stream: str | None) -> WebrtcAddress:
    parts = _split(url, server="receiver")
    if parts.username is not None:
        raise ConfigError(
            f"the {parts.scheme} URL has a user: a bearer token comes from --webrtc-token-file"
        )
    levels = [level for level in parts.path.split("/") if level]
    if levels and (len(levels) != 2 or levels[0] != "whip"):  # noqa: PLR2004 - /whip/STREAM
        raise ConfigError(f"the {parts.scheme} URL's path is {parts.path!r}: expected /whip/STREAM")
    name = levels[1] if levels else stream
    if name is not None:
        check_stream_name(name)
    _check_same(name, stream)
    return WebrtcAddress(
        host=parts.hostname or "",
        port=_port_of(parts),
        tls=parts.scheme == "webrtc+https",
        stream=name,
    )


def _split(url: str, *, server: str) -> SplitResult:
    scheme = url.partition(":")[0]
    try:
        parts = urlsplit(url)
    except ValueError as error:  # an IPv6 address without its bracket, for one
        raise ConfigError(f"the {scheme} URL cannot be read: {error}") from None
    if not parts.hostname:
        raise ConfigError(f"the {scheme} URL names no {server}: expected {scheme}://HOST")
    if parts.query or parts.fragment:
        raise ConfigError(
            f"the {scheme} URL has a '?' or a '#': write %3F or %23 where a password has one"
        )
    return parts


def _check_same(name: str | None, stream: str | None) -> None:
    if stream is not None and stream != name:
        raise ConfigError(
            f"the URL names the stream {name!r} and --stream says {stream!r}: drop one of them"
        )


def _port_of(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise ConfigError(f"the {parts.scheme} URL's port is no number from 1 to 65535") from None
    return port if port is not None else (_MQTT_PORTS | _WEBRTC_PORTS)[parts.scheme]


def _split_topic(path: str, *, stream: str | None) -> tuple[str, str]:
    levels = [level for level in path.split("/") if level]
    if any(character in path for character in "+\0"):
        raise ConfigError(f"the topic {path.strip('/')!r} has a wildcard: name one stream")
    if not levels:
        return _DEFAULT_PREFIX, stream or DEFAULT_STREAM
    name = levels[-1]
    check_stream_name(name)
    _check_same(name, stream)
    return "/".join(levels[:-1]) or _DEFAULT_PREFIX, name
