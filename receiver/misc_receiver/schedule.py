"""Which frame is refined next.

Live, only the newest picture matters: a newer frame, or a further layer of the same, makes work in
progress worthless. Of a recording every frame matters, each once, when it has all its layers.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from misc_shared.session import FrameId

__all__ = ["EveryFrame", "NewestFrame", "RefinementSchedule"]

_WAITING = 2


class RefinementSchedule(Protocol):
    """Decides what is worth refining."""

    @property
    def full(self) -> bool:
        """Whether more frames had better not come yet."""
        ...

    def arrived(self, frame: FrameId) -> None:
        """A layer of the frame came."""
        ...

    def sharpened(self, frame: FrameId) -> None:
        """The frame's picture, or what is said of it, was decoded anew."""
        ...

    def ended(self, frame: FrameId) -> None:
        """The frame will get no more layers."""
        ...

    def close(self) -> None:
        """No frame will get more layers."""
        ...

    def next(self) -> FrameId | None:
        """The frame to refine now, if any."""
        ...


class NewestFrame:
    """For a live stream: the newest picture, each time that it gets better."""

    full = False

    def __init__(self) -> None:
        self._newest: FrameId | None = None
        self._refined = True

    def arrived(self, frame: FrameId) -> None:
        """Wait until it is decoded."""

    def sharpened(self, frame: FrameId) -> None:
        """Note it, unless a newer one was there before."""
        newest = self._newest
        if newest is None or frame.epoch != newest.epoch or frame >= newest:
            self._newest, self._refined = frame, False

    def ended(self, frame: FrameId) -> None:
        """Do nothing: a live picture is refined before it is complete."""

    def close(self) -> None:
        """Do nothing: the newest picture is noted already."""

    def next(self) -> FrameId | None:
        """The newest picture, if it was not refined as it is."""
        if self._refined:
            return None
        self._refined = True
        return self._newest


class EveryFrame:
    """For a recording: each frame once, when it ends, in that order."""

    def __init__(self) -> None:
        self._open: dict[FrameId, None] = {}
        self._ended: deque[FrameId] = deque()

    @property
    def full(self) -> bool:
        """Whether two frames wait: more would only fill memory."""
        return len(self._ended) >= _WAITING

    def arrived(self, frame: FrameId) -> None:
        """Remember that the frame has begun."""
        self._open[frame] = None

    def sharpened(self, frame: FrameId) -> None:
        """Do nothing: it will be refined when it ends."""

    def ended(self, frame: FrameId) -> None:
        """Let it wait for its turn."""
        if frame in self._open:
            del self._open[frame]
            self._ended.append(frame)

    def close(self) -> None:
        """Take what was cut off as it is."""
        for frame in list(self._open):
            self.ended(frame)

    def next(self) -> FrameId | None:
        """The frame that has waited longest."""
        return self._ended.popleft() if self._ended else None
