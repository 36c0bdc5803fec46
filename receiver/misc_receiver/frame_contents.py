"""What is known about one frame while it is received and decoded."""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass, field

from misc_receiver.picture_memory import Kept
from misc_receiver.references import Known
from misc_shared.codec import DecodedImage, Reference, joined_layers
from misc_shared.semantics import Semantics
from misc_shared.session import FrameId
from misc_shared.wire import LayerKind

__all__ = ["IMAGE_LAYERS", "FrameContents"]

IMAGE_LAYERS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)
"""In the order in which each builds on the one before."""


@dataclass(eq=False)
class FrameContents:
    """All that is known about one frame.

    Attributes:
        frame: the frame.
        shown: image layers of the best picture so far.
        known: what has been decoded of it.
        fresh: what was decoded just now, until it is shown.
        missing: id of the base that it waits for, or None.
        waiting: text and maps that wait for their base.
        base_known: what is known of the base.
        inherits: whether its words are the base's and nobody was told yet.
    """

    frame: FrameId
    shown: int = 0
    known: Known = field(default_factory=Known)
    fresh: Reference | None = None
    missing: int | None = None
    waiting: dict[LayerKind, bytes] = field(default_factory=dict)
    base_known: Known | None = None
    inherits: bool = False
    _layers: dict[LayerKind, bytes] = field(default_factory=dict)
    _coarse: Kept[DecodedImage] | None = None

    @property
    def coarse(self) -> DecodedImage | None:
        """The best picture so far; None if there is none, or it was let go."""
        return None if self._coarse is None else self._coarse.content

    @property
    def nbytes(self) -> int:
        """Bytes of the layers that are kept."""
        return sum(map(len, self._layers.values())) + sum(map(len, self.waiting.values()))

    @property
    def semantics(self) -> Semantics | None:
        """Text with the maps in it, as far as both have come."""
        text, maps = self.known.text, self.known.maps
        if text is None or maps is None or len(maps) != len(text.items):
            return text
        pairs = zip(text.items, maps, strict=True)
        items = tuple(dataclasses.replace(item, map=where) for item, where in pairs)
        return Semantics(items=items, caption=text.caption)

    @property
    def base(self) -> bytes:
        """The base layer; empty if it has not come."""
        return self._layers.get(LayerKind.BASE, b"")

    @property
    def layers_read(self) -> int:
        """Image layers of which the integers are known."""
        picture = self.known.picture
        return 0 if picture is None else len(picture.integers)

    @property
    def seed(self) -> int:
        """The same number at every receiver: made from the base layer."""
        return zlib.crc32(self.base)

    def show(self, coarse: Kept[DecodedImage] | None) -> None:
        """Note a picture that is about to be shown, or that no picture is needed any more."""
        self._coarse = coarse

    def add(self, layer: LayerKind, data: bytes) -> None:
        """Keep a layer of the picture until those before it are there."""
        self._layers[layer] = data

    def drop(self, layer: LayerKind) -> None:
        """Forget a layer that does not decode."""
        self._layers.pop(layer, None)

    def decodable(self) -> list[bytes]:
        """The picture's layers without a gap, from BASE on; empty where BASE holds them."""
        prefix: list[bytes] = []
        joined = joined_layers(self.base)
        for number, layer in enumerate(IMAGE_LAYERS):
            if layer not in self._layers and not 0 < number < joined:
                break
            prefix.append(self._layers.get(layer, b""))
        return prefix if self.base else []
