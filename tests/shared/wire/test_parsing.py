"""The parser: whole, byte by byte, with junk, and against an independent msgpack."""

import tracemalloc
from contextlib import suppress

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct
from tests.shared.wire.messages import SAMPLES, any_message

from misc_shared.errors import LimitError, RemoteError, WireError
from misc_shared.wire import MAX_DATAGRAM, OtherVersion, Writable, parse, write

samples = pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)


def plain(value: object) -> object:
    """A field as nested lists of plain values."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return elements(value) if isinstance(value, Struct) else value


def elements(message: Struct) -> list[object]:
    """The elements of a message's array."""
    return [plain(getattr(message, name)) for name in message.__struct_fields__]


@given(message=any_message)
def test_what_is_written_is_read(message: Writable) -> None:
    """Every message survives, and stays within the largest datagram."""
    datagram = write(message)
    assert parse(datagram) == message
    assert len(datagram) <= MAX_DATAGRAM


@given(message=any_message)
def test_an_independent_msgpack_reads_and_writes_the_same_bytes(message: Writable) -> None:
    """The format is msgpack, not one library's idea of it."""
    datagram = write(message)
    fields = msgpack.unpackb(datagram, strict_map_key=True)
    assert fields == elements(message)
    assert msgpack.packb(fields) == datagram
    assert parse(msgpack.packb(elements(message))) == message


@samples
def test_a_datagram_that_was_cut_off_is_refused(message: Writable) -> None:
    """Wherever it was cut."""
    datagram = write(message)
    for length in range(len(datagram)):
        with pytest.raises(WireError):
            parse(datagram[:length])


@samples
@pytest.mark.parametrize("junk", [b"\x00", b"\x90", b"\xff" * 9])
def test_bytes_after_a_datagram_are_refused(message: Writable, junk: bytes) -> None:
    """A datagram is one message."""
    with pytest.raises(WireError):
        parse(write(message) + junk)


@samples
def test_an_element_more_or_less_is_refused(message: Writable) -> None:
    """No field can be smuggled in or left out."""
    fields = elements(message)
    for changed in ([*fields, 0], fields[:-1]):
        with pytest.raises(WireError):
            parse(msgpack.packb(changed))


@samples
@pytest.mark.parametrize("wrong", [None, True, 1.5, -2, 2**63, {}, [[]], "x" * 70_000])
def test_a_value_of_the_wrong_type_or_range_is_refused(message: Writable, wrong: object) -> None:
    """In any place but the first, which tells what message it is."""
    for place in range(1, len(elements(message))):
        fields = elements(message)
        fields[place] = wrong
        with pytest.raises(RemoteError):
            parse(msgpack.packb(fields))


@given(datagram=st.binary(max_size=100))
@example(datagram=b"")
@example(datagram=bytes.fromhex("c0000000"))  # no array
@example(datagram=bytes.fromhex("95ff0000"))  # no kind
@example(datagram=bytes.fromhex("95070000"))  # a kind for later
@example(datagram=bytes.fromhex("942e0100"))  # no such control message
@example(datagram=bytes.fromhex("9500010000c400"))  # empty payload
@example(datagram=bytes.fromhex("952d010000c403016162"))  # a pair of BASE and BASE
@example(datagram=bytes.fromhex("952d01000fc403016162"))  # a pair with layer 7
@example(datagram=bytes.fromhex("950d01000bc403016162"))  # a pair with a layer too many
@example(datagram=bytes.fromhex("952d01000bc403006162"))  # a pair whose first layer is empty
@example(datagram=bytes.fromhex("942601 00a1ff"))  # not UTF-8
@example(datagram=bytes.fromhex("9416030201"))  # versions in the wrong order
@example(datagram=bytes.fromhex("9716cc0101010000"))  # a version not in its shortest form
@example(datagram=bytes.fromhex("95160203 01") + b"\x91" * 2000)  # a bottomless other version
def test_garbage_raises_only_typed_errors(datagram: bytes) -> None:
    """Nothing else can come out of the parser."""
    with suppress(RemoteError):
        assert parse(datagram) is not None


@given(message=any_message, data=st.data())
def test_a_damaged_datagram_raises_only_typed_errors(
    message: Writable, data: st.DataObject
) -> None:
    """One byte changed: it reads as something else, or raises."""
    datagram = bytearray(write(message))
    place = data.draw(st.integers(0, len(datagram) - 1))
    datagram[place] ^= data.draw(st.integers(1, 255))
    with suppress(RemoteError):
        assert parse(bytes(datagram)) is not None


def test_a_datagram_above_the_limit_is_refused_by_its_size() -> None:
    """However it begins."""
    with pytest.raises(LimitError, match="65536 bytes: expected at most 65535"):
        parse(b"\x95" + bytes(MAX_DATAGRAM))


@pytest.mark.parametrize(
    "bomb",
    [
        "9606010000ddffffffff",  # four thousand million reports
        "9606010000dd00ffffff",
        "950001000 1c6ffffffff".replace(" ", ""),  # a payload of 4 GB
        "942601 00dbffffffff",  # an explanation of 4 GB
        "9b16010101000000a0ddffffffff",  # four thousand million packs
        "951602030 1ddffffffff".replace(" ", ""),  # in a HELLO of another version
    ],
)
def test_a_claimed_size_costs_no_memory(bomb: str) -> None:
    """A length field alone allocates nothing."""
    datagram = bytes.fromhex(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            parse(datagram)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000


def test_a_megabyte_of_nested_maps_costs_no_memory() -> None:
    """Depth is bounded too, in a message and behind one of another version."""
    for head in ("96060100 0091", "95160203 01"):
        datagram = bytes.fromhex(head) + b"\x81\x80" * 30_000
        tracemalloc.start()
        try:
            with pytest.raises(WireError):
                parse(datagram)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 100_000


def test_a_hello_of_another_version_is_told_apart_from_garbage() -> None:
    """So that both ends can say which versions they speak."""
    assert parse(msgpack.packb([22, 2, 5, 77, {"new": "fields"}])) == OtherVersion(22, 2, 5, 77)
