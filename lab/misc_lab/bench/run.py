"""The rate-distortion benchmark: pictures over worker processes, results to files."""

import functools
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from misc_lab.bench.bd_rate import BdRates, bd_rates, check_bd_rate
from misc_lab.bench.codec import Codec
from misc_lab.bench.earlier import Conditions, Earlier, conditions_of, read_earlier
from misc_lab.bench.job import measure_picture
from misc_lab.bench.journal import Journal
from misc_lab.bench.metrics import Judge
from misc_lab.bench.plot import plot_rates
from misc_lab.bench.pool import map_pictures
from misc_lab.bench.results import Point, Row, average, write_csv, write_json
from misc_lab.bench.rivals import RIVALS
from misc_sender.sources.images import find_pictures
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack

__all__ = ["CODECS", "RateResults", "RateSettings", "run_rates"]

CODECS = ("misc", *RIVALS)
"""All codecs by the name that `--codecs` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSettings:
    """What to measure.

    Attributes:
        folder: Pictures, every one of which is used.
        out: Folder for rd.json, rd.csv and rd.png; made if absent.
        codecs: Names out of `CODECS`.
        budgets: Bits per pixel, all above 0.
        perceptual: Each "lpips", "dists", a Python file with perceptual distances or an
            encoder's weights; the first one ranks.
        refine: Refine our pictures too.
        pack: Model pack of our codec.
        semantics: Name of the semantics backend: whether text and maps share our bytes.
        workers: Processes.
        merge: Earlier rd.json, whose rows of other codecs are taken over.
    """

    folder: Path
    out: Path
    codecs: tuple[str, ...]
    budgets: tuple[float, ...]
    perceptual: tuple[str, ...] = ()
    refine: bool = True
    pack: str = "nano"
    semantics: str = "nano"
    workers: int = 2
    merge: tuple[Path, ...] = ()

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


@dataclass(frozen=True, slots=True)
class RateResults:
    """What a run found.

    Attributes:
        points: Means by series and budget.
        bd: Every series against AVIF; empty without AVIF.
    """

    points: list[Point]
    bd: BdRates


def run_rates(settings: RateSettings, *, on_picture: Callable[[int, int], None]) -> RateResults:
    """Measure everything and write rd.json, rd.csv and rd.png.

    A run that was stopped goes on where it was, if the same is asked for again.

    Args:
        settings: What to measure.
        on_picture: Told the number of pictures done and in all, after each.
    """
    pictures = find_pictures(settings.folder)
    _check(settings)
    conditions = conditions_of(pictures, budgets=settings.budgets, perceptual=settings.perceptual)
    earlier = [read_earlier(path, conditions, besides=settings.codecs) for path in settings.merge]
    settings.out.mkdir(parents=True, exist_ok=True)
    description = _describe(settings, conditions, earlier)
    journal = Journal(settings.out / "rd.unfinished.jsonl", description | {"workers": None})
    rows = [row for one in earlier for row in one.rows]
    rows += [row for found in journal.rows.values() for row in found]
    left = [path for path in pictures if path.name not in journal.rows]
    on_picture(len(journal.rows), len(pictures))
    work = functools.partial(_measure_one, settings)
    measured = map_pictures(work, left, workers=settings.workers)
    for done, found in enumerate(measured, len(journal.rows) + 1):
        journal.add(found)
        rows += found
        on_picture(done, len(pictures))
    rows.sort(key=lambda row: (row.image, CODECS.index(row.series.split()[0])))
    points = sorted(average(rows), key=lambda point: CODECS.index(point.series.split()[0]))
    results = RateResults(points, bd_rates(points))
    write_json(settings.out / "rd.json", settings=description, rows=rows, bd=results.bd)
    write_csv(settings.out / "rd.csv", rows)
    plot_rates(points, settings.out / "rd.png")
    journal.remove()
    return results


def _check(settings: RateSettings) -> None:
    """Refuse what is not there before the work begins."""
    Judge(perceptual=settings.perceptual)
    check_bd_rate()
    for name in settings.codecs:
        if name in RIVALS:
            RIVALS[name]()
    if "misc" in settings.codecs:
        from misc_lab.bench.own import check_options

        check_options(pack=settings.pack, refine=settings.refine, semantics=settings.semantics)


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
        return RIVALS[name]()
    from misc_lab.bench.own import MiscCodec

    return MiscCodec(pack=settings.pack, refine=settings.refine, semantics=settings.semantics)


def _describe(
    settings: RateSettings, conditions: Conditions, earlier: Sequence[Earlier]
) -> dict[str, Any]:
    packages = ("misc-streaming", "av", "bjontegaard", "pillow", "pillow-jxl-plugin", "torch")
    return asdict(settings) | {
        "folder": settings.folder.name,
        "out": settings.out.name,
        "perceptual": [Path(name).name for name in settings.perceptual],
        "merge": [path.name for path in settings.merge],
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "versions": {name: _version(name) for name in packages},
        "codec_versions": _codec_versions(settings, earlier),
        "taken_over": [{"file": one.source, "codecs": dict(one.codecs)} for one in earlier],
        "conditions": msgspec.to_builtins(conditions),
    }


def _codec_versions(settings: RateSettings, earlier: Sequence[Earlier]) -> dict[str, str]:
    versions = {name: version for one in earlier for name, version in one.codecs.items()}
    for name in settings.codecs:
        if name == "misc":
            digest = load_pack(settings.pack).component("codec").digest.hex()
            versions[name] = f"{_version('misc-streaming')}, pack {settings.pack}, codec {digest}"
        else:
            versions[name] = RIVALS[name].version()
    return versions


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ImportError:
        return None
