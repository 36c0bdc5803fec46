"""Framing costs at most 12 bytes per data datagram, whatever is in it."""

import pytest

from misc_shared.wire import (
    MAX_CHUNKS,
    MAX_DATAGRAM,
    MAX_OVERHEAD,
    MAX_PAIR,
    MAX_PAYLOAD,
    MIN_MTU,
    Data,
    LayerKind,
    Pair,
    data_kind,
    payload_room,
    write,
)

ALL = frozenset(LayerKind)
# Payload lengths on both sides of every change of msgpack's length field.
SIZES = [1, 2, 31, 32, 127, 128, 254, 255, 256, 257, 1100, 4096, MAX_PAYLOAD]


def overhead(data: Data) -> int:
    """Bytes that are not payload."""
    return len(write(data)) - len(data.payload)


def test_every_epoch_and_every_frame_id() -> None:
    """All 65,536 of both, with the largest place and both widths of the payload's length."""
    kind = data_kind(LayerKind.DETAIL2, ALL)
    worst = max(
        overhead(Data(kind, number, number, 2 * MAX_CHUNKS - 1, payload))
        for number in range(65_536)
        for payload in (b"x", bytes(256))
    )
    assert worst == MAX_OVERHEAD == 12


@pytest.mark.parametrize("size", SIZES)
def test_every_place_and_every_kind(size: int) -> None:
    """All chunks of all layers, at the largest ids."""
    payload = bytes(size)
    for layer in LayerKind:
        kind = data_kind(layer, ALL)
        for place in range(2 * MAX_CHUNKS):
            assert overhead(Data(kind, 65_535, 65_535, place, payload)) <= 12 - (size < 256)


def test_every_pair() -> None:
    """Two layers together cost what one may."""
    for first in range(1, MAX_PAIR - 1):
        for second in {1, MAX_PAIR - 1 - first}:
            pair = Pair.of(
                (LayerKind.TEXT, bytes(first)),
                (LayerKind.MAPS, bytes(second)),
                layers=ALL,
                epoch=65_535,
                frame=65_535,
            )
            assert len(write(pair)) - first - second == 12


@pytest.mark.parametrize("mtu", [*range(MIN_MTU, 600), 1100, 4096, MAX_DATAGRAM])
def test_a_chunk_fills_the_link_and_never_exceeds_it(mtu: int) -> None:
    """The room for payload is the most that fits for sure, but for 11 sizes around 255."""
    datagram = write(
        Data(data_kind(LayerKind.BASE, ALL), 65_535, 65_535, 127, bytes(payload_room(mtu)))
    )
    assert mtu - 1 <= len(datagram) <= mtu
