"""How many bytes a picture may take, and how many its layers take on the wire."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from misc_sender.shares import MAP_SHARE
from misc_shared.codec.layout import QUALITIES
from misc_shared.errors import ConfigError
from misc_shared.security.forms import LONG_OVERHEAD
from misc_shared.session import (
    TICKS_PER_SECOND,
    HelloConfig,
    OutgoingFrame,
    SenderSession,
    SenderTiming,
)
from misc_shared.wire import FRAME_ID_BITS, MAX_EPOCH, Data, LayerKind, Pair, parse

__all__ = ["Budget", "frame_bytes", "introduction_bytes"]

DEFAULT_BPP = 0.024
"""Bits per pixel where nothing else says how many: the upper end of MISC's own range."""

_LAST_TICK = ((1 << FRAME_ID_BITS) - 1) / TICKS_PER_SECOND
_NO_REPEATS = SenderTiming(base_repeats=0, hello_interval=math.inf)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the user allows a picture to cost.

    Attributes:
        max_bytes: bytes of each picture on the wire, or None.
        quality: the codec's quality, 0 to 31, or None for the best that fits.
        kbps: the link's rate in kbit/s, or None if unknown.
        fps: pictures per second, or None if they come when they come.
        map_share: share of a picture's bytes that its maps may take, 0 to 1.
    """

    max_bytes: int | None = None
    quality: int | None = None
    kbps: float | None = None
    fps: float | None = None
    map_share: float = MAP_SHARE

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense.

        Raises:
            ConfigError: one of them is out of range.
        """
        if self.max_bytes is not None and self.max_bytes < 1:
            raise ConfigError(f"a budget of {self.max_bytes} bytes per picture: give at least 1")
        if self.quality is not None and not 0 <= self.quality < QUALITIES:
            raise ConfigError(f"quality {self.quality}: give a number from 0 to {QUALITIES - 1}")
        if self.kbps is not None and not 0 < self.kbps < math.inf:
            raise ConfigError(f"a rate of {self.kbps} kbit/s: give more than 0")
        if not 0 <= self.map_share <= 1:
            raise ConfigError(f"a share of {self.map_share:g} for maps: give 0 to 1")

    def for_picture(self, *, width: int, height: int) -> int | None:
        """Bytes that one picture may take on the wire; None where the quality alone decides."""
        if self.max_bytes is not None:
            return self.max_bytes
        if self.quality is not None:
            return None
        if self.kbps is not None and self.fps is not None:
            return max(1, int(self.kbps * 1000 / 8 / self.fps))
        return math.ceil(width * height * DEFAULT_BPP / 8)


def frame_bytes(layers: Mapping[LayerKind, bytes], *, mtu: int, overhead: int = 0) -> int:
    """Bytes of all datagrams that a frame takes when nothing is repeated.

    The session itself cuts and frames the layers, at its least favourable epoch and time, so the
    number is a limit that no frame exceeds, and exact but for two bytes a datagram.

    Args:
        layers: the frame's layers; BASE has to be there.
        mtu: bytes of the largest datagram.
        overhead: bytes that a seal adds to each.
    """
    session = _blind_session(mtu=mtu, hello=HelloConfig(stream="", packs={}, started=0.0))
    session.submit(OutgoingFrame(_LAST_TICK, layers, math.inf), 0.0)
    return sum(
        len(datagram) + overhead
        for datagram in _drain(session)
        if isinstance(parse(datagram), Data | Pair)
    )


def introduction_bytes(hello: HelloConfig, *, mtu: int, overhead: int = 0) -> int:
    """Bytes of a run's greeting and farewell, which a recording holds once.

    Args:
        hello: how the sender introduces itself.
        mtu: bytes of the largest datagram.
        overhead: bytes that a seal adds to each; it introduces itself, too.
    """
    session = _blind_session(mtu=mtu, hello=hello)
    smallest = {LayerKind.BASE: b"\0"}
    session.submit(OutgoingFrame(_LAST_TICK, smallest, math.inf), 0.0)
    session.close()
    datagrams = [one for one in _drain(session) if not isinstance(parse(one), Data | Pair)]
    framing = sum(len(one) + overhead for one in datagrams)
    if not overhead:
        return framing
    # The seal's introduction goes with the first datagram, or before it if that is too long.
    together = len(datagrams[0]) + LONG_OVERHEAD <= mtu + overhead
    return framing + (LONG_OVERHEAD - overhead if together else LONG_OVERHEAD)


def _blind_session(*, mtu: int, hello: HelloConfig) -> SenderSession:
    return SenderSession(
        epoch=MAX_EPOCH, mtu=mtu, hello=hello, now=0.0, one_way=True, timing=_NO_REPEATS
    )


def _drain(session: SenderSession) -> list[bytes]:
    datagrams = []
    while (datagram := session.next_datagram(0.0)) is not None:
        datagrams.append(datagram)
    return datagrams
