"""One codec at one size in a process of its own, timed: a program that answers one question.

python -m misc_lab.bench.timing < QUESTION > ANSWER, both JSON
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from misc_lab.bench.codec import Pixels
from misc_lab.bench.decoder_process import answers_on_stdout
from misc_lab.bench.rival import SCALES, Rival
from misc_lab.bench.rivals import RIVALS
from misc_sender.sources.pixels import read_picture
from misc_shared.errors import ConfigError
from misc_shared.exit_codes import exit_on_error

__all__ = ["Answer", "Question", "main", "peak_memory", "scaled_picture"]

_FEWEST_RUNS = 3


class Question(msgspec.Struct, frozen=True):
    """What to time.

    Attributes:
        codec: "misc" or a rival's name.
        stage: "encode" or "decode".
        picture: A file; it is stretched to the size.
        width: In pixels.
        height: In pixels.
        max_bytes: The budget, for encoding.
        coded: What to decode: layers or one file.
        runs: To take the median of.
        patience: Seconds after which 3 runs are enough.
        pack: Model pack of ours.
        threads: Cores for our networks; 0 takes all.
    """

    codec: str
    stage: str
    picture: str
    width: int
    height: int
    max_bytes: int
    coded: tuple[bytes, ...] = ()
    runs: int = 20
    patience: float = 20.0
    pack: str = "nano"
    threads: int = 0


class Answer(msgspec.Struct, frozen=True):
    """How long it took.

    Attributes:
        seconds: Of each run.
        coded: What encoding gave.
        setting: How it was coded.
        start_bytes: Resident memory before the work, libraries and picture in it.
        peak_bytes: The most resident memory that the process ever had.
    """

    seconds: tuple[float, ...]
    coded: tuple[bytes, ...]
    setting: str
    start_bytes: int
    peak_bytes: int


class _Work(msgspec.Struct, frozen=True):
    """A stage made ready."""

    once: Callable[[], tuple[bytes, ...]]
    setting: str


def main() -> None:
    """Answer the one question."""
    answers = answers_on_stdout()
    with exit_on_error("timing"):
        question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
        answers.write(msgspec.json.encode(_answer(question)))
        answers.flush()


def scaled_picture(path: Path, *, width: int, height: int) -> Pixels:
    """Read a picture and stretch it to a size."""
    picture = Image.fromarray(read_picture(path, max_side=None))
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def _answer(question: Question) -> Answer:
    prepare = _prepare_ours if question.codec == "misc" else _prepare_rival
    work = prepare(question)
    start = _memory("VmRSS")
    coded = work.once()  # the first run also fills caches
    seconds: list[float] = []
    while len(seconds) < question.runs:
        began = time.perf_counter()
        work.once()
        seconds.append(time.perf_counter() - began)
        if sum(seconds) > question.patience and len(seconds) >= _FEWEST_RUNS:
            break
    return Answer(tuple(seconds), coded, work.setting, start, peak_memory())


def _prepare_ours(question: Question) -> _Work:
    from misc_shared.codec import ImageDecoder, ImageEncoder
    from misc_shared.packs import load_pack

    component = load_pack(question.pack).component("codec")
    if question.stage == "decode":
        decoder = ImageDecoder(component, threads=question.threads)

        def decode() -> tuple[bytes, ...]:
            decoder.decode(question.coded)
            return ()

        return _Work(decode, "all layers, coarse picture")
    encoder = ImageEncoder(component, threads=question.threads)
    picture = _picture(question)

    def encode() -> tuple[bytes, ...]:
        return encoder.encode(picture, max_bytes=question.max_bytes).layers

    return _Work(encode, "rate control included")


def _prepare_rival(question: Question) -> _Work:
    if question.codec not in RIVALS:
        raise ConfigError(f"There is no codec {question.codec}; choose from: {', '.join(RIVALS)}.")
    codec = RIVALS[question.codec]()
    if question.stage == "decode":
        size = (question.width, question.height)

        def decode() -> tuple[bytes, ...]:
            codec.open(question.coded[0]).resize(size, Image.Resampling.LANCZOS)
            return ()

        return _Work(decode, "with enlarging")
    picture = _picture(question)
    scale, quality = _setting(codec, picture, question.max_bytes)

    def encode() -> tuple[bytes, ...]:
        return (codec.encode(codec.shrink(picture, scale), quality),)

    return _Work(encode, f"{scale} quality {quality:g}, known beforehand")


def _setting(codec: Rival, picture: Pixels, max_bytes: int) -> tuple[str, float]:
    """The largest size that fits and its finest quantiser; where none fits, the smallest file."""
    for file in codec.files(picture, max_bytes=max_bytes):
        scale, _, quality = file.setting.split()
        return scale, float(quality)
    return list(SCALES)[-1], codec.qualities[0]


def _picture(question: Question) -> Pixels:
    return scaled_picture(Path(question.picture), width=question.width, height=question.height)


def peak_memory() -> int:
    """The most resident memory that this process ever had, in bytes."""
    return _memory("VmHWM")


def _memory(name: str) -> int:
    """A line of /proc/self/status in bytes; unlike getrusage's, of this program alone."""
    with Path("/proc/self/status").open() as file:
        line = next(line for line in file if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
