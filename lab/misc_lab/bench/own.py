"""Our codec under test: a whole stream of one picture, as `misc-send` records it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from misc_lab.bench.codec import CodedFile, Pixels
from misc_lab.bench.decoder_process import DecoderProcess
from misc_lab.bench.unsharp import COARSE, REFINED
from misc_sender.budget import Budget, introduction_bytes
from misc_sender.encode import EncodedFrame, FrameEncoder
from misc_sender.semantics import SemanticsBackend
from misc_sender.sources import Frame
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack
from misc_shared.session import HelloConfig, OutgoingFrame, SenderSession, SenderTiming
from misc_shared.wire import LayerKind

__all__ = ["MiscCodec", "Recorder", "check_options"]

_MTU = 1100
_DEADLINE = 60.0


def check_options(*, pack: str, refine: bool, semantics: str) -> None:
    """Refuse now what a worker process would refuse later.

    Raises:
        LocalError: The pack, one of its parts or the backend is not there.
    """
    opened = load_pack(pack)
    FrameEncoder(opened, semantics=semantics, budget=Budget(), mtu=_MTU)
    if refine:
        opened.component("refiner")


class Recorder:
    """Makes the recording that `misc-send` would make of a single picture.

    Args:
        pack: Name or folder of the model pack.
        semantics: Name of the semantics backend.
        backend: The backend itself, where it is one of our own.

    Attributes:
        layers: Those of the latest picture.

    Raises:
        LocalError: The pack or the backend is not there.
    """

    def __init__(
        self, *, pack: str, semantics: str, backend: SemanticsBackend | None = None
    ) -> None:
        self._pack = load_pack(pack)
        self._semantics = semantics
        self._backend = backend
        self._encoders: dict[Budget, FrameEncoder] = {}
        self.layers: Mapping[LayerKind, bytes] = {}

    def record(
        self, image: Pixels, budget: Budget, *, path: Path | None = None
    ) -> CodedFile | None:
        """Code a picture within a budget or at a quality; None where not even the base fits."""
        encoder = self._encoder(budget)
        hello = HelloConfig(stream="bench", packs=encoder.packs, started=0.0, first=True)
        reserve = introduction_bytes(hello, mtu=_MTU)
        try:
            encoded = encoder.encode(
                Frame(pixels=image, captured_at=0.0, path=path), reserve=reserve
            )
        except ConfigError:  # the budget does not hold even the smallest picture
            return None
        self.layers = encoded.layers
        sizes = "+".join(str(len(data)) for _, data in sorted(encoded.layers.items()))
        setting = f"1/{encoded.image.scale:g} quality {encoded.quality} layers {sizes}"
        return CodedFile(_datagrams(encoded, hello), setting)

    def _encoder(self, budget: Budget) -> FrameEncoder:
        if budget not in self._encoders:
            self._encoders[budget] = FrameEncoder(
                self._pack,
                semantics=self._semantics,
                budget=budget,
                mtu=_MTU,
                threads=1,
                backend=self._backend,
            )
        return self._encoders[budget]


class MiscCodec:
    """Codes a picture into every datagram of a recording: greeting, layers, farewell.

    Decoding happens in a process of its own, which gets these datagrams and nothing else.

    Args:
        pack: Name or folder of the model pack.
        refine: Give the refined picture beside the coarse one.
        semantics: Name of the semantics backend.

    Raises:
        LocalError: The pack or the backend is not there.
    """

    def __init__(self, *, pack: str, refine: bool, semantics: str) -> None:
        self._recorder = Recorder(pack=pack, semantics=semantics)
        options = ("--refine",) if refine else ()
        self._decoder = DecoderProcess("misc_lab.bench.decoding", pack, *options)
        self.series: tuple[str, ...] = (COARSE, REFINED) if refine else (COARSE,)

    def files(self, image: Pixels, *, max_bytes: int) -> Iterator[CodedFile]:
        """The one stream that our own rate control makes of the budget."""
        coded = self.stream(image, Budget(max_bytes=max_bytes))
        if coded is not None:
            yield coded

    def stream(self, image: Pixels, budget: Budget) -> CodedFile | None:
        """The one stream of a budget, or of a quality; None where not even the base fits."""
        return self._recorder.record(image, budget)

    def decode(self, parts: tuple[bytes, ...], *, width: int, height: int) -> Mapping[str, Pixels]:
        """Decode in the other process; the size is in the stream.

        Raises:
            RemoteError: The stream does not decode, or to another size.
        """
        pictures = self._decoder.decode(parts, width=width, height=height)
        return dict(zip(self.series, pictures, strict=True))


def _datagrams(encoded: EncodedFrame, hello: HelloConfig) -> tuple[bytes, ...]:
    """All that a recording of this one picture holds."""
    session = SenderSession(
        epoch=0,
        mtu=_MTU,
        hello=hello,
        now=0.0,
        one_way=True,
        timing=SenderTiming(base_repeats=0),
    )
    session.submit(OutgoingFrame(0.0, encoded.layers, _DEADLINE), 0.0)
    session.close()
    return tuple(iter(lambda: session.next_datagram(0.0), None))
