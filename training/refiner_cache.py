"""Decode photographs with our own codec, for the refiner to learn from.

    python -m training.refiner_cache --data DIR --cache DIR --pack nano --minutes 10

Each photograph is coded whole, at a random rate, through the real encoder and decoder; some lose
their detail layers, as on a bad link. Every second one is coded near the rate that most pictures
are sent at, which is what the refiner sees most and what it is compared at. What the embedded
sender says of a photograph is kept too, with maps as fine as that rate affords. What is coded is
appended at once, so a cut costs nothing and the same command goes on. A cache belongs to the codec
and the semantics that filled it; others start it anew.
"""

import argparse
import io
import json
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misc_receiver.refine import RefineRequest
from misc_sender.grids import fit_maps
from misc_sender.semantics.nano import NanoSemantics
from misc_sender.semantics.sidecar import format_sidecar, parse_sidecar
from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.errors import ConfigError
from misc_shared.packs import Component, load_pack
from training.splits import is_development

__all__ = ["PairStore"]

_LEAST_BPP, _MOST_BPP = 0.008, 0.12
_USUAL_LEAST_BPP, _USUAL_MOST_BPP, _USUAL_SHARE = 0.015, 0.038, 0.5
_KEPT_LAYERS, _KEPT_SHARES = (1, 2, 3), (0.06, 0.08, 0.86)
_LEAST_SIDE = 192
_FLICKR_ONE_IN = 8


@dataclass(frozen=True, eq=False)
class Pair:
    """An original and what our codec made of it.

    Attributes:
        name: of the photograph, to find its labels by.
        original: uint8 [H, W, 3].
        request: the decoded picture, its features, and what the embedded sender says of it.
    """

    name: str
    original: NDArray[np.uint8]
    request: RefineRequest


class PairStore:
    """Pairs in two flat files, appended to and memory-mapped.

    Args:
        folder: made if absent.
    """

    FILES = ("index.jsonl", "pixels.u8", "features.f16")

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._index, self._pixels, self._features = (folder / name for name in self.FILES)
        for path in (self._index, self._pixels, self._features):
            path.touch()
        self.rows = [json.loads(line) for line in self._index.read_text().splitlines()]

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.rows)

    def __getitem__(self, number: int) -> Pair:
        """Read one pair."""
        row = self.rows[number]
        shape = (2, *row["size"], 3)
        pixels = np.memmap(self._pixels, np.uint8, "r", offset=row["pixels_at"], shape=shape)
        grid = tuple(row["features"])
        stored = np.memmap(self._features, np.float16, "r", offset=row["features_at"], shape=grid)
        features = np.asarray(stored, dtype=np.float32)
        said = None
        if row["said"] is not None:
            said = parse_sidecar(row["said"].encode(), self._index)
        return Pair(
            row["name"],
            pixels[0],
            RefineRequest(pixels[1], features, said, row["quality"]),
        )

    def append(self, pair: Pair) -> None:
        """Store one pair; it counts once its index line is written."""
        coarse, features = pair.request.coarse, pair.request.features
        if features is None:
            raise ConfigError("found a decoded picture without features; expected some to store")
        said = pair.request.semantics
        row = {
            "name": pair.name,
            "size": coarse.shape[:2],
            "quality": pair.request.quality,
            "said": None if said is None else format_sidecar(said).decode(),
            "features": features.shape,
            "pixels_at": _append(self._pixels, np.stack([pair.original, coarse])),
            "features_at": _append(self._features, features.astype(np.float16)),
        }
        with self._index.open("a") as out:
            out.write(json.dumps(row) + "\n")
        self.rows.append(row)


def _append(path: Path, values: NDArray[np.uint8] | NDArray[np.float16]) -> int:
    with path.open("ab") as out:
        start = out.tell()
        out.write(values.tobytes())
    return start


def photographs(data: Path, *, seed: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Give the training photographs in random order, so that any prefix is a fair sample.

    Args:
        data: folder of tar shards.
        seed: of the order.
    """
    members = []
    for shard in sorted(data.glob("*.tar")):
        with tarfile.open(shard) as archive:
            members += [(shard, m.name, m.offset_data, m.size) for m in archive if m.isfile()]
    for place in np.random.default_rng(seed).permutation(len(members)):
        shard, name, offset, size = members[place]
        # Flickr8k is small and squeezed to squares: some of it is enough for its captions' sake.
        if is_development(name) or (name.startswith("flickr8k") and place % _FLICKR_ONE_IN):
            continue
        with shard.open("rb") as stream:
            stream.seek(offset)
            picture = np.asarray(Image.open(io.BytesIO(stream.read(size))).convert("RGB"))
        if min(picture.shape[:2]) >= _LEAST_SIDE:
            yield name, picture


class _Coder:
    """Photographs through the real encoder and decoder at random rates."""

    def __init__(self, component: Component, said: Component, *, threads: int, seed: int) -> None:
        self._encoder = ImageEncoder(component, threads=threads)
        self._decoder = ImageDecoder(component, threads=threads)
        self._backend = NanoSemantics(said, threads=threads)
        self._rng = np.random.default_rng(seed)

    def pair(self, name: str, picture: NDArray[np.uint8]) -> Pair | None:
        usual = self._rng.random() < _USUAL_SHARE
        ends = (_USUAL_LEAST_BPP, _USUAL_MOST_BPP) if usual else (_LEAST_BPP, _MOST_BPP)
        bpp = np.exp(self._rng.uniform(*np.log(ends)))
        budget = int(bpp * picture.shape[0] * picture.shape[1] / 8)
        try:
            encoded = self._encoder.encode(picture, max_bytes=budget)
        except ConfigError:  # not even the base fits: nothing to learn at that rate
            return None
        kept = int(self._rng.choice(_KEPT_LAYERS, p=_KEPT_SHARES))
        decoded = self._decoder.decode(encoded.layers[:kept])
        said = fit_maps(self._backend.describe(picture), budget)
        return Pair(name, picture, RefineRequest.of(decoded, said))


def _open_store(folder: Path, digest: str) -> PairStore:
    """Open the cache; one that other networks filled is emptied first."""
    stamp = folder / "filled-by.txt"
    if not stamp.exists() or stamp.read_text() != digest:
        for name in PairStore.FILES:
            (folder / name).unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(digest)
    return PairStore(folder)


def run(args: argparse.Namespace) -> None:
    """Fill the cache until it holds --images pairs or --minutes are over."""
    pack = load_pack(args.pack)
    codec, said = pack.component("codec"), pack.component("semantics")
    store = _open_store(args.cache, f"{codec.digest.hex()} {said.digest.hex()}")
    coder = _Coder(codec, said, threads=args.threads, seed=len(store))
    until = time.time() + args.minutes * 60
    seen = {row["name"] for row in store.rows}
    for name, picture in photographs(args.data, seed=args.seed):
        if len(store) >= args.images or time.time() > until:
            break
        pair = None if name in seen else coder.pair(name, picture)
        if pair is not None:
            store.append(pair)
            if len(store) % 100 == 0:
                print(f"{len(store)} pairs", flush=True)
    print(f"{len(store)} pairs in {args.cache}")


def main() -> None:
    """Parse the command line and fill the cache."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of tar shards")
    parser.add_argument("--cache", type=Path, required=True, help="folder to fill")
    parser.add_argument("--pack", default="nano", help="pack whose codec is used")
    parser.add_argument("--images", type=int, default=2500, help="stop at so many pairs")
    parser.add_argument("--minutes", type=float, default=15, help="stop this run after so long")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
