"""Who may be heard, and how: streams by name, sealed or not."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from misc_shared.errors import ConfigError
from misc_shared.hosts import is_loopback
from misc_shared.stream_names import camera_of
from misc_shared.transports.base import Listener, Transport

if TYPE_CHECKING:
    from misc_shared.security import KeyRing, StreamKey

__all__ = ["ReceiverGuard", "choose_key", "guard_sender"]

_log = logging.getLogger(__name__)

_NAMES_TOLD = 100


def choose_key(keys: KeyRing | None, *, stream: str, mtu: int) -> StreamKey | None:
    """The key that a stream is sealed with, told before anything is opened; None for none.

    Args:
        keys: those that `--key` names, or None.
        stream: the stream's name.
        mtu: bytes of the largest sealed datagram.

    Raises:
        ConfigError: none of them is this stream's, or the MTU leaves no room for a seal.
    """
    if keys is None:
        return None
    from misc_shared.transports.sealed import check_sealed_mtu

    check_sealed_mtu(mtu)
    key = keys.find(stream)
    if key is None:
        raise ConfigError(f"--key holds no key of the stream {stream!r}")
    return key


def guard_sender(transport: Transport, *, url: str, key: StreamKey | None) -> Transport:
    """Seal what goes out, if there is a key; else say that everybody on the way can read it.

    Args:
        transport: the sending end of a stream.
        url: the URL that it was opened with.
        key: the camera's, or None.

    Raises:
        ConfigError: the MTU leaves no room for a seal.
    """
    if key is None:
        _warn_if_open(url)
        return transport
    from misc_shared.transports.sealed import SealedTransport

    return SealedTransport.for_sender(transport, key, live=not _is_recording(url))


@dataclass(frozen=True)
class ReceiverGuard:
    """Decides which streams are heard.

    Attributes:
        url: the URL that they come from.
        keys: those that `--key` names; a stream without one is not heard. None for no seals.
        allow: names of streams that are heard, or None for all.
    """

    url: str
    keys: KeyRing | None = None
    allow: frozenset[str] | None = None

    def admits(self, stream: str) -> bool:
        """Whether a stream is heard at all; asked before anything is spent on it."""
        stream = camera_of(stream)
        allowed = self.allow is None or stream in self.allow
        return allowed and (self.keys is None or self.keys.find(stream) is not None)

    def protect(self, transport: Transport) -> Transport:
        """The transport through which an admitted stream is heard.

        Raises:
            ConfigError: the stream is not admitted.
        """
        stream = camera_of(transport.stream)
        if self.allow is not None and stream not in self.allow:
            names = ", ".join(sorted(self.allow))
            raise ConfigError(f"the stream {stream!r} is not among those of --allow: {names}")
        if self.keys is None:
            return transport
        key = self.keys.find(stream)
        if key is None:
            raise ConfigError(f"--key holds no key of the stream {stream!r}, so it is not heard")
        from misc_shared.transports.sealed import SealedTransport

        return SealedTransport.for_receiver(transport, key, live=not _is_recording(self.url))

    def listen(self, listener: Listener, *, many: bool) -> Listener:
        """The listener that gives admitted streams only, through their seals.

        Args:
            listener: gives all.
            many: whether streams come and go, so that one that is not admitted ends nothing.
        """
        if self.keys is None:
            _warn_if_open(self.url)
        return _GuardedListener(self, listener, many=many)


class _GuardedListener:
    def __init__(self, guard: ReceiverGuard, listener: Listener, *, many: bool) -> None:
        self._guard = guard
        self._listener = listener
        self._many = many
        self._told: set[str] = set()

    async def accept(self) -> Transport | None:
        """Wait for the next stream that is admitted."""
        while (transport := await self._listener.accept()) is not None:
            try:
                return self._guard.protect(transport)
            except ConfigError as error:
                await transport.close()
                if not self._many:
                    raise
                self._tell(transport.stream, error)
        return None

    async def close(self) -> None:
        """Take no more streams."""
        await self._listener.close()

    def _tell(self, stream: str, error: ConfigError) -> None:
        # Names are anybody's choice: the hundredth is told no more.
        if stream not in self._told and len(self._told) < _NAMES_TOLD:
            self._told.add(stream)
            _log.warning("%s", error)


def _is_recording(url: str) -> bool:
    return url.startswith("file:")


def _warn_if_open(url: str) -> None:
    host = _host_of(url)
    if host is not None and not is_loopback(host):
        _log.warning(
            "pictures are not sealed: %s and everybody on the way can read and alter them; give "
            "both ends the same --key FILE, which misc-send keygen FILE makes",
            host,
        )


def _host_of(url: str) -> str | None:
    try:
        return None if _is_recording(url) else urlsplit(url).hostname
    except ValueError:
        return None
