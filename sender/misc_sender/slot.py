"""Hands frames from capture to encoder: room for one, so that nothing grows old in a queue."""

from __future__ import annotations

import asyncio

from misc_sender.sources import Frame

__all__ = ["FrameSlot"]


class FrameSlot:
    """Holds the frame that is encoded next.

    Attributes:
        skipped: frames that a newer one replaced before the encoder came.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._frame: Frame | None = None
        self._closed = False
        self._changed = asyncio.Condition()

    @property
    def closed(self) -> bool:
        """Whether no more frames will come."""
        return self._closed

    async def put(self, frame: Frame, *, replace: bool) -> None:
        """Leave a frame for the encoder.

        Args:
            frame: the frame.
            replace: True to take the place of one that waits, False to wait for room.
        """
        async with self._changed:
            if replace:
                self.skipped += self._frame is not None
            else:
                await self._changed.wait_for(lambda: self._frame is None)
            self._frame = frame
            self._changed.notify_all()

    async def take(self) -> Frame | None:
        """Wait for a frame; None once there will be no more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._frame is not None or self._closed)
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            return frame

    async def close(self) -> None:
        """Say that the frame left there, if any, is the last."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
