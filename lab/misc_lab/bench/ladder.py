"""Whether our rate control keeps its promises: budgets kept and used, more bits never worse."""

import functools
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from misc_lab.bench.metrics import Judge
from misc_lab.bench.own import MiscCodec, check_options
from misc_lab.bench.plot_ladder import plot_ladder
from misc_lab.bench.pool import map_pictures
from misc_lab.bench.rungs import NOISE, Rung, climbs, uses
from misc_lab.result_files import write_result
from misc_sender.budget import Budget
from misc_sender.sources.images import find_pictures
from misc_sender.sources.pixels import read_picture
from misc_shared.errors import ConfigError

__all__ = ["LadderSettings", "run_ladder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderSettings:
    """What to measure.

    Attributes:
        folder: Pictures, every one of which is used.
        out: Folder for ladder.json and ladder.png; made if absent.
        budgets: Bytes a picture, all of the stream's counted.
        qualities: The codec's, 0 to 31.
        perceptual: As for `rd`.
        pack: Model pack.
        workers: Processes.
    """

    folder: Path
    out: Path
    budgets: tuple[int, ...]
    qualities: tuple[int, ...]
    perceptual: tuple[str, ...] = ()
    pack: str = "nano"
    workers: int = 2

    def __post_init__(self) -> None:
        for budget in self.budgets:
            Budget(max_bytes=budget)
        for quality in self.qualities:
            Budget(quality=quality)
        if self.workers < 1:
            raise ConfigError(f"At least 1 worker is needed; got {self.workers}.")


def run_ladder(settings: LadderSettings, *, on_picture: Callable[[int, int], None]) -> list[Rung]:
    """Measure every rung and write ladder.json and ladder.png."""
    pictures = find_pictures(settings.folder)
    Judge(perceptual=settings.perceptual)
    check_options(pack=settings.pack, refine=False, semantics="none")
    settings.out.mkdir(parents=True, exist_ok=True)
    on_picture(0, len(pictures))
    rungs: list[Rung] = []
    work = functools.partial(_climb, settings)
    for done, found in enumerate(map_pictures(work, pictures, workers=settings.workers), 1):
        rungs += found
        on_picture(done, len(pictures))
    rungs.sort(key=lambda rung: (rung.image, rung.kind, rung.asked))
    write_result(
        settings.out / "ladder.json", json.dumps(_content(settings, rungs), indent=1) + "\n"
    )
    plot_ladder(rungs, settings.out / "ladder.png")
    return rungs


def _climb(settings: LadderSettings, path: Path) -> list[Rung]:
    codec, judge = _tools(settings)
    image = read_picture(path, max_side=None)
    judge.look_at(image)
    asked = [("bytes", budget, Budget(max_bytes=budget)) for budget in settings.budgets]
    asked += [("quality", quality, Budget(quality=quality)) for quality in settings.qualities]
    rungs = []
    for kind, number, budget in asked:
        coded = codec.stream(image, budget)
        if coded is None:
            rungs.append(Rung(path.name, kind, number, None, "", {}))
            continue
        shown = codec.decode(coded.parts, width=image.shape[1], height=image.shape[0])
        metrics = judge.measure(shown[codec.series[0]])
        rungs.append(Rung(path.name, kind, number, coded.nbytes, coded.setting, metrics))
    return rungs


@functools.cache
def _tools(settings: LadderSettings) -> tuple[MiscCodec, Judge]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    codec = MiscCodec(pack=settings.pack, refine=False, semantics="none")
    return codec, Judge(perceptual=settings.perceptual)


def _content(settings: LadderSettings, rungs: Sequence[Rung]) -> dict[str, Any]:
    return {
        "settings": {
            "folder": settings.folder.name,
            "pack": settings.pack,
            "budgets": settings.budgets,
            "qualities": settings.qualities,
            "perceptual": [Path(name).name for name in settings.perceptual],
            "noise": NOISE,
        },
        "budgets": [asdict(one) for one in uses(rungs)],
        "climbs": [asdict(one) for one in climbs(rungs)],
        "rungs": [asdict(rung) for rung in rungs],
    }
