"""Layers become pictures, text and maps. Synchronous; knows nothing of networks.

Whatever has arrived is decoded at once, the text first because it takes no time. A layer that does
not decode costs itself and what builds on it, and nothing else. Of a delta whose base is not here
nothing is shown: the picture before it stays.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from misc_receiver.frame_contents import IMAGE_LAYERS, FrameContents
from misc_receiver.picture_memory import PictureMemory
from misc_receiver.references import Known, References
from misc_shared.codec import (
    DecodedImage,
    DeltaHeader,
    ImageDecoder,
    Reference,
    is_delta,
    joined_layers,
)
from misc_shared.errors import MissingBaseError, RemoteError
from misc_shared.maps import decode_maps, maps_need_base
from misc_shared.packs import Pack
from misc_shared.semantics import Semantics
from misc_shared.session import FrameId, LayerReceived
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

__all__ = [
    "IMAGE_LAYERS",
    "BaseMissing",
    "CoarseDecoded",
    "Decoded",
    "FrameContents",
    "FrameDecoder",
    "LayerFailed",
    "TextDecoded",
]

_REMEMBERED = 8
"""Frames whose layers are kept; a later layer of an older frame is not decoded any more."""

_SHOWN = 4
"""Frames of one batch that become pictures; older ones serve as bases only."""


@dataclass(frozen=True, eq=False)
class TextDecoded:
    """What the sender says is in the picture.

    Attributes:
        frame: the frame.
        semantics: items and caption; items have maps once those have come.
    """

    frame: FrameId
    semantics: Semantics


@dataclass(frozen=True, eq=False)
class CoarseDecoded:
    """The picture as far as its layers have come.

    Attributes:
        frame: the frame.
        image: the picture; each further one of the same frame is sharper.
        delta: whether it came as what differs from another one.
    """

    frame: FrameId
    image: DecodedImage
    delta: bool = False


@dataclass(frozen=True)
class LayerFailed:
    """A layer that does not decode.

    Attributes:
        frame: the frame.
        layer: the layer.
        error: what is wrong with it.
    """

    frame: FrameId
    layer: LayerKind
    error: RemoteError


@dataclass(frozen=True)
class BaseMissing:
    """A delta whose base is not here: it needs a picture that stands alone.

    Attributes:
        frame: the frame.
        error: what it was made against.
    """

    frame: FrameId
    error: MissingBaseError


Decoded = BaseMissing | CoarseDecoded | LayerFailed | TextDecoded
"""Everything that `FrameDecoder.decode` yields."""


class FrameDecoder:
    """Decodes the layers of a stream's frames.

    Args:
        pack: the models; the sender used the same.
        threads: processor cores for the networks; 0 takes all.
        memory: where what was decoded is kept; None for as much as there is.
        layer_bytes: of a stream's layers that are kept for later ones.

    Attributes:
        packs: component name -> digest of the models at hand.
        failures: layers so far that did not decode.
        missing_bases: deltas so far whose base was not here.

    Raises:
        PackError: a model is missing or damaged.
    """

    def __init__(
        self,
        pack: Pack,
        *,
        threads: int = 0,
        memory: PictureMemory | None = None,
        layer_bytes: int = 4 << 20,
    ) -> None:
        codec, text = pack.component("codec"), pack.component("text")
        self.packs = {"codec": codec.digest, "text": text.digest}
        self._images = ImageDecoder(codec, threads=threads)
        self._text = TextCoder(text)
        self._memory = memory or PictureMemory()
        self._layer_bytes = layer_bytes
        self._begin("")

    def _begin(self, stream: str) -> None:
        self._stream = stream
        self.failures = 0
        self.missing_bases = 0
        self._references = References()
        self._frames: OrderedDict[FrameId, FrameContents] = OrderedDict()

    def sibling(self, stream: str = "") -> FrameDecoder:
        """A decoder of another stream, with the same models in memory; for the same thread."""
        other = copy(self)
        other._begin(stream)  # noqa: SLF001 - of one's own kind
        return other

    def contents(self, frame: FrameId) -> FrameContents | None:
        """What is known about a frame; None if it was never seen or is forgotten."""
        return self._frames.get(frame)

    def forget(self, frame: FrameId) -> None:
        """Let go of a frame that is finished."""
        self._frames.pop(frame, None)

    def forget_pictures_before(self, frame: FrameId) -> None:
        """Let go of older frames' pixels; what deltas and later layers build on stays."""
        for contents in self._frames.values():
            if contents.frame.epoch != frame.epoch or contents.frame < frame:
                contents.show(None)

    def forget_picture(self, frame: FrameId) -> None:
        """Let go of a frame's pixels, which nobody needs again."""
        contents = self._frames.get(frame)
        if contents is not None:
            contents.show(None)

    def decode(self, received: Sequence[LayerReceived]) -> Iterator[Decoded]:
        """Decode what came, text first, then each picture once with all its layers.

        Args:
            received: layers of any frames, each whole.

        Yields:
            What there is to show, as soon as it is decoded.
        """
        sharper: dict[FrameId, FrameContents] = {}
        for event in sorted(received, key=lambda event: event.layer in IMAGE_LAYERS):
            contents = self._open(event.frame)
            if contents is None:
                continue
            if event.layer in IMAGE_LAYERS:
                contents.add(event.layer, event.data)
                sharper[event.frame] = contents
            else:
                yield from self._decode_side(contents, event.layer, event.data)
            self._bound_layers()
        # Bases come before what builds on them; what is shown first is for the caller to say.
        for frame in sorted(sharper):
            for contents in self._with_dependents(sharper[frame]):
                sharper.setdefault(contents.frame, contents)
                yield from self._read_picture(contents)
        newest = sorted(sharper)[-_SHOWN:]
        for frame, contents in sharper.items():
            if frame not in newest:
                contents.fresh = None
        for frame, contents in sharper.items():
            if frame in newest:
                yield from self._show_picture(contents)
                contents.fresh = None

    def _bound_layers(self) -> None:
        """Let go of the oldest frames where layers take too many bytes; the newest one stays."""
        while len(self._frames) > 1 and self._kept_bytes() > self._layer_bytes:
            self._frames.popitem(last=False)

    def _kept_bytes(self) -> int:
        return sum(contents.nbytes for contents in self._frames.values())

    def _open(self, frame: FrameId) -> FrameContents | None:
        known = self._frames.get(frame)
        if known is not None:
            return known
        if len(self._frames) >= _REMEMBERED:
            if all(frame.epoch == one.epoch and frame < one for one in self._frames):
                return None
            self._frames.popitem(last=False)
        return self._frames.setdefault(frame, FrameContents(frame))

    def _decode_side(
        self, contents: FrameContents, layer: LayerKind, data: bytes
    ) -> Iterator[Decoded]:
        """Decode text or maps; what leaves out what the base says waits for BASE."""
        base = contents.base_known
        if base is None and contents.known.picture is None and _leaves_out(layer, data):
            contents.waiting[layer] = data
            return
        try:
            if layer is LayerKind.TEXT:
                contents.known.text = self._text.decode(data, base.text if base else None)
            else:
                contents.known.maps = decode_maps(data, base=(base.maps if base else None) or ())
        except RemoteError as error:
            yield self._failed(contents, layer, error)
            return
        if contents.semantics is not None:
            yield TextDecoded(contents.frame, contents.semantics)

    def _with_dependents(self, contents: FrameContents) -> Iterator[FrameContents]:
        """The frame, then those that waited for it, and so on."""
        yield contents
        if contents.fresh is None and contents.known.picture is None:
            return
        for other in list(self._frames.values()):
            same_epoch = other.frame.epoch == contents.frame.epoch
            if same_epoch and other.missing == contents.frame.on_wire:
                yield from self._with_dependents(other)

    def _read_picture(self, contents: FrameContents) -> Iterator[Decoded]:
        """Read the longest run of layers that decodes; the layer after it is the bad one."""
        layers = contents.decodable()
        failure: RemoteError | None = None
        joined = joined_layers(contents.base)
        length = len(layers)
        while length > max(contents.layers_read, joined - 1):
            try:
                self._hold(contents, self._read(contents, layers[:length]))
            except MissingBaseError as error:
                yield from self._lacks_base(contents, error)
                return
            except RemoteError as error:
                failure, length = error, length - 1
            else:
                self._references.keep(contents.frame, contents.known)
                for layer in sorted(contents.waiting):
                    yield from self._decode_side(contents, layer, contents.waiting.pop(layer))
                break
        if failure is not None:
            bad = IMAGE_LAYERS[length if length >= joined else 0]
            contents.drop(bad)
            yield self._failed(contents, bad, failure)

    def _read(self, contents: FrameContents, layers: Sequence[bytes]) -> Reference:
        """Read the integers of layers, against the base if they are a delta's.

        Raises:
            RemoteError: they do not decode, or the base is not here.
        """
        base: Known | None = None
        delta: DeltaHeader | None = None
        if is_delta(layers[0]):
            delta = DeltaHeader.unpack(layers[0])
            base = self._references.find(contents.frame.epoch, delta)
        reference = None if base is None else base.picture
        found = self._images.read(layers, reference=reference)
        # What is left out for want of the base's finer layers may still come.
        complete = delta is None or len(found.integers) == len(layers)
        contents.missing = None if complete or delta is None else delta.base
        if base is not None and delta is not None and contents.base_known is None:
            contents.base_known = base
            contents.inherits = delta.same_text
            if delta.same_text:
                contents.known.text = base.text
            if delta.same_maps:
                contents.known.maps = base.maps
        return found

    def _lacks_base(self, contents: FrameContents, error: MissingBaseError) -> Iterator[Decoded]:
        """Let a delta wait for its base, and say so once."""
        wanted = DeltaHeader.unpack(contents.base).base
        if contents.missing != wanted:
            contents.missing = wanted
            self.missing_bases += 1
            yield BaseMissing(contents.frame, error)

    def _hold(self, contents: FrameContents, picture: Reference) -> None:
        contents.fresh = picture
        contents.known.held = self._memory.keep(
            picture, stream=self._stream, arrays=picture.integers
        )

    def _render(self, contents: FrameContents, picture: Reference) -> CoarseDecoded:
        image = self._images.render(picture)
        contents.shown = image.layers_used
        arrays = (image.pixels, image.coded, image.features)
        contents.show(self._memory.keep(image, stream=self._stream, arrays=arrays))
        return CoarseDecoded(contents.frame, image, is_delta(contents.base))

    def _show_picture(self, contents: FrameContents) -> Iterator[Decoded]:
        if contents.fresh is not None and len(contents.fresh.integers) > contents.shown:
            # No name for it here: whoever waits for their next turn would hold its pixels.
            yield self._render(contents, contents.fresh)
        if contents.inherits and contents.semantics is not None:
            contents.inherits = False
            yield TextDecoded(contents.frame, contents.semantics)

    def _failed(self, contents: FrameContents, layer: LayerKind, error: RemoteError) -> LayerFailed:
        self.failures += 1
        return LayerFailed(contents.frame, layer, error)


def _leaves_out(layer: LayerKind, data: bytes) -> bool:
    """Whether a text or maps layer needs the base's."""
    return TextCoder.needs_base(data) if layer is LayerKind.TEXT else maps_need_base(data)
