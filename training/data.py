"""Photographs for training, decoded once into one flat file that is read whole afterwards."""

import io
import json
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["PhotoStore"]


def _members(shards: list[Path]) -> Iterator[tuple[str, bytes]]:
    for shard in shards:
        with tarfile.open(shard) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None and member.name.endswith((".webp", ".png", ".jpg")):
                    yield member.name, stream.read()


def _decode(named: tuple[str, bytes]) -> tuple[str, NDArray[np.uint8]]:
    name, data = named
    return name, np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


class PhotoStore:
    """All pictures of some tar shards as uint8 [H, W, 3] RGB arrays, by index.

    Args:
        shards: Tar files of pictures.
        cache: Folder for the decoded pixels; made when it is missing.
    """

    def __init__(self, shards: list[Path], cache: Path) -> None:
        """Open the cache, filling it first if need be."""
        index, pixels = cache / "index.json", cache / "pixels.u8"
        if not index.exists():
            cache.mkdir(parents=True, exist_ok=True)
            self._fill(shards, index, pixels)
        rows = json.loads(index.read_text())
        self.names = [str(row[0]) for row in rows]
        self.sizes = np.array([row[1:3] for row in rows], dtype=np.int64)
        self._offsets = np.concatenate([[0], np.cumsum(self.sizes.prod(1) * 3)])
        # Read whole: random crops from a mapped file wait for the disk whenever memory is scarce.
        self._pixels = np.fromfile(pixels, dtype=np.uint8)

    @staticmethod
    def _fill(shards: list[Path], index: Path, pixels: Path) -> None:
        rows = []
        with pixels.open("wb") as out, ThreadPoolExecutor(2) as pool:
            for name, picture in pool.map(_decode, _members(shards)):
                out.write(picture.tobytes())
                rows.append((name, *picture.shape[:2]))
        index.write_text(json.dumps(rows))

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.names)

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        """Give one picture, uint8 [H, W, 3]."""
        height, width = self.sizes[number]
        start = self._offsets[number]
        return np.asarray(self._pixels[start : start + height * width * 3]).reshape(
            height, width, 3
        )

    def crop(self, rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
        """Cut a random square, mirrored half of the time, from a random picture large enough.

        Args:
            rng: Source of randomness.
            side: Edge of the square in pixels.

        Returns:
            uint8 [side, side, 3].
        """
        fitting = np.flatnonzero(self.sizes.min(1) >= side)
        picture = self[int(rng.choice(fitting))]
        top = rng.integers(picture.shape[0] - side + 1)
        left = rng.integers(picture.shape[1] - side + 1)
        square = picture[top : top + side, left : left + side]
        return square[:, ::-1] if rng.random() < 0.5 else square
