"""Every message that a datagram can be, as a typed msgpack array. protocol.md, Messages.

The structs check types and ranges while msgspec decodes, before a list or a string is made. What a
range cannot say is checked in `misc_shared.wire.parsing`.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Struct

from misc_shared.wire.kinds import Control, Family, LayerKind, control_kind, data_kind, frame_layers
from misc_shared.wire.limits import (
    DIGEST_BYTES,
    MAX_CHUNKS,
    MAX_DETAIL,
    MAX_NAME,
    MAX_PACKS,
    MAX_PAIR,
    MAX_PARITY_LAYER,
    MAX_PAYLOAD,
    MAX_REPORTS,
    PARITY_EXTRA,
)

__all__ = [
    "NOT_WANTED",
    "WHOLE",
    "Ack",
    "Bye",
    "Data",
    "FrameReport",
    "Hello",
    "Message",
    "OtherVersion",
    "PackId",
    "Pair",
    "Parity",
    "Reason",
    "Refresh",
    "ShortHello",
    "Wanted",
    "Writable",
]

U16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
U32 = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
_Kind = Annotated[int, Meta(ge=0, le=127)]
_Version = Annotated[int, Meta(ge=1, le=127)]
_Digest = Annotated[bytes, Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
_Name = Annotated[str, Meta(max_length=MAX_NAME)]
# A bitmap of chunks that arrived, WHOLE or NOT_WANTED. msgpack itself ends at 64 bits.
_Chunks = Annotated[int, Meta(ge=-2)]

WHOLE = -1
"""Reported for a layer that the receiver has."""
NOT_WANTED = -2
"""Reported for a layer that the receiver gave up: it has not got it, and wants no more of it."""


class Reason(IntEnum):
    """Why an end says BYE."""

    END = 0
    VERSION = 1
    PACKS = 2
    LIMITS = 3


class Wanted(IntEnum):
    """What a REFRESH asks for."""

    HELLO = 0
    FULL_HELLO = 1
    PICTURE = 2


class _Array(Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    """A positional msgpack array with neither more nor fewer elements than fields."""


class Data(_Array, frozen=True):
    """One chunk of one layer.

    Attributes:
        kind: The layer and which layers the frame has, see `data_kind`.
        epoch: The sender's run.
        frame: Capture time in ticks of 1/8 s since the epoch's start, modulo 2**16.
        place: Twice the chunk's index, plus 1 on the layer's last chunk.
        payload: The chunk's bytes.
    """

    kind: _Kind
    epoch: U16
    frame: U16
    place: Annotated[int, Meta(ge=0, le=2 * MAX_CHUNKS - 1)]
    payload: Annotated[bytes, Meta(min_length=1, max_length=MAX_PAYLOAD)]

    @property
    def layer(self) -> LayerKind:
        """The layer that the chunk belongs to."""
        return LayerKind(self.kind & 7)

    @property
    def layers(self) -> frozenset[LayerKind]:
        """All layers of the frame."""
        return frame_layers(self.kind)

    @property
    def chunk(self) -> int:
        """The chunk's index in its layer, from 0."""
        return self.place >> 1

    @property
    def last(self) -> bool:
        """Whether the layer ends with this chunk."""
        return bool(self.place & 1)


class Pair(_Array, frozen=True):
    """Two whole layers of one frame, both small: one header instead of two.

    Attributes:
        kind: PAIR and which layers the frame has, see `data_kind`.
        epoch: The sender's run.
        frame: As in `Data`.
        contents: Eight times the first layer plus the second; the first is the smaller.
        payload: One byte with the first layer's length, the first layer, the second layer.
    """

    kind: _Kind
    epoch: U16
    frame: U16
    contents: Annotated[int, Meta(ge=0, le=LayerKind.MAPS * 8 + LayerKind.DETAIL2)]
    payload: Annotated[bytes, Meta(min_length=3, max_length=MAX_PAIR)]

    @classmethod
    def of(
        cls,
        first: tuple[LayerKind, bytes],
        second: tuple[LayerKind, bytes],
        *,
        layers: Iterable[LayerKind],
        epoch: int,
        frame: int,
    ) -> "Pair":
        """Join two layers, each as (kind, bytes), the first with the smaller kind."""
        return cls(
            kind=data_kind(Family.PAIR, layers),
            epoch=epoch,
            frame=frame,
            contents=first[0] << 3 | second[0],
            payload=bytes([len(first[1])]) + first[1] + second[1],
        )

    @property
    def layers(self) -> frozenset[LayerKind]:
        """All layers of the frame."""
        return frame_layers(self.kind)

    @property
    def parts(self) -> tuple[tuple[LayerKind, bytes], tuple[LayerKind, bytes]]:
        """The two layers, each as (kind, bytes)."""
        end = 1 + self.payload[0]
        return (
            (LayerKind(self.contents >> 3), self.payload[1:end]),
            (LayerKind(self.contents & 7), self.payload[end:]),
        )


class Parity(_Array, frozen=True):
    """The sum of a layer's chunks without carry (XOR): any one of them follows from the others.

    Attributes:
        kind: PARITY and which layers the frame has, see `data_kind`.
        epoch: The sender's run.
        frame: As in `Data`.
        contents: Eight times the layer's bytes plus the layer's number.
        payload: The chunks' bytes summed, a short last one as if zeros followed.
    """

    kind: _Kind
    epoch: U16
    frame: U16
    contents: Annotated[int, Meta(ge=0, le=8 * MAX_PARITY_LAYER + LayerKind.DETAIL2)]
    payload: Annotated[bytes, Meta(min_length=1, max_length=MAX_PAYLOAD - PARITY_EXTRA)]

    @property
    def layers(self) -> frozenset[LayerKind]:
        """All layers of the frame."""
        return frame_layers(self.kind)

    @property
    def layer(self) -> LayerKind:
        """The layer that it protects."""
        return LayerKind(self.contents & 7)

    @property
    def nbytes(self) -> int:
        """Bytes of that layer."""
        return self.contents >> 3


class FrameReport(_Array, frozen=True):
    """What arrived of one frame: for each layer a bitmap of its chunks, WHOLE or NOT_WANTED.

    Attributes:
        frame: The frame's id.
        base: Bit k is set if chunk k arrived; WHOLE once the receiver has the layer; NOT_WANTED if
            it has not and wants no more of it. So the other four.
    """

    frame: U16
    base: _Chunks
    text: _Chunks
    detail1: _Chunks
    maps: _Chunks
    detail2: _Chunks

    @property
    def by_layer(self) -> dict[LayerKind, int]:
        """The five numbers, each under its layer."""
        numbers = (self.base, self.text, self.detail1, self.maps, self.detail2)
        return dict(zip(LayerKind, numbers, strict=True))


class Ack(_Array, frozen=True):
    """What the receiver has, so that nothing is repeated in vain.

    Attributes:
        kind: ACK.
        epoch: The sender's run.
        receiver: Whose memory this is of: drawn at random by each receiver for each epoch. What
            another one confirmed, this one need not have.
        status: Twice the number of frames waiting to be decoded, plus 1 once HELLO was heard.
        received: Bytes of all datagrams of this epoch that arrived, modulo 2**32.
        delay: Milliseconds between the newest datagram's arrival and this message.
        reports: The frames that changed lately, newest first.
    """

    kind: _Kind
    epoch: U16
    receiver: U16
    status: U16
    received: U32
    delay: U16
    reports: Annotated[tuple[FrameReport, ...], Meta(max_length=MAX_REPORTS)]

    @property
    def queue_depth(self) -> int:
        """Frames that wait for the receiver's decoder."""
        return self.status >> 1

    @property
    def hello_heard(self) -> bool:
        """Whether the receiver knows this epoch's HELLO."""
        return bool(self.status & 1)


class Refresh(_Array, frozen=True):
    """The receiver asks for something that it lacks.

    Attributes:
        kind: REFRESH.
        epoch: The sender's run.
        wanted: What it lacks.
        frame: The newest frame that it knows.
    """

    kind: _Kind
    epoch: U16
    wanted: Wanted
    frame: U16


class PackId(_Array, frozen=True):
    """One component of the sender's model pack: its name and a digest of its weights."""

    name: _Name
    digest: _Digest


class Hello(_Array, frozen=True):
    """The sender introduces itself in full.

    Attributes:
        kind: HELLO.
        oldest: The oldest protocol version that the sender speaks.
        newest: The newest one.
        epoch: The sender's run.
        started: Unix time of the epoch's tick 0, in whole seconds.
        tick: Ticks since then, unwrapped: which turn of the 16-bit frame ids this is.
        stream: The stream's name.
        packs: The models without which the layers do not decode.
        layers: Bit k is set if layer k may come.
        mtu: Bytes of the largest datagram to come.
        layer_limit: Bytes of the largest layer to come.
    """

    kind: _Kind
    oldest: _Version
    newest: _Version
    epoch: U16
    started: U32
    tick: U32
    stream: _Name
    packs: Annotated[tuple[PackId, ...], Meta(max_length=MAX_PACKS)]
    layers: Annotated[int, Meta(ge=1, le=31)]
    mtu: U16
    layer_limit: U32


class ShortHello(_Array, frozen=True):
    """The sender introduces itself to a receiver that knows its profile.

    Attributes:
        kind: SHORT_HELLO.
        oldest: As in `Hello`, so the next four.
        newest: See above.
        epoch: See above.
        started: See above.
        tick: See above.
        profile: Digest of the packs that `Hello` would name, see protocol.md, Profiles.
    """

    kind: _Kind
    oldest: _Version
    newest: _Version
    epoch: U16
    started: U32
    tick: U32
    profile: _Digest


class Bye(_Array, frozen=True):
    """One end leaves, or refuses the other.

    Attributes:
        kind: BYE.
        epoch: The sender's run.
        reason: Why.
        detail: A sentence for a person.
    """

    kind: _Kind
    epoch: U16
    reason: Reason
    detail: Annotated[str, Meta(max_length=MAX_DETAIL)]


class OtherVersion(Struct, array_like=True, frozen=True):
    """The first four elements of a HELLO of any version; the rest is not for us to read.

    Attributes:
        kind: HELLO or SHORT_HELLO.
        oldest: The oldest protocol version that the sender speaks.
        newest: The newest one.
        epoch: The sender's run.
    """

    kind: _Kind
    oldest: _Version
    newest: _Version
    epoch: U16


Writable = Data | Pair | Parity | Ack | Refresh | Hello | ShortHello | Bye
"""What an end of this version sends."""

Message = Writable | OtherVersion
"""What `parse` returns."""

KINDS: dict[type[Struct], int] = {
    Ack: control_kind(Control.ACK),
    Refresh: control_kind(Control.REFRESH),
    Hello: control_kind(Control.HELLO),
    ShortHello: control_kind(Control.SHORT_HELLO),
    Bye: control_kind(Control.BYE),
}
"""The kind of each control message."""
