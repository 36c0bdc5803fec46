"""What programs share that time one thing, each run in a process of its own.

python -m MODULE < QUESTION > ANSWER, both JSON
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from PIL import Image

from misc_lab.bench.codec import Pixels
from misc_lab.bench.decoder_process import answers_on_stdout
from misc_sender.sources.pixels import read_picture
from misc_shared.errors import MiscError
from misc_shared.exit_codes import exit_on_error

__all__ = ["TimingQuestion", "answer_one", "ask", "memory", "peak_memory", "repeat"]

_Question = TypeVar("_Question", bound=msgspec.Struct)
_Answer = TypeVar("_Answer", bound=msgspec.Struct)
_Result = TypeVar("_Result")


class TimingQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What every timing has to know.

    Attributes:
        picture: A file; it is stretched to the size.
        width: In pixels.
        height: In pixels.
        runs: To take the median of.
        patience: Seconds after which the fewest runs are enough.
        pack: Model pack of ours.
        threads: Cores for our networks; 0 takes all.
    """

    picture: str
    width: int
    height: int
    runs: int = 20
    patience: float = 20.0
    pack: str = "nano"
    threads: int = 0

    def scaled_picture(self) -> Pixels:
        """The picture at the size."""
        picture = Image.fromarray(read_picture(Path(self.picture), max_side=None))
        return np.asarray(picture.resize((self.width, self.height), Image.Resampling.LANCZOS))


def ask(module: str, question: msgspec.Struct, kind: type[_Answer], *, what: str) -> _Answer:
    """Run a timing program and wait for its answer.

    Args:
        module: The program, by its name for Python's -m.
        question: Its question.
        kind: What it answers.
        what: Is timed, for the message.

    Raises:
        MiscError: The program failed.
    """
    ended = subprocess.run(
        [sys.executable, "-m", module],
        input=msgspec.json.encode(question),
        stdout=subprocess.PIPE,
        check=False,
    )
    if ended.returncode != 0:
        raise MiscError(f"timing {what} failed; what it said is above")
    return msgspec.json.decode(ended.stdout, type=kind)


def answer_one(kind: type[_Question], answer: Callable[[_Question], msgspec.Struct]) -> None:
    """Answer the one question on standard input: the whole of a timing program."""
    answers = answers_on_stdout()
    with exit_on_error("timing"):
        question = msgspec.json.decode(sys.stdin.buffer.read(), type=kind)
        answers.write(msgspec.json.encode(answer(question)))
        answers.flush()


def repeat(run: Callable[[], _Result], question: TimingQuestion, *, fewest: int) -> list[_Result]:
    """Run again and again, until the runs are enough or too slow to wait for all."""
    results: list[_Result] = []
    began = time.perf_counter()
    while len(results) < question.runs:
        results.append(run())
        if time.perf_counter() - began > question.patience and len(results) >= fewest:
            break
    return results


def peak_memory() -> int:
    """The most resident memory that this process ever had, in bytes."""
    return memory("VmHWM")


def memory(name: str) -> int:
    """A line of /proc/self/status in bytes; unlike getrusage's, of this program alone."""
    with Path("/proc/self/status").open() as file:
        line = next(line for line in file if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
