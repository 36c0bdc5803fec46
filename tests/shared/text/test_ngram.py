"""The integer n-gram model, on a table small enough to follow by hand."""

import math

import numpy as np
import pytest

from misc_shared.coding.symbols import SymbolReader, SymbolWriter
from misc_shared.text.ngram import Distribution, NgramTable

SIZE = 300
TABLE = NgramTable(
    keys=np.array([0, 7], np.uint32),
    sizes=np.array([3, 2], np.uint16),
    ids=np.array([2, 5, 200, 5, 6], np.uint16),
    counts=np.array([8, 4, 4, 63, 1], np.uint16),
    discount=128,
)


def distribution(*contexts: int) -> Distribution:
    """The chances after some contexts, the longest first."""
    shares = [TABLE.share(context) for context in contexts]
    return Distribution([share for share in shares if share is not None], SIZE)


def bits(chances: Distribution, symbol: int) -> float:
    """What one symbol costs, from what two thousand cost."""
    writer = SymbolWriter()
    for _ in range(2000):
        chances.code(writer, symbol)
    return len(writer.finish()) * 8 / 2000


def test_unknown_context_has_no_share() -> None:
    """Neither between the known ones nor behind them."""
    assert TABLE.share(3) is None
    assert TABLE.share(8) is None
    assert TABLE.share(7) is not None


@pytest.mark.parametrize(
    ("symbol", "chance"),
    [
        (2, (8 - 0.5) / 16),
        (5, (4 - 0.5) / 16),
        (9, 1.5 / 16 / SIZE),  # never seen: an even part of what the discounts leave
    ],
)
def test_cost_is_that_of_absolute_discounting(symbol: int, chance: float) -> None:
    """As the formula has it in real numbers."""
    assert bits(distribution(0), symbol) == pytest.approx(-math.log2(chance), rel=0.02)


def test_longer_context_leaves_its_discounts_to_the_shorter() -> None:
    """As in equation 20 of Chen and Goodman 1999."""
    chance = 62.5 / 64 + 1 / 64 * 3.5 / 16
    assert bits(distribution(7, 0), 5) == pytest.approx(-math.log2(chance), abs=0.01)
    assert bits(distribution(7, 0), 2) == pytest.approx(-math.log2(1 / 64 * 7.5 / 16), rel=0.02)


@pytest.mark.parametrize("contexts", [(), (0,), (7,), (7, 0)])
def test_every_symbol_comes_back(contexts: tuple[int, ...]) -> None:
    """None is impossible, whatever the context."""
    chances = distribution(*contexts)
    writer = SymbolWriter()
    for symbol in range(SIZE):
        chances.code(writer, symbol)
    reader = SymbolReader(writer.finish())
    assert [chances.code(reader) for _ in range(SIZE)] == list(range(SIZE))
