"""The decoder's side of the benchmark: a program that sees nothing but datagrams.

python -m misc_lab.bench.decoding PACK [--refine]
"""

import sys
from collections.abc import Sequence

import msgspec

from misc_lab.bench.decoder_process import (
    Reply,
    Request,
    answers_on_stdout,
    read_message,
    write_message,
)
from misc_receiver.decode import FrameContents, FrameDecoder
from misc_receiver.refinery import Refinery, RefinerySettings, open_refinery
from misc_shared.errors import BitstreamError, MiscError
from misc_shared.exit_codes import exit_on_error
from misc_shared.packs import load_pack
from misc_shared.session import LayerReceived, ReceiverSession

__all__ = ["main", "receive"]


def main() -> None:
    """Answer requests until standard input ends."""
    answers = answers_on_stdout()
    with exit_on_error("decoder"):
        pack = load_pack(sys.argv[1])
        decoder = FrameDecoder(pack, threads=1)
        refines = "--refine" in sys.argv[2:]
        refinery = open_refinery(pack, RefinerySettings()) if refines else None
        while (data := read_message(sys.stdin.buffer)) is not None:
            request = msgspec.msgpack.decode(data, type=Request)
            write_message(answers, _answer(request, decoder, refinery))


def _answer(request: Request, decoder: FrameDecoder, refinery: Refinery | None) -> Reply:
    try:
        contents = receive(request.parts, decoder)
    except MiscError as error:
        return Reply(error=str(error))
    if contents.coarse is None:
        return Reply(error="no base layer")
    pictures = [contents.coarse.pixels]
    if refinery is not None:
        shown = contents.coarse.pixels
        for step in refinery.refine(contents):
            if step.final and step.passed_guard:
                shown = step.pixels
        pictures.append(shown)
    height, width = contents.coarse.pixels.shape[:2]
    return Reply(height, width, tuple(picture.tobytes() for picture in pictures))


def receive(datagrams: Sequence[bytes], decoder: FrameDecoder) -> FrameContents:
    """Decode a recording of one picture.

    Raises:
        RemoteError: It does not decode.
    """
    session = ReceiverSession(packs=decoder.packs, instance=0, one_way=True)
    events = [event for datagram in datagrams for event in session.receive(datagram, 0.0)]
    layers = [event for event in events if isinstance(event, LayerReceived)]
    if not layers:
        raise BitstreamError("no layer came whole")
    for _ in decoder.decode(layers):
        pass  # what it yields is kept in the contents
    contents = decoder.contents(layers[0].frame)
    if contents is None:
        raise BitstreamError("the decoder did not keep the frame")
    decoder.forget(contents.frame)  # the next recording may use the same number
    return contents


if __name__ == "__main__":
    main()
