"""A synthetic moving scene: hills, a road, a sun that travels and a car that crosses.

It needs no camera and no files, is the same on every machine, and moves enough to try a stream.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from misc_sender.sources.frame import Frame
from misc_sender.sources.pixels import check_size

__all__ = ["PatternSource", "draw_scene"]

_DAY = 60.0  # seconds that the sun takes across the sky
_CAR_SPEED = 0.12  # widths per second

_Picture = NDArray[np.float64]


class PatternSource:
    """Draws the scene at regular times, for ever.

    Args:
        width: pixels, 16 to 4096.
        height: pixels, 16 to 4096.
        fps: pictures per second.

    Raises:
        SourceError: a side is out of range.
    """

    still = False
    endless = True
    name = "pattern"

    def __init__(self, *, width: int = 512, height: int = 384, fps: float = 1.0) -> None:
        check_size(width, height, name="the pattern")
        self._size = width, height
        self._fps = fps

    def frames(self) -> Iterator[Frame]:
        """Draw one picture after the other."""
        index = 0
        while True:
            at = index / self._fps
            yield Frame(pixels=draw_scene(at, *self._size), captured_at=at)
            index += 1

    def close(self) -> None:
        """Do nothing: the scene is drawn, not read."""


def draw_scene(seconds: float, width: int, height: int) -> NDArray[np.uint8]:
    """Draw the scene at a time: uint8 [height, width, 3], RGB."""
    across = (np.arange(width) + 0.5) / width
    down = ((np.arange(height) + 0.5) / height)[:, None]
    picture = _sky(across, down, seconds)
    _paint_hills(picture, across, down)
    _paint_road(picture, across, down)
    _paint_car(picture, across, down, seconds)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _paint(picture: _Picture, where: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    picture[np.broadcast_to(where, picture.shape[:2])] = colour


def _sky(across: _Picture, down: _Picture, seconds: float) -> _Picture:
    blue = np.array([90, 150, 230])
    haze = np.array([225, 225, 215])
    picture = blue + (haze - blue) * np.minimum(down / 0.6, 1.0)[..., None]
    picture = np.repeat(picture, across.size, axis=1)
    sun_x = (seconds / _DAY) % 1.0
    sun_y = 0.42 - 0.3 * np.sin(np.pi * sun_x)
    _paint(picture, (across - sun_x) ** 2 + (down - sun_y) ** 2 < 0.06**2, (255, 236, 160))
    return picture


def _paint_hills(picture: _Picture, across: _Picture, down: _Picture) -> None:
    far = 0.50 + 0.06 * np.sin(7 * across) + 0.03 * np.sin(17 * across + 1)
    near = 0.62 + 0.05 * np.sin(5 * across + 2) + 0.02 * np.sin(23 * across)
    _paint(picture, down > far, (96, 130, 120))
    _paint(picture, down > near, (70, 118, 62))


def _paint_road(picture: _Picture, across: _Picture, down: _Picture) -> None:
    _paint(picture, (down > 0.78) & (down < 0.93), (88, 88, 92))
    dashes = (np.abs(down - 0.855) < 0.006) & ((across * 12) % 1.0 < 0.55)
    _paint(picture, dashes, (235, 235, 220))


def _paint_car(picture: _Picture, across: _Picture, down: _Picture, seconds: float) -> None:
    # It starts and ends beyond the edges, so that the loop shows no jump.
    x = across - ((seconds * _CAR_SPEED) % 1.4 - 0.2)
    _paint(picture, (np.abs(x) < 0.085) & (np.abs(down - 0.84) < 0.03), (190, 40, 36))
    _paint(picture, (np.abs(x) < 0.045) & (np.abs(down - 0.795) < 0.025), (150, 190, 215))
    for wheel in (-0.05, 0.05):
        _paint(picture, (x - wheel) ** 2 + (down - 0.872) ** 2 < 0.018**2, (25, 25, 28))
