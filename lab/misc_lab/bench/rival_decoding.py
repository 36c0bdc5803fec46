"""The rivals' side of the benchmark: a program that sees nothing but files and a size to show.

python -m misc_lab.bench.rival_decoding CODEC
"""

import sys

import msgspec
import numpy as np
from PIL import Image

from misc_lab.bench.decoder_process import (
    Reply,
    Request,
    answers_on_stdout,
    read_message,
    write_message,
)
from misc_lab.bench.rival import Rival
from misc_lab.bench.rivals import RIVALS
from misc_shared.errors import MiscError

__all__ = ["main"]


def main() -> None:
    """Answer requests until standard input ends."""
    answers = answers_on_stdout()
    codec = RIVALS[sys.argv[1]]
    while (data := read_message(sys.stdin.buffer)) is not None:
        request = msgspec.msgpack.decode(data, type=Request)
        write_message(answers, _answer(request, codec))


def _answer(request: Request, codec: type[Rival]) -> Reply:
    try:
        small = codec.open(b"".join(request.parts))
    except (MiscError, OSError, ValueError) as error:  # what Pillow raises for a damaged file
        return Reply(error=str(error))
    shown = small.resize((request.width, request.height), Image.Resampling.LANCZOS)
    return Reply(request.height, request.width, (np.asarray(shown).tobytes(),))


if __name__ == "__main__":
    main()
