"""Which content group buys what, at equal total bytes: with and without diffusion, by steps.

Every stream has the same budget. What words and maps take, the latents lack, and maps may take more
of it here than rate control would let them, for it is to be measured what they would buy. Groups
without latents are refined from grey; they take only the bytes that they need.
"""

import functools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from misc_lab.bench.ablation import Ablated, averages, write_table
from misc_lab.bench.contents import CONTENTS, Filtered
from misc_lab.bench.metrics import Judge
from misc_lab.bench.own import Recorder
from misc_lab.bench.plot_ablate import plot_ablation
from misc_lab.bench.pool import map_pictures
from misc_lab.bench.refining import RefiningProcess, Way
from misc_lab.result_files import write_result
from misc_sender.budget import Budget
from misc_sender.semantics import make_backend
from misc_sender.sources.images import find_pictures
from misc_sender.sources.pixels import read_picture
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack
from misc_shared.wire import LayerKind

__all__ = ["AblateSettings", "run_ablation"]


_MAP_SHARE = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class AblateSettings:
    """What to measure.

    Attributes:
        folder: Pictures.
        out: Folder for ablate.json, ablate.md and ablate.png; made if absent.
        bpp: Budget of every stream, in bits per pixel.
        steps: Of diffusion; 0 is the picture as decoded.
        perceptual: As for `rd`.
        semantics: Backend that says what there is to say: "nano" or "file".
        pack: Model pack.
        device: "cpu" or "cuda", for refinement.
        count: Only the first pictures, or None for all.
        workers: Processes.
    """

    folder: Path
    out: Path
    bpp: float = 0.024
    steps: tuple[int, ...] = (0, 1, 2, 4, 8)
    perceptual: tuple[str, ...] = ()
    semantics: str = "nano"
    pack: str = "nano"
    device: str = "cpu"
    count: int | None = None
    workers: int = 2

    def __post_init__(self) -> None:
        if self.bpp <= 0 or not self.steps or min(self.steps) < 0:
            raise ConfigError(f"Give bits above 0 and steps of 0 or more; got {self.bpp:g} bpp.")
        if self.semantics not in ("nano", "file"):
            raise ConfigError(f"Semantics are nano or file here; got {self.semantics!r}.")
        if self.workers < 1 or (self.count is not None and self.count < 1):
            raise ConfigError("At least 1 worker and 1 picture are needed.")


def run_ablation(
    settings: AblateSettings, *, on_picture: Callable[[int, int], None]
) -> list[Ablated]:
    """Measure everything and write ablate.json, ablate.md and ablate.png.

    Returns:
        Means over the pictures.

    Raises:
        LocalError: The pictures, the pack or a metric is not there.
    """
    pictures = find_pictures(settings.folder)[: settings.count]
    Judge(perceptual=settings.perceptual)
    pack = load_pack(settings.pack)
    digests = {name: pack.component(name).digest.hex() for name in ("codec", "refiner", "text")}
    settings.out.mkdir(parents=True, exist_ok=True)
    on_picture(0, len(pictures))
    rows: list[Ablated] = []
    work = functools.partial(_measure, settings)
    for done, found in enumerate(map_pictures(work, pictures, workers=settings.workers), 1):
        rows += found
        on_picture(done, len(pictures))
    rows.sort(key=lambda row: row.image)
    means = averages(rows)
    content = {
        "settings": _describe(settings, pictures) | {"packs": digests},
        "means": [asdict(row) for row in means],
        "rows": [asdict(row) for row in rows],
    }
    write_result(settings.out / "ablate.json", json.dumps(content, indent=1) + "\n")
    write_table(means, settings.out / "ablate.md")
    plot_ablation(means, settings.out / "ablate.png")
    return means


def _measure(settings: AblateSettings, path: Path) -> list[Ablated]:
    return list(_ablate(settings, path))


def _ablate(settings: AblateSettings, path: Path) -> Iterator[Ablated]:
    tools = _tools(settings)
    image = read_picture(path, max_side=None)
    tools.judge.look_at(image)
    for contents in CONTENTS:
        tools.filtered.contents = contents
        height, width = image.shape[:2]
        budget = Budget(max_bytes=int(settings.bpp * height * width / 8), map_share=_MAP_SHARE)
        coded = tools.recorder.record(image, budget, path=path)
        if coded is None:
            raise ConfigError(f"{path.name} does not fit {settings.bpp:g} bits per pixel.")
        nbytes = coded.nbytes if contents.latents else _side_bytes(tools.recorder)
        steps = [count for count in settings.steps if count or contents.latents]
        ways = tuple(Way(count, latents=contents.latents) for count in steps)
        for count, shown in zip(steps, tools.process.refine(coded.parts, ways), strict=True):
            metrics = tools.judge.measure(shown.pixels)
            yield Ablated(path.name, contents.name, count, nbytes, float(shown.passed), metrics)


@dataclass(frozen=True)
class _Tools:
    filtered: Filtered
    recorder: Recorder
    process: RefiningProcess
    judge: Judge


@functools.cache
def _tools(settings: AblateSettings) -> _Tools:
    """What a worker process opens once and keeps for all its pictures."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    component = load_pack(settings.pack).component("semantics")
    describes = settings.semantics == "nano"
    filtered = Filtered(
        make_backend(settings.semantics, component=component if describes else None)
    )
    return _Tools(
        filtered,
        Recorder(pack=settings.pack, semantics=settings.semantics, backend=filtered),
        RefiningProcess(pack=settings.pack, device=settings.device),
        Judge(perceptual=settings.perceptual),
    )


def _side_bytes(recorder: Recorder) -> int:
    """Of words and maps alone, without framing."""
    side = (LayerKind.TEXT, LayerKind.MAPS)
    return sum(len(recorder.layers.get(kind, b"")) for kind in side)


def _describe(settings: AblateSettings, pictures: Sequence[Path]) -> dict[str, Any]:
    return asdict(settings) | {
        "folder": settings.folder.name,
        "out": settings.out.name,
        "perceptual": [Path(name).name for name in settings.perceptual],
        "pictures": [path.name for path in pictures],
        "contents": [asdict(one) for one in CONTENTS],
    }
