"""Layers that wait for the decoder: those of a few frames, the newest ones.

More frames wait than are shown: a picture that came too fast to be shown may be the base of the
next ones.
"""

from __future__ import annotations

from collections import OrderedDict

from misc_shared.session import FrameId, LayerReceived

__all__ = ["Backlog"]

_FRAMES = 4
_BASES = 16
_BYTES = 4 << 20


class Backlog:
    """Collects layers until the decoder takes them all at once.

    Attributes:
        skipped: frames whose layers were let go because newer ones came much faster than the
            decoder.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._waiting: OrderedDict[FrameId, list[LayerReceived]] = OrderedDict()
        self._nbytes = 0

    def __len__(self) -> int:
        """Frames with layers that wait."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether more frames wait than will be shown."""
        return len(self._waiting) >= _FRAMES

    def add(self, event: LayerReceived) -> None:
        """Let a layer wait."""
        self._nbytes += len(event.data)
        self._waiting.setdefault(event.frame, []).append(event)
        while len(self._waiting) > _BASES or (self._nbytes > _BYTES and len(self._waiting) > 1):
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
