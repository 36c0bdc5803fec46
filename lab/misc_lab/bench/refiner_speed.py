"""How long refinement takes, by batch, on the CPU and where there is one on the GPU."""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from misc_lab.bench.refiner_timing import RefinerAnswer, RefinerQuestion
from misc_lab.bench.speed import find_picture
from misc_lab.bench.timed_process import ask
from misc_lab.result_files import write_result
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack

__all__ = ["RefinerSpeed", "RefinerSpeedSettings", "devices", "run_refiner_speed"]

_PEAKS = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "RTX 4090": 165e12,
}
"""Dense bfloat16 operations a second by the makers' data sheets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinerSpeedSettings:
    """What to time.

    Attributes:
        out: Folder for speed-refiner.json; made if absent.
        picture: A file, or sample:NAME; stretched to each size.
        sizes: Width and height in pixels.
        batches: Pictures refined together.
        steps: Of diffusion.
        runs: To take the median of.
        pack: Model pack.
        threads: Processor cores; 0 takes all.
    """

    out: Path
    picture: str = "sample:astronaut"
    sizes: tuple[tuple[int, int], ...] = ((512, 384),)
    batches: tuple[int, ...] = (1, 2, 4, 8, 16)
    steps: int = 2
    runs: int = 20
    pack: str = "nano"
    threads: int = 0

    def __post_init__(self) -> None:
        if not self.batches or min(self.batches) < 1 or self.steps < 1:
            raise ConfigError("Batches and steps are numbers of 1 or more.")


@dataclass(frozen=True, slots=True)
class RefinerSpeed:
    """One batch at one size on one device.

    Attributes:
        device: "cpu", or the GPU's name.
        width: In pixels.
        height: In pixels.
        batch: Pictures refined together.
        steps: Of diffusion.
        runs: Timed, after one that was not.
        median_seconds: For all steps of the whole batch, pictures guarded and in memory.
        preview_seconds: Until the first step could be shown.
        peak_bytes: The most memory that the process ever had.
        gpu_peak_bytes: The same on the GPU, or None.
        flop: Floating-point operations of the networks for one picture.
        share_of_peak: Of the GPU's bfloat16 peak that these reached; None where that is unknown.
    """

    device: str
    width: int
    height: int
    batch: int
    steps: int
    runs: int
    median_seconds: float
    preview_seconds: float
    peak_bytes: int
    gpu_peak_bytes: int | None
    flop: float
    share_of_peak: float | None

    @property
    def pictures_per_second(self) -> float:
        """Of the whole batch."""
        return self.batch / self.median_seconds


def devices() -> list[str]:
    """Those of this machine."""
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def run_refiner_speed(
    settings: RefinerSpeedSettings, *, on_stage: Callable[[int, int], None]
) -> list[RefinerSpeed]:
    """Time every batch, one process each, and write speed-refiner.json.

    Raises:
        LocalError: The picture or the pack is not there.
    """
    component = load_pack(settings.pack).component("refiner")
    picture = find_picture(settings.picture)
    settings.out.mkdir(parents=True, exist_ok=True)
    todo = [
        (device, size, batch)
        for device in devices()
        for size in settings.sizes
        for batch in settings.batches
    ]
    speeds: list[RefinerSpeed] = []
    for device, (width, height), batch in todo:
        on_stage(len(speeds), len(todo))
        question = RefinerQuestion(
            picture=str(picture),
            width=width,
            height=height,
            batch=batch,
            steps=settings.steps,
            device=device,
            runs=settings.runs,
            pack=settings.pack,
            threads=settings.threads,
        )
        speeds.append(_speed(question, _ask(question)))
    on_stage(len(speeds), len(todo))
    described = asdict(settings) | {
        "out": settings.out.name,
        "picture": picture.name,
        "refiner": component.digest.hex(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "versions": {name: version(name) for name in ("torch", "diffusers")},
    }
    rows = [asdict(one) | {"pictures_per_second": one.pictures_per_second} for one in speeds]
    content = {"settings": described, "speeds": rows}
    write_result(settings.out / "speed-refiner.json", json.dumps(content, indent=1) + "\n")
    return speeds


def _ask(question: RefinerQuestion) -> RefinerAnswer:
    what = f"a batch of {question.batch}"
    return ask("misc_lab.bench.refiner_timing", question, RefinerAnswer, what=what)


def _speed(question: RefinerQuestion, answer: RefinerAnswer) -> RefinerSpeed:
    seconds = median(answer.seconds)
    peak = next((value for name, value in _PEAKS.items() if name in answer.gpu), None)
    reached = answer.flop * question.batch / seconds
    return RefinerSpeed(
        device=answer.gpu or question.device,
        width=question.width,
        height=question.height,
        batch=question.batch,
        steps=question.steps,
        runs=len(answer.seconds),
        median_seconds=seconds,
        preview_seconds=answer.preview_seconds,
        peak_bytes=answer.peak_bytes,
        gpu_peak_bytes=answer.gpu_peak_bytes,
        flop=answer.flop,
        share_of_peak=None if peak is None else reached / peak,
    )
