"""The search for the best quality that a budget allows, in few trials: each runs the nets."""

import math
from collections.abc import Callable
from typing import Final

__all__ = ["best_quality"]

# Rise of the logarithm of the bytes from one quality to the next, about; pictures differ.
_RISE: Final = 0.035
_GUESSES: Final = 4


def best_quality(cost: Callable[[int], float], *, limit: float, most: int) -> int:
    """Find the highest quality whose cost keeps to a limit, if cost rises with quality.

    The logarithm of the bytes is nearly a straight line over quality, so a guess from what is known
    is most often right or next to it; after a few guesses it goes on by bisection.

    Args:
        cost: Bytes at a quality, above 0; asked at most once for each.
        limit: The most bytes.
        most: Highest quality to try.

    Returns:
        0..most; 0 too if nothing fits.
    """
    known: dict[int, float] = {}
    low, high = 0, most + 1
    while high - low > 1:
        guess = (low + high) // 2
        if 0 < len(known) < _GUESSES:
            guess = min(max(_guess(known, limit), low + 1), high - 1)
        known[guess] = cost(guess)
        if known[guess] <= limit:
            low = guess
        else:
            high = guess
    return low


def _guess(known: dict[int, float], limit: float) -> int:
    """Draw a line through the two costs nearest the limit; with one cost, of the usual rise."""
    near = sorted(known, key=lambda quality: abs(math.log(limit / known[quality])))
    first = near[0]
    rise = _RISE
    if len(near) > 1:
        rise = math.log(known[near[1]] / known[first]) / (near[1] - first)
    if rise <= 0:
        rise = _RISE
    return math.floor(first + math.log(limit / known[first]) / rise)
