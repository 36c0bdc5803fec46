"""One codec at one size in a process of its own, timed: a program that answers one question.

python -m misc_lab.bench.timing < QUESTION > ANSWER, both JSON
"""

import time
from collections.abc import Callable

import msgspec
from PIL import Image

from misc_lab.bench.codec import Pixels
from misc_lab.bench.rival import SCALES, Rival
from misc_lab.bench.rivals import RIVALS
from misc_lab.bench.timed_process import TimingQuestion, answer_one, memory, peak_memory, repeat
from misc_shared.errors import ConfigError

__all__ = ["Answer", "Question", "main"]

_FEWEST_RUNS = 3


class Question(TimingQuestion, frozen=True, kw_only=True):
    """What to time.

    Attributes:
        codec: "misc" or a rival's name.
        stage: "encode" or "decode".
        max_bytes: The budget, for encoding.
        coded: What to decode: layers or one file.
    """

    codec: str
    stage: str
    max_bytes: int
    coded: tuple[bytes, ...] = ()


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
    answer_one(Question, _answer)


def _answer(question: Question) -> Answer:
    prepare = _prepare_ours if question.codec == "misc" else _prepare_rival
    work = prepare(question)
    start = memory("VmRSS")
    coded = work.once()  # the first run also fills caches
    seconds = repeat(lambda: _time(work), question, fewest=_FEWEST_RUNS)
    return Answer(tuple(seconds), coded, work.setting, start, peak_memory())


def _time(work: _Work) -> float:
    began = time.perf_counter()
    work.once()
    return time.perf_counter() - began


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
    picture = question.scaled_picture()

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
    picture = question.scaled_picture()
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


if __name__ == "__main__":
    main()
