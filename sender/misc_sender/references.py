"""Which earlier picture the next one is coded against, if any."""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from misc_sender.encode import Against, EncodedFrame
from misc_sender.side import Known, maps_of
from misc_shared.codec import Base, DeltaHeader
from misc_shared.session import FrameId
from misc_shared.wire import LayerKind

__all__ = ["LinkKind", "ReferenceBook"]

_REMEMBERED = 8
LOSSY_KEY_EVERY = 8
"""A picture that stands alone, by default, where losses go unnoticed."""

_DETAILS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)


class LinkKind(enum.Enum):
    """What is known of a picture once it was sent."""

    CONFIRMED = "the receiver says which layers it has"
    LOSSLESS = "everything arrives, as in a recording"
    LOSSY = "nothing comes back, and what is lost goes unnoticed"


@dataclass(eq=False)
class _Sent:
    encoded: EncodedFrame
    has: set[LayerKind] = field(default_factory=set)

    @property
    def image_layers(self) -> int:
        """Image layers, from the base layer on, that the receiver has for certain."""
        if LayerKind.BASE not in self.has:
            return 0
        count = self.encoded.joined
        while count < len(self.encoded.reference.integers) and _DETAILS[count] in self.has:
            count += 1
        return count

    @property
    def known(self) -> Known:
        """What the receiver knows of its content."""
        side = self.encoded.side
        text = not side.layers.get(LayerKind.TEXT) or LayerKind.TEXT in self.has
        maps = not side.layers.get(LayerKind.MAPS) or LayerKind.MAPS in self.has
        return Known(
            text=side.said if text else None,
            maps=(maps_of(side.said) if side.mapped else []) if maps else None,
        )


class ReferenceBook:
    """Remembers the newest pictures and what the receiver has of them.

    Args:
        link: what is known of a picture once it was sent.
        key_every: a picture that stands alone at least every so many, 1 for no others; None for
            only where it is needed, or every `LOSSY_KEY_EVERY` where losses go unnoticed.
    """

    def __init__(self, link: LinkKind, *, key_every: int | None = None) -> None:
        self._link = link
        lossy = link is LinkKind.LOSSY
        self._key_every = LOSSY_KEY_EVERY if key_every is None and lossy else key_every
        self._frames: OrderedDict[FrameId, _Sent] = OrderedDict()
        self._since_key = 0
        self._lost = False

    def sent(self, frame: FrameId, encoded: EncodedFrame) -> None:
        """Remember a picture that was handed to the session."""
        self._since_key = self._since_key + 1 if encoded.delta else 1
        self._lost = self._lost and encoded.delta
        self._touch(encoded)
        entry = _Sent(encoded)
        if self._link is not LinkKind.CONFIRMED:
            entry.has.update(encoded.layers)
        # After one loss all that follow would be lost: only keys serve as bases then.
        if encoded.delta and (self._lost or self._link is LinkKind.LOSSY):
            return
        self._frames[frame] = entry
        self._make_room()

    def confirmed(self, frame: FrameId, layers: Iterable[LayerKind] | None = None) -> None:
        """Note what the receiver has of a picture; None for all of it."""
        entry = self._frames.get(frame)
        if entry is not None and self._link is LinkKind.CONFIRMED:
            entry.has.update(entry.encoded.layers if layers is None else layers)

    def refresh(self) -> None:
        """The receiver lost track: the next picture stands alone."""
        self._frames.clear()
        self._lost = True

    def choose(self, delivered: Callable[[FrameId], Iterable[LayerKind]]) -> list[Against]:
        """Pick what may serve as base of the next picture; nothing if that has to stand alone.

        Args:
            delivered: gives the confirmed layers of a picture that is still under way.

        Returns:
            The newest first of those of which the receiver has most. An older one may serve
            better: where something passed by, it shows what is behind.
        """
        if self._key_every is not None and self._since_key >= self._key_every:
            return []
        for frame in self._frames:
            self.confirmed(frame, delivered(frame))
        usable = sorted(self._usable(), key=lambda one: _rank(*one), reverse=True)
        return [_against(*one) for one in usable]

    def _usable(self) -> list[tuple[FrameId, _Sent]]:
        return [entry for entry in self._frames.items() if entry[1].image_layers]

    def _touch(self, encoded: EncodedFrame) -> None:
        """A base that was named is one to keep; the receiver does likewise."""
        if encoded.delta:
            base = DeltaHeader.unpack(encoded.layers[LayerKind.BASE]).base
            for frame in [frame for frame in self._frames if frame.on_wire == base]:
                self._frames.move_to_end(frame)

    def _make_room(self) -> None:
        while len(self._frames) > _REMEMBERED:
            best = max(self._usable(), key=lambda one: _rank(*one), default=None)
            oldest = next(frame for frame in self._frames if best is None or frame != best[0])
            del self._frames[oldest]


def _rank(frame: FrameId, sent: _Sent) -> tuple[int, int]:
    return sent.image_layers, frame.tick


def _against(frame: FrameId, sent: _Sent) -> Against:
    reference = sent.encoded.reference.first(sent.image_layers)
    return Against(Base(reference, frame.on_wire), sent.known)
