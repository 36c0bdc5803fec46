"""A decoder in a process of its own: bytes in, pictures out, nothing else between."""

import os
import subprocess
import sys
import weakref
from collections.abc import Sequence
from typing import IO, TypeVar

import msgspec
import numpy as np

from misc_lab.bench.codec import Pixels
from misc_shared.errors import BitstreamError, MiscError

__all__ = [
    "DecoderProcess",
    "Reply",
    "Request",
    "answers_on_stdout",
    "read_message",
    "write_message",
]

_LENGTH_BYTES = 4

_Answer = TypeVar("_Answer", bound=msgspec.Struct)


class Request(msgspec.Struct, frozen=True):
    """What the decoder gets.

    Attributes:
        parts: One file, or the datagrams of one recording.
        width: To enlarge to; our own decoder has no use for it.
        height: Likewise.
    """

    parts: tuple[bytes, ...]
    width: int
    height: int


class Reply(msgspec.Struct, frozen=True):
    """What it gives.

    Attributes:
        height: Of the pictures; 0 if there are none.
        width: Likewise.
        pictures: RGB bytes each; ours are coarse, then refined if asked for.
        error: Why there are none.
    """

    height: int = 0
    width: int = 0
    pictures: tuple[bytes, ...] = ()
    error: str = ""


class DecoderProcess:
    """Starts the decoder; it ends with this object.

    Args:
        module: The program, by its name for Python's -m.
        arguments: The program's.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._questions, self._answers = _pipes(self._process)
        self._stop = weakref.finalize(self, _stop, self._process)

    def decode(self, parts: Sequence[bytes], *, width: int, height: int) -> list[Pixels]:
        """Decode one picture.

        Args:
            parts: All its bytes.
            width: That the pictures must have.
            height: Likewise.

        Raises:
            MiscError: The decoder could not start, or ended.
            BitstreamError: The bytes do not make a picture of this size.
        """
        reply = self.ask(Request(tuple(parts), width, height), Reply)
        if reply.error or (reply.width, reply.height) != (width, height):
            found = reply.error or f"a picture of {reply.width}x{reply.height}"
            raise BitstreamError(f"the stream gave {found}; expected {width}x{height} pixels")
        shape = (height, width, 3)
        return [np.frombuffer(one, np.uint8).reshape(shape) for one in reply.pictures]

    def ask(self, request: msgspec.Struct, kind: type[_Answer]) -> _Answer:
        """Send a message and wait for the answer.

        Raises:
            MiscError: The decoder could not start, or ended.
        """
        try:
            write_message(self._questions, request)
            answer = read_message(self._answers)
        except BrokenPipeError:
            answer = None
        if answer is None:
            raise MiscError(
                f"the decoder ended with status {self._process.wait()}; what it said is above"
            )
        return msgspec.msgpack.decode(answer, type=kind)


def answers_on_stdout() -> IO[bytes]:
    """Keep standard output for messages: what a library prints must not get between them."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def write_message(stream: IO[bytes], message: msgspec.Struct) -> None:
    """Write a message with its length in front."""
    data = msgspec.msgpack.encode(message)
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    stream.flush()


def read_message(stream: IO[bytes]) -> bytes | None:
    """Read one message; None at the end."""
    length = stream.read(_LENGTH_BYTES)
    if len(length) < _LENGTH_BYTES:
        return None
    return stream.read(int.from_bytes(length, "big"))


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise MiscError("the decoder was started without pipes")
    return process.stdin, process.stdout


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let the decoder read the end of its input, which ends it."""
    with process:
        if process.stdin is not None:
            process.stdin.close()
