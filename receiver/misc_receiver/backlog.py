"""Layers that wait for the decoder: those of a few frames, the newest ones.

More frames wait than are shown: a picture that came too fast to be shown may be the base of the
next ones.
"""

from __future__ import annotations

from collections import OrderedDict

from misc_shared.codec import is_delta
from misc_shared.codec.layout import Header
from misc_shared.errors import RemoteError
from misc_shared.session import FrameId, LayerReceived
from misc_shared.wire import LayerKind

__all__ = ["Backlog"]

_FRAMES = 4
_BASES = 16


class Backlog:
    """Collects layers until the decoder takes them all at once.

    Args:
        nbytes: of layers that may wait; one frame may exceed it.

    Attributes:
        skipped: frames whose layers were let go because newer ones came much faster than the
            decoder.
    """

    def __init__(self, *, nbytes: int = 4 << 20) -> None:
        self.skipped = 0
        self._limit = nbytes
        self._waiting: OrderedDict[FrameId, list[LayerReceived]] = OrderedDict()
        self._nbytes = 0

    def __len__(self) -> int:
        """Frames with layers that wait."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether more frames wait than will be shown."""
        return len(self._waiting) >= _FRAMES

    @property
    def pixels(self) -> int | None:
        """Pixels of the newest picture that waits; None if its layers do not say."""
        for layers in reversed(self._waiting.values()):
            for event in layers:
                if event.layer is LayerKind.BASE and not is_delta(event.data):
                    return _pixels(event.data)
        return None

    def add(self, event: LayerReceived) -> None:
        """Let a layer wait."""
        self._nbytes += len(event.data)
        self._waiting.setdefault(event.frame, []).append(event)
        while len(self._waiting) > _BASES or (
            self._nbytes > self._limit and len(self._waiting) > 1
        ):
            _, layers = self._waiting.popitem(last=False)
            self._nbytes -= sum(len(layer.data) for layer in layers)
            self.skipped += 1

    def take(self) -> list[LayerReceived]:
        """All that wait, newest frame first; then nothing waits."""
        frames = list(self._waiting.values())
        self._waiting.clear()
        self._nbytes = 0
        return [event for layers in reversed(frames) for event in layers]

    def outdates(self, frame: FrameId) -> bool:
        """Whether a newer frame, or more of this one, waits."""
        return any(
            other.epoch != frame.epoch or other.tick >= frame.tick for other in self._waiting
        )


def _pixels(base: bytes) -> int | None:
    try:
        header = Header.unpack(base)
    except RemoteError:
        return None  # it will be told when it is decoded
    return header.width * header.height
