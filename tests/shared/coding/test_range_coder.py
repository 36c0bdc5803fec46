"""The range coder gives back what went in, in the fewest bytes, and refuses forgeries."""

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc_shared.coding import AdaptiveBit, RangeDecoder, RangeEncoder
from misc_shared.errors import BitstreamError

WIDTHS = st.lists(st.integers(1, 900), min_size=2, max_size=40)


def _table(widths: list[int], total_bits: int) -> list[int]:
    """Stretch widths to a cumulative table that ends at 1 << total_bits."""
    counts = [0, *accumulate(widths)]
    counts[-1] = 1 << total_bits
    return counts


def _decode_all(decoder: RangeDecoder, count: int) -> None:
    for _ in range(count):
        decoder.decode([0, 1, 65536], 16)


@given(widths=WIDTHS, picks=st.lists(st.integers(0, 1 << 30), max_size=300))
def test_symbols_survive(widths: list[int], picks: list[int]) -> None:
    """Any symbols of any table come back."""
    table = _table(widths, 16)
    symbols = [pick % len(widths) for pick in picks]
    encoder = RangeEncoder()
    for symbol in symbols:
        encoder.encode(table[symbol], table[symbol + 1], 16)
    decoder = RangeDecoder(encoder.finish())
    assert [decoder.decode(table, 16) for _ in symbols] == symbols


@given(values=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1 << 20)), max_size=60))
def test_raw_bits_survive(values: list[tuple[int, int]]) -> None:
    """Bits coded without a model come back, whatever their count."""
    encoder = RangeEncoder()
    for count, value in values:
        encoder.encode_bits(value & ((1 << count) - 1), count)
    decoder = RangeDecoder(encoder.finish())
    assert [decoder.decode_bits(count) for count, _ in values] == [
        value & ((1 << count) - 1) for count, value in values
    ]


@given(bits=st.lists(st.integers(0, 1), max_size=500))
def test_adaptive_bits_survive(bits: list[int]) -> None:
    """Both ends learn the same probabilities."""
    encoder, model = RangeEncoder(), AdaptiveBit()
    for bit in bits:
        encoder.encode_bit(model, bit)
    decoder, again = RangeDecoder(encoder.finish()), AdaptiveBit()
    assert [decoder.decode_bit(again) for _ in bits] == bits
    assert again.zero == model.zero


def test_carry_runs_through_held_back_bytes() -> None:
    """A carry into a long run of 0xFF bytes reaches the byte before them."""
    encoder = RangeEncoder()
    steps = [(65535, 65536)] * 40 + [(0, 1)] + [(65535, 65536)] * 3
    for low, high in steps:
        encoder.encode(low, high, 16)
    decoder = RangeDecoder(encoder.finish())
    table = [0, 1, 65535, 65536]
    assert [decoder.decode(table, 16) for _ in steps] == [2] * 40 + [0] + [2] * 3


def test_nothing_costs_nothing() -> None:
    """No symbols, or only the first of every table, end as no bytes at all."""
    assert RangeEncoder().finish() == b""
    encoder = RangeEncoder()
    encoder.encode(0, 65535, 16)
    assert encoder.finish() == b""


def test_size_is_within_a_byte_of_the_entropy() -> None:
    """A stream ends at most a byte above the information in it."""
    encoder = RangeEncoder()
    bits = 0.0
    for number in range(400):
        low, high = ((0, 60000), (60000, 65536))[number % 11 == 0]
        encoder.encode(low, high, 16)
        bits -= math.log2((high - low) / 65536)
    assert len(encoder.finish()) <= math.ceil(bits / 8) + 1


def test_refuses_a_code_outside_every_interval() -> None:
    """Bytes that no encoder writes are a typed error, not a wrong symbol."""
    decoder = RangeDecoder(b"\xff" * 8)
    with pytest.raises(BitstreamError, match="outside every symbol"):
        _decode_all(decoder, 8)


def test_refuses_to_read_zeros_for_ever() -> None:
    """A decoder that runs far past the end of its data stops."""
    decoder = RangeDecoder(b"")
    with pytest.raises(BitstreamError, match="past the end"):
        _decode_all(decoder, 1 << 17)


def test_counts_bytes_that_nothing_needed() -> None:
    """Trailing junk is visible to the caller."""
    assert RangeDecoder(b"\x00" * 4).unused == 0
    assert RangeDecoder(b"\x00" * 4 + b"junk").unused == 4
