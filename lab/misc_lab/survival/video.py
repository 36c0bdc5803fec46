"""A small film for the cameras of the tests: something moves before a background with detail."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["write_video"]

_WIDTH, _HEIGHT = 320, 256
_FRAMES = 60


def write_video(path: Path, *, rate: int = 1) -> Path:
    """Write 60 pictures of a bright square that moves, `rate` of them a second."""
    import av

    rng = np.random.default_rng(1)
    blocks = rng.integers(30, 220, (_HEIGHT // 8, _WIDTH // 8, 3), dtype=np.uint8)
    background = blocks.repeat(8, axis=0).repeat(8, axis=1)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = _WIDTH, _HEIGHT
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        for number in range(_FRAMES):
            pixels = background.copy()
            left = number * 7 % (_WIDTH - 64)
            pixels[96:160, left : left + 64] = (230, 90, 40)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())
    return path
