"""One picture becomes layers of bytes, within its budget. Synchronous; knows nothing of networks.

The budget counts every byte that the picture puts on the wire, framing included. The base layer
comes first: text and maps get a small share at most, and go where they would not leave room.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from misc_sender.budget import Budget, frame_bytes
from misc_sender.semantics import SemanticsBackend, make_backend
from misc_sender.sources import Frame
from misc_shared.codec import EncodedImage, ImageEncoder
from misc_shared.errors import ConfigError
from misc_shared.maps import encode_maps
from misc_shared.packs import Pack
from misc_shared.semantics import Item, Semantics
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

__all__ = ["EncodedFrame", "FrameEncoder"]

SIDE_SHARE = 0.2
"""Share of a picture's bytes that text and maps may take together."""

_WORTH_A_SECOND_TRY = 8  # bytes that the first try left over for want of knowing its framing
_TRIES = 4

Layers = dict[LayerKind, bytes]


@dataclass(frozen=True)
class EncodedFrame:
    """A picture as it goes out.

    Attributes:
        layers: the layers that fit, BASE always among them.
        wire_bytes: at most this many bytes cross the link, framing included, without repeats.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        quality: the codec's quality, 0 to 31.
        semantics: what the text layer says; empty if there is none.
    """

    layers: Mapping[LayerKind, bytes]
    wire_bytes: int
    width: int
    height: int
    quality: int
    semantics: Semantics

    @property
    def bpp(self) -> float:
        """Bits per pixel of the captured picture, framing included."""
        return self.wire_bytes * 8 / (self.width * self.height)


class FrameEncoder:
    """Encodes pictures, one at a time.

    Args:
        pack: the models; the receiver needs the same.
        semantics: name of the semantics backend, one of `BACKENDS`.
        budget: what a picture may cost.
        mtu: bytes of the largest datagram.
        threads: processor cores for the networks; 0 takes all.
        backend: the semantics backend itself, where one was made already with its own options.

    Attributes:
        packs: component name -> digest of the models without which the layers do not decode.

    Raises:
        ConfigError: there is no such backend.
        PackError: a model is missing or damaged.
    """

    def __init__(
        self,
        pack: Pack,
        *,
        semantics: str,
        budget: Budget,
        mtu: int,
        threads: int = 0,
        backend: SemanticsBackend | None = None,
    ) -> None:
        codec, text = pack.component("codec"), pack.component("text")
        describes = semantics == "nano"
        self._backend: SemanticsBackend = backend or make_backend(
            semantics, component=pack.component("semantics") if describes else None
        )
        self._images = ImageEncoder(codec, threads=threads)
        self._text = TextCoder(text)
        self._budget = budget
        self._mtu = mtu
        self.packs = {"codec": codec.digest}
        if semantics != "none":
            self.packs["text"] = text.digest

    def encode(self, frame: Frame, *, reserve: int = 0) -> EncodedFrame:
        """Encode one picture.

        Args:
            frame: the picture.
            reserve: bytes of its budget that something else needs.

        Raises:
            ConfigError: the budget is too small for the picture.
            LocalError: the semantics backend cannot do its work.
        """
        height, width = frame.pixels.shape[:2]
        limit = self._budget.for_picture(width=width, height=height)
        semantics = self._backend.describe(frame.pixels, path=frame.path)
        if limit is None:
            said, side = next(self._side_layers(semantics))
            image = self._images.encode(frame.pixels, quality=self._budget.quality)
            return self._finish(image, said, side)
        for said, side in self._side_layers(semantics):
            if side and self._side_cost(side) > SIDE_SHARE * (limit - reserve):
                continue
            encoded = self._within(frame, said, side, limit=limit - reserve)
            if encoded is not None:
                return encoded
        raise ConfigError(
            f"{limit} bytes per picture are too few for {width}x{height} pixels"
            + (f" after {reserve} bytes for the stream's introduction" if reserve else "")
            + "; give more with --bytes, or smaller pictures with --max-side"
        )

    def close(self) -> None:
        """End a wait for words that is under way in another thread."""
        self._backend.close()

    def _side_layers(self, semantics: Semantics) -> Iterator[tuple[Semantics, Layers]]:
        """Ways to say what is in the picture, from the fullest to nothing at all."""
        names_only = Semantics(items=tuple(_without_detail(semantics)))
        for said in (semantics, dataclasses.replace(semantics, caption=""), names_only):
            if said != Semantics():
                text = {LayerKind.TEXT: self._text.encode(said)}
                maps = [item.map for item in said.items if item.map is not None]
                # Maps belong to items by their order, so they go only when every item has one.
                if maps and len(maps) == len(said.items):
                    yield said, text | {LayerKind.MAPS: encode_maps(maps)}
                yield said, text
        yield Semantics(), {}

    def _side_cost(self, side: Layers) -> int:
        base = {LayerKind.BASE: b"\0"}
        return frame_bytes(base | side, mtu=self._mtu) - frame_bytes(base, mtu=self._mtu)

    def _within(
        self, frame: Frame, said: Semantics, side: Layers, *, limit: int
    ) -> EncodedFrame | None:
        """Fill the budget with picture; None if not even the smallest base layer fits."""
        framing = self._framing(side, payload=limit)
        best: EncodedFrame | None = None
        for _ in range(_TRIES):
            image = self._encode_image(frame, limit - framing - _payload(side))
            if image is None:
                break
            encoded = self._finish(image, said, side)
            if encoded.wire_bytes <= limit:
                best = encoded
            actual = encoded.wire_bytes - _payload(encoded.layers)
            too_careful = framing - actual >= _WORTH_A_SECOND_TRY
            if encoded.wire_bytes <= limit and not too_careful:
                break
            if best is not None and encoded is not best:
                break  # the larger try did not fit, and the careful one did
            framing = actual
        return best

    def _encode_image(self, frame: Frame, room: int) -> EncodedImage | None:
        if room < 1:
            return None
        try:
            return self._images.encode(frame.pixels, max_bytes=room, quality=self._budget.quality)
        except ConfigError:  # not even the smallest base layer fits
            return None

    def _framing(self, side: Layers, *, payload: int) -> int:
        """Bytes of framing around layers of `payload` bytes altogether, before they exist."""
        third = bytes(max(1, (payload - _payload(side)) // 3))
        picture = dict.fromkeys((LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2), third)
        guess = picture | side
        return frame_bytes(guess, mtu=self._mtu) - _payload(guess)

    def _finish(self, image: EncodedImage, said: Semantics, side: Layers) -> EncodedFrame:
        kinds = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)
        picture = {kind: data for kind, data in zip(kinds, image.layers, strict=True) if data}
        layers = picture | side
        return EncodedFrame(
            layers=layers,
            wire_bytes=frame_bytes(layers, mtu=self._mtu),
            width=image.width,
            height=image.height,
            quality=image.quality,
            semantics=said,
        )


def _payload(layers: Mapping[LayerKind, bytes]) -> int:
    return sum(map(len, layers.values()))


def _without_detail(semantics: Semantics) -> Iterator[Item]:
    for item in semantics.items:
        yield dataclasses.replace(item, detail="")
