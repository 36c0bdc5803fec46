"""What a receiver of an archive does otherwise: it confirms a picture once it has kept it.

An archive's sender forgets a picture when all of it is acknowledged. So a picture is decoded when
it is whole and its time is known, and nothing is acknowledged while one that is whole is not yet
kept. protocol.md, Archives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from misc_shared.session import FrameId, LayerReceived

__all__ = ["ArchiveIntake", "capture_name"]

_LARGEST = 4 << 20
"""Bytes of the layers that wait; a sender has one picture under way."""
_PAUSE = 10.0
"""Seconds after which a picture that could not be kept is asked for again."""


def capture_name(captured: float) -> str:
    """A time of capture as part of a file's name, such as 20261201T120000.125Z, to 1 ms."""
    moment = dt.datetime.fromtimestamp(captured, tz=dt.UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"


class ArchiveIntake:
    """The pictures of an archive that are coming in.

    Args:
        captured: gives a picture's time of capture, once it is known.
        keeps: whether pictures are kept in a folder at all; if not, there is nothing to wait for.
    """

    def __init__(self, captured: Callable[[FrameId], float | None], *, keeps: bool) -> None:
        self._captured = captured
        self._keeps = keeps
        self._parts: dict[FrameId, list[LayerReceived]] = {}
        self._whole: dict[FrameId, None] = {}
        self._taken: FrameId | None = None
        self._settled = False
        self._again_at: float | None = None

    @property
    def ready(self) -> bool:
        """Whether a picture can be decoded."""
        return self._next() is not None

    @property
    def may_answer(self) -> bool:
        """Whether all that is whole is kept, or need not be."""
        return not self._keeps or (not self._whole and self._again_at is None)

    def add(self, layer: LayerReceived) -> None:
        """Let a layer wait for the others of its picture."""
        self._parts.setdefault(layer.frame, []).append(layer)
        while len(self._parts) > 1 and self._nbytes > _LARGEST:
            self.drop(next(iter(self._parts)))

    def complete(self, frame: FrameId) -> None:
        """Note that a picture is whole."""
        if frame in self._parts:
            self._whole[frame] = None

    def drop(self, frame: FrameId) -> None:
        """Forget a picture that will not be whole; it will come again."""
        self._parts.pop(frame, None)
        self._whole.pop(frame, None)

    def take(self) -> list[LayerReceived]:
        """The layers of the next picture; call `done` when it is shown."""
        self._taken, self._settled = self._next(), False
        return [] if self._taken is None else list(self._parts[self._taken])

    def settled(self) -> None:
        """Note that the picture that was taken is kept, or that it can never be decoded."""
        self._settled = True

    def done(self, now: float) -> None:
        """Note that nothing more comes of the picture that was taken."""
        if self._taken is not None:
            self.drop(self._taken)
        if self._keeps and not self._settled:
            self._again_at = now + _PAUSE

    def wants_all_again(self, now: float) -> bool:
        """Whether to forget what came, once, so that what was not kept is sent again."""
        if self._again_at is None or now < self._again_at:
            return False
        self._again_at = None
        self._parts.clear()
        self._whole.clear()
        return True

    @property
    def _nbytes(self) -> int:
        return sum(len(layer.data) for layers in self._parts.values() for layer in layers)

    def _next(self) -> FrameId | None:
        return next((frame for frame in self._whole if self._captured(frame) is not None), None)
