"""A transport within a transport: what goes out is sealed, what comes in is verified first.

protocol.md, Sealed datagrams. Sessions see plain datagrams and an MTU that is 18 bytes smaller.
What does not verify is dropped and counted here, before anything reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from typing import Protocol

from misc_shared.companions import end_tasks
from misc_shared.errors import ConfigError, TransportError
from misc_shared.security.counters import SealCounters
from misc_shared.security.forms import MAX_ECHO, SHORT_OVERHEAD
from misc_shared.security.keys import StreamKey
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.security.sender_seal import SenderSeal
from misc_shared.stream_names import camera_of
from misc_shared.transports.base import Transport
from misc_shared.transports.liveness import layers_of, turned_away
from misc_shared.wire import MIN_MTU

__all__ = ["SealedTransport", "check_sealed_mtu", "refusals_of", "sealing_of"]

_log = logging.getLogger(__name__)

_ONE_WAY_INTRODUCTIONS = 5.0
_NEVER = float("inf")


class _Seal(Protocol):
    """What both ends' seals offer; see `SenderSeal`."""

    counters: SealCounters

    def seal(self, datagram: bytes, *, now: float, wall: float) -> list[bytes]: ...

    def open(self, sealed: bytes, *, now: float) -> bytes | None: ...

    def has_pending(self, now: float) -> bool: ...

    def pending(self, *, now: float, wall: float) -> list[bytes]: ...


class SealedTransport:
    """Seals a stream end to end over any transport; made by `for_sender` or `for_receiver`.

    Args:
        inner: carries the sealed datagrams; closed with this one.
        seal: this end's.
        other: what the other end is called in messages.

    Raises:
        ConfigError: the inner transport's MTU leaves too little room.
    """

    def __init__(self, inner: Transport, seal: _Seal, *, other: str) -> None:
        check_sealed_mtu(inner.mtu)
        self.stream = inner.stream
        self.mtu = inner.mtu - SHORT_OVERHEAD
        self.duplex = inner.duplex
        self.overhead = inner.overhead + SHORT_OVERHEAD
        self.clock = inner.clock
        self._inner = inner
        self._seal = seal
        self._other = other
        self._told: set[str] = set()
        self._speaking: asyncio.Task[None] | None = None

    @classmethod
    def for_sender(cls, inner: Transport, key: StreamKey, *, live: bool = True) -> SealedTransport:
        """The sender's end.

        Args:
            inner: carries the sealed datagrams.
            key: the camera's.
            live: False for a recording, which needs only one introduction.
        """
        introduce_every = None if inner.duplex else _ONE_WAY_INTRODUCTIONS if live else _NEVER
        seal = SenderSeal(key, stream=inner.stream, mtu=inner.mtu, introduce_every=introduce_every)
        return cls(inner, seal, other="receiver")

    @classmethod
    def for_receiver(
        cls, inner: Transport, key: StreamKey, *, live: bool = True
    ) -> SealedTransport:
        """The receiver's end.

        Args:
            inner: carries the sealed datagrams.
            key: the camera's.
            live: False for a recording, which is old and may be.
        """
        clock = inner.clock
        seal = ReceiverSeal(
            key,
            stream=camera_of(inner.stream),
            mtu=inner.mtu,
            now=clock.monotonic(),
            wall=clock.wall(),
            live=live,
        )
        return cls(inner, seal, other="sender")

    @property
    def counters(self) -> SealCounters:
        """What was taken and refused."""
        return self._seal.counters

    @property
    def inner(self) -> Transport:
        """What carries the sealed datagrams."""
        return self._inner

    @property
    def reconnects(self) -> int:
        """How often what was under way has to go again: for a connection, or for a newcomer."""
        return self._inner.reconnects + getattr(self._seal, "newcomers", 0)

    async def ready(self) -> None:
        """Wait until the link can take one more datagram."""
        await self._inner.ready()

    async def send(self, datagram: bytes) -> None:
        """Seal one datagram and hand it to the link."""
        if len(datagram) > self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the MTU of {self.mtu}"
            )
        clock = self.clock
        for sealed in self._seal.seal(datagram, now=clock.monotonic(), wall=clock.wall()):
            await self._inner.ready()
            await self._inner.send(sealed)

    async def receive(self) -> bytes | None:
        """Wait for the next datagram that verifies and is new."""
        while (sealed := await self._inner.receive()) is not None:
            opened = self._seal.open(sealed, now=self.clock.monotonic())
            self._speak_if_needed()
            if opened is not None:
                return opened
            self._explain()
        return None

    async def close(self) -> None:
        """Close the inner transport."""
        if self._speaking is not None:
            await end_tasks(self._speaking)
        await self._inner.close()

    def _speak_if_needed(self) -> None:
        """Let the seal say something of its own; the link may be busy, and nobody waits for it."""
        busy = self._speaking is not None and not self._speaking.done()
        if self.duplex and not busy and self._seal.has_pending(self.clock.monotonic()):
            self._speaking = asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        with contextlib.suppress(TransportError):  # whoever sends or receives is told, too
            await self._inner.ready()
            clock = self.clock
            for sealed in self._seal.pending(now=clock.monotonic(), wall=clock.wall()):
                await self._inner.ready()
                await self._inner.send(sealed)

    def _explain(self) -> None:
        """Say once of each likely reason why nothing comes through."""
        counters = self._seal.counters
        if counters.plain:
            self._tell(
                "plain",
                f"the {self._other} seems to have no key: what it sends is not sealed, and is not "
                "taken; start it with the same key file",
            )
        if counters.forged and not counters.opened:
            self._tell(
                "forged",
                f"the {self._other} seems to have another key, or another name for the stream: "
                "what it sends does not verify, and is not taken",
            )
        seconds = getattr(self._seal, "seconds_off", None)
        if seconds is not None and not self.duplex:
            self._tell(
                "outdated",
                f"the {self._other}'s clock and ours differ by {abs(seconds):.0f} s, or somebody "
                "repeats what is old, and on a one-way link nobody can ask: set both clocks",
            )

    def _tell(self, cause: str, sentence: str) -> None:
        if cause not in self._told:
            self._told.add(cause)
            _log.warning("stream %s: %s", self.stream, sentence)


def sealing_of(transport: Transport) -> SealCounters | None:
    """What a transport's seal has taken and refused; None if it has none."""
    sealed = (layer for layer in layers_of(transport) if isinstance(layer, SealedTransport))
    return next((layer.counters for layer in sealed), None)


def refusals_of(transport: Transport) -> Counter[str]:
    """Datagrams that a transport, its seal included, did not hand on, by cause."""
    found: Counter[str] = Counter()
    for layer in layers_of(transport):
        found.update(
            layer.counters.rejected if isinstance(layer, SealedTransport) else turned_away(layer)
        )
    return found


def check_sealed_mtu(mtu: int) -> None:
    """Refuse an MTU that leaves a session too little beside a seal.

    Raises:
        ConfigError: it does.
    """
    least = max(MIN_MTU + SHORT_OVERHEAD, MAX_ECHO)
    if mtu < least:
        raise ConfigError(f"an MTU of {mtu} bytes is too small with a key: give at least {least}")
