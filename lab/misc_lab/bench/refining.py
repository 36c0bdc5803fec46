"""The decoder's side of what is measured of refinement: datagrams in, pictures in many ways out.

python -m misc_lab.bench.refining PACK DEVICE
"""

import dataclasses
import sys
from collections.abc import Iterator

import msgspec
import numpy as np

from misc_lab.bench.codec import Pixels
from misc_lab.bench.decoder_process import (
    DecoderProcess,
    answers_on_stdout,
    read_message,
    write_message,
)
from misc_lab.bench.decoding import receive
from misc_receiver.decode import FrameContents, FrameDecoder
from misc_receiver.refine import Refiner, RefineRequest, load_refiner
from misc_shared.errors import BitstreamError, MiscError
from misc_shared.exit_codes import exit_on_error
from misc_shared.packs import load_pack

__all__ = ["RefinedPicture", "RefiningProcess", "Way", "main"]

_GREY = 127


class Way(msgspec.Struct, frozen=True):
    """One way to refine.

    Attributes:
        steps: Diffusion steps; the pictures of 0 steps are as decoded.
        seed: Of the noise; None takes the picture's own.
        latents: Whether to start from the decoded picture, or from grey without features.
    """

    steps: int
    seed: int | None = None
    latents: bool = True


class _Request(msgspec.Struct, frozen=True):
    parts: tuple[bytes, ...]
    ways: tuple[Way, ...]


class _Refined(msgspec.Struct, frozen=True):
    pixels: bytes
    passed: bool


class _Reply(msgspec.Struct, frozen=True):
    height: int = 0
    width: int = 0
    pictures: tuple[_Refined, ...] = ()
    error: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class RefinedPicture:
    """What a receiver would show.

    Attributes:
        pixels: The refined picture.
        passed: Whether the guard let it pass; if not, `pixels` is the coarse one.
    """

    pixels: Pixels
    passed: bool


class RefiningProcess:
    """Decodes and refines in a process of its own, which gets datagrams and nothing else.

    Args:
        pack: Name or folder of the model pack.
        device: "cpu" or "cuda".
    """

    def __init__(self, *, pack: str, device: str = "cpu") -> None:
        self._process = DecoderProcess("misc_lab.bench.refining", pack, device)

    def refine(self, parts: tuple[bytes, ...], ways: tuple[Way, ...]) -> list[RefinedPicture]:
        """Refine one recording of one picture in several ways.

        Raises:
            MiscError: The process ended.
            BitstreamError: The recording does not decode.
        """
        reply = self._process.ask(_Request(parts, ways), _Reply)
        if reply.error:
            raise BitstreamError(f"the stream gave {reply.error}")
        shape = (reply.height, reply.width, 3)
        return [
            RefinedPicture(np.frombuffer(one.pixels, np.uint8).reshape(shape), one.passed)
            for one in reply.pictures
        ]


def main() -> None:
    """Answer requests until standard input ends."""
    answers = answers_on_stdout()
    with exit_on_error("refining"):
        pack = load_pack(sys.argv[1])
        decoder = FrameDecoder(pack, threads=1)
        refiner = load_refiner(component=pack.component("refiner"), device=sys.argv[2])
        while (data := read_message(sys.stdin.buffer)) is not None:
            request = msgspec.msgpack.decode(data, type=_Request)
            write_message(answers, _answer(request, decoder, refiner))


def _answer(request: _Request, decoder: FrameDecoder, refiner: Refiner) -> _Reply:
    try:
        contents = receive(request.parts, decoder)
    except MiscError as error:
        return _Reply(error=str(error))
    if contents.coarse is None:
        return _Reply(error="no base layer")
    height, width = contents.coarse.pixels.shape[:2]
    return _Reply(height, width, tuple(_refine(contents, request.ways, refiner)))


def _refine(contents: FrameContents, ways: tuple[Way, ...], refiner: Refiner) -> Iterator[_Refined]:
    for way in ways:
        known = _known(contents, latents=way.latents)
        shown, passed = known.coarse, True
        if way.steps:
            seed = contents.seed if way.seed is None else way.seed
            *_, last = refiner.refine(known, steps=way.steps, seed=seed)
            passed = last.passed_guard
            shown = last.pixels if passed else shown
        yield _Refined(shown.tobytes(), passed)


def _known(contents: FrameContents, *, latents: bool) -> RefineRequest:
    if contents.coarse is None:
        raise BitstreamError("no base layer")
    image = contents.coarse
    if latents:
        return RefineRequest.of(image, contents.semantics)
    return RefineRequest(np.full_like(image.pixels, _GREY), None, contents.semantics, 0)


if __name__ == "__main__":
    main()
