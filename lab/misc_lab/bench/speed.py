"""How long coding takes and how much memory, by size of the picture, ours beside others."""

import json
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from misc_lab.bench.plot_speed import plot_speed
from misc_lab.bench.rivals import RIVALS
from misc_lab.bench.speeds import Speed
from misc_lab.bench.timed_process import ask
from misc_lab.bench.timing import Answer, Question
from misc_lab.result_files import write_result
from misc_sender.sources.samples import find_sample
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack

__all__ = ["SpeedSettings", "find_picture", "run_speed"]

_SAMPLE = "sample:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedSettings:
    """What to time.

    Attributes:
        out: Folder for speed.json and speed.png; made if absent.
        sizes: Width and height in pixels.
        codecs: "misc" and rivals.
        runs: To take the median of.
        bpp: Budget of every codec, in bits per pixel.
        picture: A file, or sample:NAME; stretched to each size.
        pack: Model pack of ours.
        threads: Cores for our networks; 0 takes all.
    """

    out: Path
    sizes: tuple[tuple[int, int], ...]
    codecs: tuple[str, ...]
    runs: int = 20
    bpp: float = 0.024
    picture: str = "sample:astronaut"
    pack: str = "nano"
    threads: int = 0

    def __post_init__(self) -> None:
        known = ("misc", *RIVALS)
        unknown = [name for name in self.codecs if name not in known]
        if unknown or not self.codecs:
            raise ConfigError(
                f"There is no codec {', '.join(unknown) or 'given'}; choose from: "
                f"{', '.join(known)}."
            )
        if not self.sizes or min(min(size) for size in self.sizes) < 1:
            raise ConfigError("Give at least one size of 1x1 or more, such as 512x384.")
        if self.runs < 1 or self.bpp <= 0:
            raise ConfigError(f"Give 1 run or more and bits; got {self.runs} and {self.bpp:g}.")


def run_speed(settings: SpeedSettings, *, on_stage: Callable[[int, int], None]) -> list[Speed]:
    """Time everything, one process a codec, size and stage, and write speed.json and speed.png.

    Args:
        settings: What to time.
        on_stage: Told the number of stages done and in all, after each.

    Raises:
        LocalError: The picture, the pack or a codec is not there.
    """
    if "misc" in settings.codecs:
        load_pack(settings.pack).component("codec")
    picture = find_picture(settings.picture)
    settings.out.mkdir(parents=True, exist_ok=True)
    total = 2 * len(settings.sizes) * len(settings.codecs)
    on_stage(0, total)
    speeds: list[Speed] = []
    for speed in _time_all(settings, picture):
        speeds.append(speed)
        on_stage(len(speeds), total)
    content = {"settings": _describe(settings), "speeds": [asdict(speed) for speed in speeds]}
    write_result(settings.out / "speed.json", json.dumps(content, indent=1) + "\n")
    plot_speed(speeds, settings.out / "speed.png")
    return speeds


def _time_all(settings: SpeedSettings, picture: Path) -> Iterator[Speed]:
    # The codecs take turns, so that what else the machine does falls on all alike.
    for width, height in settings.sizes:
        for codec in settings.codecs:
            question = Question(
                codec=codec,
                stage="encode",
                picture=str(picture),
                width=width,
                height=height,
                max_bytes=int(settings.bpp * width * height / 8),
                runs=settings.runs,
                pack=settings.pack,
                threads=settings.threads,
            )
            encoded = _ask(question)
            yield _speed(question, encoded, nbytes=sum(map(len, encoded.coded)))
            question = msgspec.structs.replace(question, stage="decode", coded=encoded.coded)
            yield _speed(question, _ask(question), nbytes=sum(map(len, encoded.coded)))


def _ask(question: Question) -> Answer:
    what = f"{question.codec} at {question.width}x{question.height}"
    return ask("misc_lab.bench.timing", question, Answer, what=what)


def _speed(question: Question, answer: Answer, *, nbytes: int) -> Speed:
    return Speed(
        codec=question.codec,
        stage=question.stage,
        width=question.width,
        height=question.height,
        runs=len(answer.seconds),
        median_seconds=median(answer.seconds),
        fastest_seconds=min(answer.seconds),
        slowest_seconds=max(answer.seconds),
        start_bytes=answer.start_bytes,
        peak_bytes=answer.peak_bytes,
        nbytes=nbytes,
        setting=answer.setting,
    )


def find_picture(name: str) -> Path:
    """The file of `--picture`: a path, or sample:NAME.

    Raises:
        LocalError: There is no such sample.
    """
    return find_sample(name.removeprefix(_SAMPLE)) if name.startswith(_SAMPLE) else Path(name)


def _describe(settings: SpeedSettings) -> dict[str, Any]:
    rivals: Sequence[str] = [name for name in settings.codecs if name in RIVALS]
    return asdict(settings) | {
        "out": settings.out.name,
        "picture": Path(settings.picture).name,
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "versions": {name: RIVALS[name].version() for name in rivals},
    }
