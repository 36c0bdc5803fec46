"""Whether another seed changes detail and nothing else: many seeds on a few pictures."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_lab.bench.codec import Pixels
from misc_lab.bench.own import Recorder
from misc_lab.bench.refining import RefiningProcess, Way
from misc_lab.result_files import write_result
from misc_sender.budget import Budget
from misc_sender.sources.images import find_pictures
from misc_sender.sources.pixels import read_picture
from misc_shared.errors import BitstreamError, ConfigError
from misc_shared.packs import load_pack

__all__ = ["SeedResult", "SeedSettings", "cells_apart", "run_seeds"]

_CELL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSettings:
    """What to try.

    Attributes:
        folder: Pictures, of which the first `count` are used.
        out: Folder for seeds.json; made if absent.
        count: Pictures.
        seeds: On each.
        steps: Of diffusion.
        bpp: Budget of each picture.
        pack: Model pack.
        device: "cpu" or "cuda".
    """

    folder: Path
    out: Path
    count: int = 5
    seeds: int = 20
    steps: int = 2
    bpp: float = 0.024
    pack: str = "nano"
    device: str = "cpu"

    def __post_init__(self) -> None:
        if min(self.count, self.seeds, self.steps) < 1 or self.bpp <= 0:
            raise ConfigError("Give at least 1 picture, 1 seed, 1 step, and bits above 0.")


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One picture under all seeds.

    Attributes:
        image: File name.
        seeds: Tried.
        passed: Of which the guard let the picture pass.
        different: Different pictures among them.
        worst_disagreement: Largest root mean square difference between the 16x16 cells of a
            refined picture and those of the coarse one, in levels of 255.
        detail: Mean over pixels of the standard deviation over the seeds, in levels.
        cell_detail: The same of the cells: what the seed does to content.
    """

    image: str
    seeds: int
    passed: int
    different: int
    worst_disagreement: float
    detail: float
    cell_detail: float


def run_seeds(
    settings: SeedSettings, *, on_picture: Callable[[int, int], None]
) -> list[SeedResult]:
    """Refine every picture with every seed and write seeds.json.

    Raises:
        LocalError: The pictures or the pack are not there.
    """
    pictures = find_pictures(settings.folder)[: settings.count]
    digest = load_pack(settings.pack).component("refiner").digest.hex()
    recorder = Recorder(pack=settings.pack, semantics="nano")
    process = RefiningProcess(pack=settings.pack, device=settings.device)
    settings.out.mkdir(parents=True, exist_ok=True)
    found: list[SeedResult] = []
    for path in pictures:
        on_picture(len(found), len(pictures))
        found.append(_try(path, settings, recorder, process))
    on_picture(len(found), len(pictures))
    described = asdict(settings) | {
        "folder": settings.folder.name,
        "out": settings.out.name,
        "refiner": digest,
    }
    content = {"settings": described, "pictures": [asdict(one) for one in found]}
    write_result(settings.out / "seeds.json", json.dumps(content, indent=1) + "\n")
    return found


def _try(
    path: Path, settings: SeedSettings, recorder: Recorder, process: RefiningProcess
) -> SeedResult:
    image = read_picture(path, max_side=None)
    budget = Budget(max_bytes=int(settings.bpp * image.shape[0] * image.shape[1] / 8))
    coded = recorder.record(image, budget, path=path)
    if coded is None:
        raise BitstreamError(f"{path.name} does not fit {settings.bpp:g} bits per pixel")
    ways = (Way(0), *(Way(settings.steps, seed=seed) for seed in range(settings.seeds)))
    coarse, *refined = process.refine(coded.parts, ways)
    shown = [one.pixels for one in refined]
    cells = np.stack([_cells(one) for one in shown])
    return SeedResult(
        image=path.name,
        seeds=settings.seeds,
        passed=sum(one.passed for one in refined),
        different=len({one.tobytes() for one in shown}),
        worst_disagreement=max(cells_apart(one, coarse.pixels) for one in shown),
        detail=float(np.stack(shown).astype(np.float32).std(axis=0).mean()),
        cell_detail=float(cells.std(axis=0).mean()),
    )


def cells_apart(one: Pixels, other: Pixels) -> float:
    """Root mean square difference of the mean colours of 16x16 cells, in levels.

    Computed apart from the guard's own code, by plain averaging; what a side leaves over at its
    end does not count.
    """
    return float(np.sqrt(np.square(_cells(one) - _cells(other)).mean()))


def _cells(pixels: Pixels) -> NDArray[np.float64]:
    rows, columns = (max(1, side // _CELL) for side in pixels.shape[:2])
    high, wide = (min(_CELL, side) for side in pixels.shape[:2])
    whole = pixels[: rows * high, : columns * wide].astype(np.float64)
    means: NDArray[np.float64] = whole.reshape(rows, high, columns, wide, 3).mean((1, 3))
    return means
