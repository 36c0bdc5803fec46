"""Writing and reading symbols through one face."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc_shared.coding.symbols import AdaptiveChoice, SymbolReader, SymbolWriter
from misc_shared.errors import BitstreamError


@given(st.lists(st.integers(0, 2)))
def test_choices_come_back(choices: list[int]) -> None:
    """Writer and reader learn the same."""
    writer = SymbolWriter()
    learned = AdaptiveChoice((90, 9, 1))
    for choice in choices:
        learned.code(writer, choice)
    reader = SymbolReader(writer.finish())
    learned = AdaptiveChoice((90, 9, 1))
    assert [learned.code(reader) for _ in choices] == choices
    reader.end()


def test_a_choice_made_often_becomes_cheap() -> None:
    """A guess that is wrong is paid for once, not each time."""
    writer = SymbolWriter()
    choice = AdaptiveChoice((600, 1))
    for _ in range(1000):
        choice.code(writer, 1)
    assert len(writer.finish()) < 1000 / 8 / 4


@given(st.lists(st.tuples(st.integers(1, 65_535), st.integers(0, 1))), st.binary(max_size=12))
def test_the_fast_way_to_code_a_bit_is_the_same(bits: list[tuple[int, int]], noise: bytes) -> None:
    """The same bytes, the same bits out of them, and out of bytes that nobody wrote."""
    slow, fast = SymbolWriter(), SymbolWriter()
    for zero, bit in bits:
        slow.code((0, zero, 65_536), bit)
        fast.code_choice(zero, bit)
    data = fast.finish()
    assert data == slow.finish()
    chances = [zero for zero, _ in bits]
    assert _read(data, chances, fast=True) == [bit for _, bit in bits]
    for source in (data, noise):
        assert _read(source, chances, fast=True) == _read(source, chances, fast=False)


def _read(data: bytes, chances: list[int], *, fast: bool) -> list[int | str]:
    """Bits of these chances, or what is wrong with the data."""
    reader, found = SymbolReader(data), list[int | str]()
    for zero in chances:
        try:
            found.append(reader.code_choice(zero, 0) if fast else reader.code((0, zero, 65_536), 0))
        except BitstreamError as error:
            found.append(str(error))
    return found


@given(
    st.lists(st.integers(1, 300), min_size=3, max_size=9),
    st.integers(0, 8),
    st.lists(st.integers(0, 8), max_size=40),
)
def test_a_symbol_known_not_to_be_there_is_cut_out(
    widths: list[int], gone: int, picks: list[int]
) -> None:
    """The same bytes as with a table made without it, and the same symbols out of them."""
    table = list(accumulate(widths, initial=0))
    gone %= len(widths)
    cut = list(accumulate(widths[:gone] + widths[gone + 1 :], initial=0))
    symbols = [pick % len(widths) for pick in picks if pick % len(widths) != gone]
    slow, fast = SymbolWriter(), SymbolWriter()
    for symbol in symbols:
        slow.code_of(cut, symbol - (symbol > gone))
        fast.code_without(table, gone, symbol)
    data = fast.finish()
    assert data == slow.finish()
    reader = SymbolReader(data)
    assert [reader.code_without(table, gone, 0) for _ in symbols] == symbols


def test_bytes_after_the_end_are_refused() -> None:
    """The reader looks four bytes ahead; what lies beyond can't belong to it."""
    writer = SymbolWriter()
    writer.code_bits(0xABCDE, 20)
    data = writer.finish()
    reader = SymbolReader(data + b"\1" * 9)
    assert reader.code_bits(0, 20) == 0xABCDE
    with pytest.raises(BitstreamError, match="after the layer's end"):
        reader.end()
