"""Writing and reading symbols through one face."""

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


def test_bytes_after_the_end_are_refused() -> None:
    """The reader looks four bytes ahead; what lies beyond can't belong to it."""
    writer = SymbolWriter()
    writer.code_bits(0xABCDE, 20)
    data = writer.finish()
    reader = SymbolReader(data + b"\1" * 9)
    assert reader.code_bits(0, 20) == 0xABCDE
    with pytest.raises(BitstreamError, match="after the layer's end"):
        reader.end()
