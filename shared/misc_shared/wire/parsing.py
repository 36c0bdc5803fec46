"""Bytes from outside become a message or a typed error. protocol.md, Parsing."""

import msgspec

from misc_shared.errors import LimitError, WireError
from misc_shared.wire.kinds import Control, Family, LayerKind, control_kind
from misc_shared.wire.limits import MAX_CHUNKS, MAX_DATAGRAM, VERSION
from misc_shared.wire.messages import (
    KINDS,
    Ack,
    Bye,
    Data,
    Hello,
    Message,
    OtherVersion,
    Pair,
    Parity,
    Refresh,
    ShortHello,
)

__all__ = ["parse"]

_FIXARRAY = range(0x90, 0xA0)
_MAX_FIXINT = 0x7F
_HEAD = 4  # array header, kind and, in a HELLO, the two versions: one byte each

_Decoder = msgspec.msgpack.Decoder
_DATA = _Decoder(Data)
_PAIR = _Decoder(Pair)
_PARITY = _Decoder(Parity)
_OTHER_VERSION = _Decoder(OtherVersion)
_CONTROL: dict[int, "_Decoder[Ack | Refresh | Hello | ShortHello | Bye]"] = {
    kind: _Decoder(message) for message, kind in KINDS.items()
}
_HELLOS = (control_kind(Control.HELLO), control_kind(Control.SHORT_HELLO))


def parse(datagram: bytes) -> Message:
    """Read one datagram.

    Returns:
        The message; `OtherVersion` for a HELLO from a sender that does not speak our version.

    Raises:
        LimitError: it is larger than any datagram may be.
        WireError: it is no message of this protocol.
    """
    if len(datagram) > MAX_DATAGRAM:
        raise LimitError(f"a datagram has {len(datagram)} bytes: expected at most {MAX_DATAGRAM}")
    kind = _kind_of(datagram)
    try:
        return _decode(kind, datagram)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"a datagram of kind {kind} is malformed: {error}") from None


def _kind_of(datagram: bytes) -> int:
    if len(datagram) < _HEAD:
        raise WireError(f"a datagram has {len(datagram)} bytes: expected {_HEAD} or more")
    if datagram[0] not in _FIXARRAY or datagram[1] > _MAX_FIXINT:
        raise WireError(
            f"a datagram begins 0x{datagram[:2].hex()}: expected a short msgpack array (0x9?) "
            "and a kind from 0x00 to 0x7f"
        )
    return datagram[1]


def _decode(kind: int, datagram: bytes) -> Message:
    family = kind & 7
    if family <= LayerKind.DETAIL2:
        return _checked_data(_DATA.decode(datagram))
    if family == Family.PAIR:
        return _checked_pair(_PAIR.decode(datagram))
    if family == Family.PARITY:
        return _checked_parity(_PARITY.decode(datagram))
    decoder = _CONTROL.get(kind)
    if decoder is None:
        raise WireError(f"a datagram has kind {kind}, which version {VERSION} does not know")
    if kind in _HELLOS and not datagram[2] <= VERSION <= datagram[3] <= _MAX_FIXINT:
        return _checked_other_version(_OTHER_VERSION.decode(datagram))
    return decoder.decode(datagram)


def _checked_data(data: Data) -> Data:
    if data.layer not in data.layers:
        raise WireError(f"a chunk of {data.layer.name} comes from a frame without that layer")
    return data


def _checked_pair(pair: Pair) -> Pair:
    first, second = pair.contents >> 3, pair.contents & 7
    if not first < second <= LayerKind.DETAIL2:
        raise WireError(f"a pair has layers {first} and {second}: expected the smaller one first")
    if not {LayerKind(first), LayerKind(second)} <= pair.layers:
        raise WireError("a pair has a layer that its frame lacks")
    if not 0 < pair.payload[0] < len(pair.payload) - 1:
        raise WireError(
            f"a pair's first layer has {pair.payload[0]} of its {len(pair.payload) - 1} bytes: "
            "expected at least 1 for each layer"
        )
    return pair


def _checked_parity(parity: Parity) -> Parity:
    if parity.contents & 7 not in parity.layers:
        raise WireError("a parity is of a layer that its frame lacks")
    room = len(parity.payload)
    if not room < parity.nbytes <= MAX_CHUNKS * room:
        raise WireError(
            f"a parity of {room} bytes is of a layer of {parity.nbytes}: expected 2 to "
            f"{MAX_CHUNKS} chunks"
        )
    return parity


def _checked_other_version(hello: OtherVersion) -> OtherVersion:
    if hello.oldest > hello.newest or hello.oldest <= VERSION <= hello.newest:
        raise WireError(
            f"a HELLO speaks versions {hello.oldest} to {hello.newest}: expected the older first, "
            "each in one byte"
        )
    return hello
