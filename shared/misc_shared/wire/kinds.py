"""The first number of every datagram: what it is. protocol.md, Kinds.

The number is a msgpack positive fixint, one byte of 7 bits: the low 3 name a layer or a family,
the high 4 say which layers the frame has (data) or which message it is (control). So a receiver
knows from any one datagram when its frame is complete, and that knowledge costs no byte.
"""

from collections.abc import Iterable
from enum import IntEnum

__all__ = [
    "PRIORITY",
    "Control",
    "Family",
    "LayerKind",
    "control_kind",
    "data_kind",
    "frame_layers",
]


class LayerKind(IntEnum):
    """A decodable part of a frame; the number is its place on the wire and in the priority."""

    BASE = 0
    TEXT = 1
    DETAIL1 = 2
    MAPS = 3
    DETAIL2 = 4


PRIORITY: tuple[LayerKind, ...] = tuple(LayerKind)
"""The order in which a frame's layers are sent."""


class Family(IntEnum):
    """The low 3 bits of a kind that is no chunk of a single layer."""

    PAIR = 5
    CONTROL = 6
    PARITY = 7


class Control(IntEnum):
    """The high 4 bits of a control message's kind."""

    ACK = 0
    REFRESH = 1
    HELLO = 2
    SHORT_HELLO = 3
    BYE = 4


def data_kind(low: LayerKind | Family, layers: Iterable[LayerKind]) -> int:
    """The kind of a datagram with a chunk of layer `low`, a pair or a parity of a frame.

    BASE needs no bit: every frame has it.
    """
    mask = sum(1 << (layer - 1) for layer in layers if layer is not LayerKind.BASE)
    return mask << 3 | low


def control_kind(control: Control) -> int:
    """The kind of a control message, 0 to 127."""
    return control << 3 | Family.CONTROL


def frame_layers(kind: int) -> frozenset[LayerKind]:
    """The layers that the frame of a data datagram of this kind has, BASE always among them."""
    mask = kind >> 3 << 1 | 1
    return frozenset(layer for layer in LayerKind if mask >> layer & 1)
