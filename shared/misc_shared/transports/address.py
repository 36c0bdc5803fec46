"""Where a stream goes: the URLs of `--to` and `--from`, parsed and checked once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from misc_shared.errors import ConfigError

__all__ = [
    "DEFAULT_STREAM",
    "STREAM_NAME_PATTERN",
    "Address",
    "FileAddress",
    "MqttAddress",
    "check_stream_name",
    "parse_address",
]

DEFAULT_STREAM = "camera"
_DEFAULT_PREFIX = "misc"
_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}

STREAM_NAME_PATTERN = r"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\Z"
"""A stream's name becomes a topic level and part of file names: it must not break out of them."""


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


Address = MqttAddress | FileAddress


def parse_address(url: str, *, stream: str | None = None) -> Address:
    """Read a `--to` or `--from` URL.

    Args:
        url: mqtt://[user:password@]host[:port][/prefix/stream], mqtts://..., or file:PATH.
        stream: the stream's name; it overrides none but the default.

    Raises:
        ConfigError: the URL is of no known kind, incomplete, or contradicts `stream`.
    """
    if stream is not None:
        check_stream_name(stream)
    scheme, colon, rest = url.partition(":")
    if not colon:
        raise ConfigError(
            f"{url!r} is no URL: expected mqtt://HOST, mqtts://HOST or file:PATH.misc"
        )
    if scheme == "file":
        return _parse_file(rest, url=url, stream=stream)
    if scheme in _MQTT_PORTS:
        return _parse_mqtt(url, stream=stream)
    raise ConfigError(
        f"{scheme!r} is no transport of this version: expected mqtt://HOST, mqtts://HOST "
        "or file:PATH.misc"
    )


def check_stream_name(name: str) -> None:
    """Refuse a name that could not be a topic level and part of a file name.

    Raises:
        ConfigError: it has other characters than letters, digits, "-", "_" and ".", or over 64.
    """
    if not re.match(STREAM_NAME_PATTERN, name):
        raise ConfigError(
            f"{name!r} is no stream name: use 1 to 64 letters, digits, '-', '_' or '.', "
            "not starting with '.'"
        )


def _parse_file(rest: str, *, url: str, stream: str | None) -> FileAddress:
    # file:///tmp/x.misc and file:x.misc both name a path; file://host/x.misc names a machine.
    path = rest.removeprefix("//")
    if not path or (rest.startswith("//") and not path.startswith("/")):
        raise ConfigError(f"{url!r} names no file: expected file:PATH, such as file:photo.misc")
    return FileAddress(path=Path(path), stream=stream)


def _parse_mqtt(url: str, *, stream: str | None) -> MqttAddress:
    scheme = url.partition(":")[0]
    try:
        parts = urlsplit(url)
    except ValueError as error:  # an IPv6 address without its bracket, for one
        raise ConfigError(f"the {scheme} URL cannot be read: {error}") from None
    if not parts.hostname:
        raise ConfigError(f"the {scheme} URL names no broker: expected {scheme}://HOST")
    if parts.query or parts.fragment:
        raise ConfigError(
            f"the {scheme} URL has a '?' or a '#': write %3F or %23 where a password has one"
        )
    prefix, name = _split_topic(parts.path, stream=stream)
    return MqttAddress(
        host=parts.hostname,
        port=_port_of(parts),
        tls=parts.scheme == "mqtts",
        prefix=prefix,
        stream=name,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _port_of(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise ConfigError(f"the {parts.scheme} URL's port is no number from 1 to 65535") from None
    return port if port is not None else _MQTT_PORTS[parts.scheme]


def _split_topic(path: str, *, stream: str | None) -> tuple[str, str]:
    levels = [level for level in path.split("/") if level]
    if any(character in path for character in "+\0"):
        raise ConfigError(f"the topic {path.strip('/')!r} has a wildcard: name one stream")
    if not levels:
        return _DEFAULT_PREFIX, stream or DEFAULT_STREAM
    name = levels[-1]
    check_stream_name(name)
    if stream is not None and stream != name:
        raise ConfigError(
            f"the URL names the stream {name!r} and --stream says {stream!r}: drop one of them"
        )
    return "/".join(levels[:-1]) or _DEFAULT_PREFIX, name
