"""Earlier pictures that deltas may be made against. protocol.md, Layer payloads: Deltas."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misc_receiver.picture_memory import Kept
from misc_shared.codec import DeltaHeader, Reference
from misc_shared.errors import MissingBaseError
from misc_shared.semantics import Semantics
from misc_shared.session import FrameId

__all__ = ["Known", "References"]

_REMEMBERED = 16
"""Twice what a sender has under way: it may name any that it knows to have come."""


@dataclass(eq=False)
class Known:
    """What has been decoded of a frame, and a later one may build on.

    Attributes:
        held: header and integers of its layers so far, while there is room for them, or None.
        text: what the text layer says, or None.
        maps: the maps layer, bool [rows, columns] each, or None.
    """

    held: Kept[Reference] | None = None
    text: Semantics | None = None
    maps: list[NDArray[np.bool_]] | None = None

    @property
    def picture(self) -> Reference | None:
        """What is held; None if nothing was decoded, or room was needed."""
        return None if self.held is None else self.held.content


class References:
    """The frames that were decoded or named as base most recently, few of them."""

    def __init__(self) -> None:
        self._frames: OrderedDict[FrameId, Known] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frames)

    def keep(self, frame: FrameId, known: Known) -> None:
        """Remember a frame."""
        self._frames[frame] = known
        self._frames.move_to_end(frame)
        while len(self._frames) > _REMEMBERED:
            self._frames.popitem(last=False)

    def find(self, epoch: int, delta: DeltaHeader) -> Known:
        """The base that a delta names, or what has come of it.

        Raises:
            MissingBaseError: it is not here, or not as the delta says.
        """
        for frame, known in self._frames.items():
            picture = known.picture
            if frame.epoch == epoch and frame.on_wire == delta.base and picture is not None:
                if not picture.agreeing(delta.base_layers, delta.digest):
                    raise MissingBaseError(f"delta: frame {frame} is not as its base was")
                self._frames.move_to_end(frame)
                return known
        raise MissingBaseError(f"delta: made against frame {delta.base}, which is not here")
