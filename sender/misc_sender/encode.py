"""One picture becomes layers of bytes, within its budget. Synchronous; knows nothing of networks.

The budget counts every byte that the picture puts on the wire, framing included. The base layer
comes first: text and maps get a small share at most, and go where they would not leave room.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from misc_sender.budget import Budget, frame_bytes
from misc_sender.grids import fit_maps
from misc_sender.semantics import SemanticsBackend, SteadySemantics, make_backend
from misc_sender.shares import SIDE_SHARE
from misc_sender.side import Known, Side, SideWriter
from misc_sender.sources import Frame
from misc_shared.codec import Base, EncodedImage, ImageEncoder, Reference, joined_layers
from misc_shared.errors import ConfigError
from misc_shared.packs import Pack
from misc_shared.semantics import Semantics
from misc_shared.wire import LayerKind, payload_room

__all__ = ["Against", "EncodedFrame", "FrameEncoder"]

_WORTH_A_SECOND_TRY = 8  # bytes that the first try left over for want of knowing its framing
_TRIES = 4
_IMAGE_LAYERS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)
# A delta this small goes in one datagram: what it would gain by layers that show one after the
# other, it would pay for in framing.
_JOIN = 512
# Where more of the picture has changed, one that stands alone is considered, and sent if it costs
# no more: it needs no base and shows its first layer sooner.
_CUT_SHARE = 0.5
_CUT_COST = 1.0

Layers = dict[LayerKind, bytes]
_MakeImage = Callable[[int | None, Side], EncodedImage | None]


@dataclass(frozen=True, eq=False)
class Against:
    """An earlier picture that the receiver has.

    Attributes:
        base: its integers, as far as the receiver has them.
        known: what the receiver knows of its content.
    """

    base: Base
    known: Known


@dataclass(frozen=True)
class EncodedFrame:
    """A picture as it goes out.

    Attributes:
        layers: the layers that fit, BASE always among them.
        wire_bytes: at most this many bytes cross the link, framing included, without repeats.
        image: the coded picture.
        side: what is said about it.
    """

    layers: Mapping[LayerKind, bytes]
    wire_bytes: int
    image: EncodedImage
    side: Side

    @property
    def width(self) -> int:
        """Of the picture, in pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return self.image.height

    @property
    def quality(self) -> int:
        """The codec's quality, 0 to 31."""
        return self.image.quality

    @property
    def semantics(self) -> Semantics:
        """What the text layer says, or that of the base; empty if neither says anything."""
        return self.side.said

    @property
    def delta(self) -> bool:
        """Whether it was made against another picture."""
        return self.image.delta

    @property
    def reference(self) -> Reference:
        """What a later picture may be made against."""
        return self.image.reference

    @property
    def joined(self) -> int:
        """How many image layers BASE holds."""
        return joined_layers(self.layers[LayerKind.BASE])

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
        overhead: bytes that a seal adds to each datagram.
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
        overhead: int = 0,
        threads: int = 0,
        backend: SemanticsBackend | None = None,
    ) -> None:
        codec, text = pack.component("codec"), pack.component("text")
        describes = semantics == "nano"
        if backend is None:
            backend = make_backend(
                semantics, component=pack.component("semantics") if describes else None
            )
            backend = SteadySemantics(backend) if describes else backend
        self._backend = backend
        self._images = ImageEncoder(codec, threads=threads)
        self._side = SideWriter(text)
        self._budget = budget
        self._mtu = mtu
        self._overhead = overhead
        self.packs = {"codec": codec.digest}
        if semantics != "none":
            self.packs["text"] = text.digest

    def full_size(self, frame: Frame) -> int | None:
        """Bytes that the user allows a picture; None where the quality alone decides."""
        height, width = frame.pixels.shape[:2]
        return self._budget.for_picture(width=width, height=height)

    def encode(
        self,
        frame: Frame,
        *,
        reserve: int = 0,
        against: Sequence[Against] = (),
        most: int | None = None,
    ) -> EncodedFrame:
        """Encode one picture.

        Args:
            frame: the picture.
            reserve: bytes of its budget that something else needs.
            against: earlier pictures that may serve as base, the newest first.
            most: bytes that the link has room for, or None. Where no picture is that small, it is
                as small as it can be.

        Raises:
            ConfigError: the budget is too small for the picture.
            LocalError: the semantics backend cannot do its work.
        """
        described = self._backend.describe(frame.pixels, path=frame.path)
        full = self.full_size(frame)
        limit = full if most is None else most if full is None else min(most, full)
        while True:
            encoded = self._within_limit(frame, described, limit, reserve, against)
            if encoded is not None:
                return encoded
            if limit is None or (full is not None and limit >= full):
                raise _too_small(frame, limit, reserve)
            limit = 2 * limit if full is None else min(2 * limit, full)

    def _within_limit(
        self,
        frame: Frame,
        described: Semantics,
        limit: int | None,
        reserve: int,
        against: Sequence[Against],
    ) -> EncodedFrame | None:
        """Encode one picture; None if not even the smallest one fits."""
        semantics = fit_maps(described, limit, share=self._budget.map_share)
        room = None if limit is None else limit - reserve
        delta = self._delta(frame, semantics, against, room) if against else None
        if delta is not None and delta.image.changed < _CUT_SHARE:
            return delta
        key = self._key(frame, semantics, room)
        if delta is not None and (
            key is None or _serves_better(delta, key, budgeted=limit is not None)
        ):
            return delta
        return key

    def close(self) -> None:
        """End a wait for words that is under way in another thread."""
        self._backend.close()

    def _key(self, frame: Frame, semantics: Semantics, limit: int | None) -> EncodedFrame | None:
        """Encode a picture that stands alone; None if the budget is too small."""
        quality = self._budget.quality

        def make(room: int | None, _: Side) -> EncodedImage | None:
            if room is None:
                return self._images.encode(frame.pixels, quality=quality)
            try:
                return self._images.encode(frame.pixels, max_bytes=room, quality=quality)
            except ConfigError:  # not even the smallest base layer fits
                return None

        return self._fill(make, self._side.ways(semantics), limit, layers=_IMAGE_LAYERS)

    def _delta(
        self, frame: Frame, semantics: Semantics, against: Sequence[Against], limit: int | None
    ) -> EncodedFrame | None:
        """Encode what differs from another picture; None if that cannot be, or does not fit."""
        references = [one.base.reference for one in against]
        chosen = against[self._images.nearest(frame.pixels, references)]
        join = min(_JOIN, payload_room(self._mtu))

        def make(room: int | None, side: Side) -> EncodedImage | None:
            base = dataclasses.replace(
                chosen.base,
                same_text=LayerKind.TEXT in side.same,
                same_maps=LayerKind.MAPS in side.same,
            )
            return self._images.encode_delta(
                frame.pixels, base, max_bytes=room, quality=self._budget.quality, join=join
            )

        ways = self._side.ways(semantics, chosen.known)
        return self._fill(make, ways, limit, layers=_IMAGE_LAYERS[:1])

    def _fill(
        self,
        make: _MakeImage,
        ways: Iterable[Side],
        limit: int | None,
        *,
        layers: Sequence[LayerKind],
    ) -> EncodedFrame | None:
        """Say as much as may be said, and fill the rest of the budget with picture."""
        for side in ways:
            if limit is None:
                image = make(None, side)
                return None if image is None else self._finish(image, side)
            if side.layers and self._side_cost(side.layers) > SIDE_SHARE * limit:
                continue
            encoded = self._within(make, side, limit=limit, layers=layers)
            if encoded is not None:
                return encoded
        return None

    def _side_cost(self, side: Layers) -> int:
        base = {LayerKind.BASE: b"\0"}
        return self._frame_bytes(base | side) - self._frame_bytes(base)

    def _within(
        self, make: _MakeImage, side: Side, *, limit: int, layers: Sequence[LayerKind]
    ) -> EncodedFrame | None:
        """Fill the budget with picture; None if not even the smallest base layer fits."""
        said = _payload(side.layers)
        framing = self._framing(side.layers, payload=limit, layers=layers)
        best: EncodedFrame | None = None
        for _ in range(_TRIES):
            room = limit - framing - said
            image = make(room, side) if room > 0 else None
            if image is None:
                break
            encoded = self._finish(image, side)
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

    def _framing(self, side: Layers, *, payload: int, layers: Sequence[LayerKind]) -> int:
        """Bytes of framing around layers of `payload` bytes altogether, before they exist."""
        share = bytes(max(1, (payload - _payload(side)) // len(layers)))
        guess = dict.fromkeys(layers, share) | side
        return self._frame_bytes(guess) - _payload(guess)

    def _finish(self, image: EncodedImage, side: Side) -> EncodedFrame:
        picture = {
            kind: data for kind, data in zip(_IMAGE_LAYERS, image.layers, strict=True) if data
        }
        layers = picture | side.layers
        return EncodedFrame(layers, self._frame_bytes(layers), image, side)

    def _frame_bytes(self, layers: Layers) -> int:
        return frame_bytes(layers, mtu=self._mtu, overhead=self._overhead)


def _too_small(frame: Frame, limit: int | None, reserve: int) -> ConfigError:
    height, width = frame.pixels.shape[:2]
    return ConfigError(
        f"{limit} bytes per picture are too few for {width}x{height} pixels"
        + (f" after {reserve} bytes for the stream's introduction" if reserve else "")
        + "; give more with --bytes, or smaller pictures with --max-side"
    )


def _payload(layers: Mapping[LayerKind, bytes]) -> int:
    return sum(map(len, layers.values()))


def _serves_better(delta: EncodedFrame, key: EncodedFrame, *, budgeted: bool) -> bool:
    """Whether a delta of a much changed picture is worth its dependence on another one."""
    cheaper = delta.wire_bytes <= _CUT_COST * key.wire_bytes
    if not budgeted or delta.quality == key.quality:
        return cheaper
    return delta.quality > key.quality and delta.image.scale <= key.image.scale
