"""Layers become pictures, text and maps. Synchronous; knows nothing of networks.

Whatever has arrived is decoded at once, the text first because it takes no time. A layer that does
not decode costs itself and what builds on it, and nothing else.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec import DecodedImage, ImageDecoder
from misc_shared.errors import RemoteError
from misc_shared.maps import decode_maps
from misc_shared.packs import Pack
from misc_shared.semantics import Semantics
from misc_shared.session import FrameId, LayerReceived
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

__all__ = [
    "CoarseDecoded",
    "Decoded",
    "FrameContents",
    "FrameDecoder",
    "LayerFailed",
    "TextDecoded",
]

IMAGE_LAYERS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)
"""In the order in which each builds on the one before."""

_REMEMBERED = 8
"""Frames whose layers are kept; a later layer of an older frame is not decoded any more."""


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
    """

    frame: FrameId
    image: DecodedImage


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


Decoded = CoarseDecoded | LayerFailed | TextDecoded
"""Everything that `FrameDecoder.decode` yields."""


@dataclass(eq=False)
class FrameContents:
    """All that is known about one frame.

    Attributes:
        frame: the frame.
        coarse: the best picture so far, or None.
        text: what the text layer says, or None.
        maps: the maps layer, bool [rows, columns] each, or None.
    """

    frame: FrameId
    coarse: DecodedImage | None = None
    text: Semantics | None = None
    maps: list[NDArray[np.bool_]] | None = None
    _layers: dict[LayerKind, bytes] = field(default_factory=dict)

    @property
    def semantics(self) -> Semantics | None:
        """Text with the maps in it, as far as both have come."""
        if self.text is None or self.maps is None or len(self.maps) != len(self.text.items):
            return self.text
        pairs = zip(self.text.items, self.maps, strict=True)
        items = tuple(dataclasses.replace(item, map=where) for item, where in pairs)
        return Semantics(items=items, caption=self.text.caption)

    @property
    def seed(self) -> int:
        """The same number at every receiver: made from the base layer."""
        return zlib.crc32(self._layers.get(LayerKind.BASE, b""))

    def add(self, layer: LayerKind, data: bytes) -> None:
        """Keep a layer of the picture until those before it are there."""
        self._layers[layer] = data

    def drop(self, layer: LayerKind) -> None:
        """Forget a layer that does not decode."""
        self._layers.pop(layer, None)

    def decodable(self) -> list[bytes]:
        """The picture's layers without a gap, from BASE on."""
        prefix = []
        for layer in IMAGE_LAYERS:
            if layer not in self._layers:
                break
            prefix.append(self._layers[layer])
        return prefix


class FrameDecoder:
    """Decodes the layers of a stream's frames.

    Args:
        pack: the models; the sender used the same.
        threads: processor cores for the networks; 0 takes all.

    Attributes:
        packs: component name -> digest of the models at hand.
        failures: layers so far that did not decode.

    Raises:
        PackError: a model is missing or damaged.
    """

    def __init__(self, pack: Pack, *, threads: int = 0) -> None:
        codec, text = pack.component("codec"), pack.component("text")
        self.packs = {"codec": codec.digest, "text": text.digest}
        self.failures = 0
        self._images = ImageDecoder(codec, threads=threads)
        self._text = TextCoder(text)
        self._frames: OrderedDict[FrameId, FrameContents] = OrderedDict()

    def contents(self, frame: FrameId) -> FrameContents | None:
        """What is known about a frame; None if it was never seen or is forgotten."""
        return self._frames.get(frame)

    def forget(self, frame: FrameId) -> None:
        """Let go of a frame that is finished."""
        self._frames.pop(frame, None)

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
                yield from self._decode_side(contents, event)
        for contents in sharper.values():
            yield from self._decode_picture(contents)

    def _open(self, frame: FrameId) -> FrameContents | None:
        known = self._frames.get(frame)
        if known is not None:
            return known
        if len(self._frames) >= _REMEMBERED:
            if all(frame.epoch == one.epoch and frame < one for one in self._frames):
                return None
            self._frames.popitem(last=False)
        return self._frames.setdefault(frame, FrameContents(frame))

    def _decode_side(self, contents: FrameContents, event: LayerReceived) -> Iterator[Decoded]:
        try:
            if event.layer is LayerKind.TEXT:
                contents.text = self._text.decode(event.data)
            else:
                contents.maps = decode_maps(event.data)
        except RemoteError as error:
            yield self._failed(contents, event.layer, error)
            return
        if contents.semantics is not None:
            yield TextDecoded(contents.frame, contents.semantics)

    def _decode_picture(self, contents: FrameContents) -> Iterator[Decoded]:
        """Decode the longest run of layers that decodes; the layer after it is the bad one."""
        layers = contents.decodable()
        shown = 0 if contents.coarse is None else contents.coarse.layers_used
        failure: RemoteError | None = None
        length = len(layers)
        while length > shown:
            try:
                contents.coarse = self._images.decode(layers[:length])
            except RemoteError as error:
                failure, length = error, length - 1
            else:
                yield CoarseDecoded(contents.frame, contents.coarse)
                break
        if failure is not None:
            contents.drop(IMAGE_LAYERS[length])
            yield self._failed(contents, IMAGE_LAYERS[length], failure)

    def _failed(self, contents: FrameContents, layer: LayerKind, error: RemoteError) -> LayerFailed:
        self.failures += 1
        return LayerFailed(contents.frame, layer, error)
