"""The rate-distortion benchmark: pictures over worker processes, results to files."""

import functools
import multiprocessing
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from misc_lab.bench.classical import CLASSICAL
from misc_lab.bench.codec import Codec
from misc_lab.bench.job import measure_picture
from misc_lab.bench.metrics import Judge
from misc_lab.bench.plot import plot_rates
from misc_lab.bench.results import Point, Row, average, write_csv, write_json
from misc_sender.sources.images import find_pictures
from misc_shared.errors import ConfigError

__all__ = ["CODECS", "RateSettings", "run_rates"]

CODECS = ("misc", *CLASSICAL)
"""All codecs by the name that `--codecs` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSettings:
    """What to measure.

    Attributes:
        folder: Pictures, every one of which is used.
        out: Folder for rd.json, rd.csv and rd.png; made if absent.
        codecs: Names out of `CODECS`.
        budgets: Bits per pixel, all above 0.
        perceptual: "lpips", "dists", a Python file with perceptual distances, or None.
        refine: Refine our pictures too.
        pack: Model pack of our codec.
        semantics: Name of the semantics backend: whether text and maps share our bytes.
        workers: Processes.
    """

    folder: Path
    out: Path
    codecs: tuple[str, ...]
    budgets: tuple[float, ...]
    perceptual: str | None = None
    refine: bool = True
    pack: str = "nano"
    semantics: str = "nano"
    workers: int = 2

    def __post_init__(self) -> None:
        unknown = [name for name in self.codecs if name not in CODECS]
        if unknown or not self.codecs:
            raise ConfigError(
                f"There is no codec {', '.join(unknown) or 'given'}; "
                f"choose from: {', '.join(CODECS)}."
            )
        if not self.budgets or min(self.budgets) <= 0:
            raise ConfigError(f"Budgets are bits per pixel above 0; got {list(self.budgets)}.")
        if self.workers < 1:
            raise ConfigError(f"At least 1 worker is needed; got {self.workers}.")


def run_rates(settings: RateSettings, *, on_picture: Callable[[int, int], None]) -> list[Point]:
    """Measure everything and write rd.json, rd.csv and rd.png.

    Args:
        settings: What to measure.
        on_picture: Told the number of pictures done and in all, after each.

    Returns:
        The means by series and budget.
    """
    pictures = find_pictures(settings.folder)
    _check(settings)
    settings.out.mkdir(parents=True, exist_ok=True)
    done: dict[Path, list[Row]] = {}
    on_picture(0, len(pictures))
    for path, rows in _measure_all(settings, pictures):
        done[path] = rows
        on_picture(len(done), len(pictures))
    rows = [row for path in pictures for row in done[path]]
    points = sorted(average(rows), key=lambda point: CODECS.index(point.series.split()[0]))
    write_json(settings.out / "rd.json", settings=_describe(settings), rows=rows)
    write_csv(settings.out / "rd.csv", rows)
    plot_rates(points, settings.out / "rd.png")
    return points


def _check(settings: RateSettings) -> None:
    """Refuse what is not there before the work begins."""
    Judge(perceptual=settings.perceptual)
    for name in settings.codecs:
        if name in CLASSICAL:
            CLASSICAL[name]()
    if "misc" in settings.codecs:
        from misc_lab.bench.own import check_options

        check_options(pack=settings.pack, refine=settings.refine, semantics=settings.semantics)


def _measure_all(
    settings: RateSettings, pictures: Sequence[Path]
) -> Iterator[tuple[Path, list[Row]]]:
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        settings.workers, mp_context=context, initializer=_end_with_parent
    ) as pool:
        futures = {pool.submit(_measure_one, settings, path): path for path in pictures}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # one failed: begin no other


def _end_with_parent() -> None:
    """See to it that a worker does not outlive a program that was killed."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _measure_one(settings: RateSettings, path: Path) -> list[Row]:
    codecs, judge = _tools(settings)
    return measure_picture(path, codecs=codecs, budgets=settings.budgets, judge=judge)


@functools.cache
def _tools(settings: RateSettings) -> tuple[tuple[Codec, ...], Judge]:
    """What a worker process opens once and keeps for all its pictures."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    codecs = tuple(_open_codec(name, settings) for name in settings.codecs)
    return codecs, Judge(perceptual=settings.perceptual)


def _open_codec(name: str, settings: RateSettings) -> Codec:
    if name != "misc":
        return CLASSICAL[name]()
    from misc_lab.bench.own import MiscCodec

    return MiscCodec(pack=settings.pack, refine=settings.refine, semantics=settings.semantics)


def _describe(settings: RateSettings) -> dict[str, Any]:
    packages = ("misc-streaming", "pillow", "pillow-jxl-plugin", "torch")
    return asdict(settings) | {
        "folder": str(settings.folder),
        "out": str(settings.out),
        "perceptual": settings.perceptual and Path(settings.perceptual).name,
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "versions": {name: _version(name) for name in packages},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ImportError:
        return None
