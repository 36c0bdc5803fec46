"""Photographs for training, decoded once, a flat file for each shard, read whole afterwards."""

import io
import json
import queue
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["PhotoStore", "ahead", "photographs"]

Item = TypeVar("Item")


def _members(shard: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(shard) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None and member.name.endswith((".webp", ".png", ".jpg")):
                yield member.name, stream.read()


def _decode(named: tuple[str, bytes]) -> tuple[str, NDArray[np.uint8]]:
    name, data = named
    return name, np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def photographs(shards: list[Path]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Give all pictures of some tar shards with their names, uint8 [H, W, 3] RGB."""
    for shard in shards:
        yield from map(_decode, _members(shard))


class PhotoStore:
    """All pictures of some tar shards as uint8 [H, W, 3] RGB arrays, by index.

    Shards may be added between two runs: each has its own part of the cache.

    Args:
        shards: Tar files of pictures.
        cache: Folder for the decoded pixels; made when it is missing.
        keep: Which names `crop` may cut from; all by default.
    """

    def __init__(
        self, shards: list[Path], cache: Path, *, keep: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Open the cache, filling it first where a shard is not in it."""
        if not shards:
            message = "found no photos-*.tar in the data folder, expected at least one"
            raise FileNotFoundError(message)
        cache.mkdir(parents=True, exist_ok=True)
        rows: list[tuple[str, int, int]] = []
        parts: list[Path] = []
        for shard in shards:
            index, pixels = cache / f"{shard.stem}.json", cache / f"{shard.stem}.u8"
            if not index.exists():
                self._fill(shard, index, pixels)
            rows += [(row[0], row[1], row[2]) for row in json.loads(index.read_text())]
            parts.append(pixels)
        self.names = [row[0] for row in rows]
        self.sizes = np.array([row[1:3] for row in rows], dtype=np.int64)
        self._kept = np.array([keep(name) for name in self.names])
        self._offsets = np.concatenate([[0], np.cumsum(self.sizes.prod(1) * 3)])
        self._pixels = np.empty(self._offsets[-1], np.uint8)
        begin = 0
        # Read whole: random crops from a mapped file wait for the disk when memory is scarce.
        for part in parts:
            with part.open("rb") as file:
                begin += file.readinto(self._pixels[begin:].data)

    @staticmethod
    def _fill(shard: Path, index: Path, pixels: Path) -> None:
        rows = []
        with pixels.open("wb") as out, ThreadPoolExecutor() as pool:
            for name, picture in pool.map(_decode, _members(shard)):
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
        fitting = np.flatnonzero(self._kept & (self.sizes.min(1) >= side))
        picture = self[int(rng.choice(fitting))]
        top = rng.integers(picture.shape[0] - side + 1)
        left = rng.integers(picture.shape[1] - side + 1)
        square = picture[top : top + side, left : left + side]
        return square[:, ::-1] if rng.random() < 0.5 else square


def ahead(make: Callable[[], Item], *, depth: int) -> Iterator[Item]:
    """Give what `make` makes, for ever, made ahead in a thread; a GPU is faster than one core.

    Args:
        make: Called in one thread only.
        depth: How many items wait at most. 0 makes each when it is asked for.
    """
    if depth == 0:
        while True:
            yield make()
    waiting: queue.Queue[Item] = queue.Queue(depth)

    def fill() -> None:
        while True:
            waiting.put(make())

    threading.Thread(target=fill, daemon=True).start()
    while True:
        yield waiting.get()
