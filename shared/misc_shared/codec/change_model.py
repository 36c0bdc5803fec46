"""How likely an integer differs from the base's: a logistic model in integer arithmetic.

Sums a weight for each of a few observations and looks the sum up in a table. Everything is
integers, so both ends agree to the last bit. What is observed of an integer, all of it known to
the decoder before the integer is:

- how likely the intra tables take the base's integer to be (weighs most by far: where something
  moved, the base's integer fits its new surroundings badly);
- how many integers around it have changed, in all channels and in its own;
- how many have changed at this place in the next coarser layer;
- how many channels before it have changed at its very place;
- which of the four passes it belongs to.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.change_weights import SQUASH, WEIGHTS
from misc_shared.codec.layout import LATENT_CHANNELS, PHASES

__all__ = [
    "LIKELIHOODS",
    "OBSERVATIONS",
    "PLACE_COUNTS",
    "PLACE_GROUPS",
    "chance",
    "chances",
    "observe",
    "place_scores",
    "place_weights",
    "score",
]

Integers = NDArray[np.int64]

# Chances out of 65536 that part the bins of how likely the base's integer is.
LIKELIHOODS: Final = (
    *(128, 1024, 4096, 8192, 16384, 23170, 30574),
    *(37641, 44762, 51419, 57052, 61147, 63304, 64634),
)
_AROUND: Final = (1, 2, 3, 5, 8, 13)
_ABOVE: Final = (1, 2, 3, 5)
_OWN: Final = (1, 2, 3)
PLACE_COUNTS: Final = (1, 2, 3, 4, 6)
PLACE_GROUPS: Final = (4, 8, 13)
# Bins of each observation, in the order of `observe`; last that of the channels before.
OBSERVATIONS: Final = (
    len(LIKELIHOODS) + 1,
    len(_AROUND) + 2,
    len(_ABOVE) + 1,
    len(_OWN) + 2,
    4,
    (len(PLACE_COUNTS) + 1) * (len(PLACE_GROUPS) + 1),
)
_UNIT: Final = 256
"""Weights count 1/256 of a natural logarithm of odds."""
_LIMIT: Final = 8 * _UNIT - 1


def _interpolate() -> tuple[int, ...]:
    """Chances of change for each sum of weights within the limit, between 65 given points."""
    step = _UNIT // 4
    places = (divmod(total + 8 * _UNIT, step) for total in range(-_LIMIT, _LIMIT + 1))
    return tuple(SQUASH[k] + (SQUASH[k + 1] - SQUASH[k]) * part // step for k, part in places)


def observe(
    likelihood: Integers, changed: Integers, above: Integers, *, number: int
) -> tuple[Integers, ...]:
    """Sort one pass's integers into bins by all that the passes before tell.

    Args:
        likelihood: Chance out of 65536 of the base's integer by the intra tables, [C, h, w].
        changed: 1 where an integer of this layer, decoded before, has changed, [C, H, W].
        above: How many integers changed at each place of the next coarser layer, [H, W].
        number: Which pass, 0..3.

    Returns:
        Bins, [C, h, w] each: likelihood, around, above, own, pass.
    """
    row, column = PHASES[number]
    shape = likelihood.shape
    around = _box(changed)[:, row::2, column::2]
    known = np.int64(number > 0)
    bins = (
        np.searchsorted(LIKELIHOODS, likelihood, side="right"),
        known * (1 + np.searchsorted(_AROUND, around.sum(0), side="right")),
        np.searchsorted(_ABOVE, above[row::2, column::2], side="right"),
        known * (1 + np.searchsorted(_OWN, around, side="right")),
        np.int64(number),
    )
    return tuple(np.broadcast_to(part, shape).astype(np.int64) for part in bins)


def score(bins: tuple[Integers, ...], layer: int) -> Integers:
    """Sum the weights of all observations but that of the channels before."""
    _, rows = _ARRAYS[layer]
    total = sum((row[part] for row, part in zip(rows, bins, strict=True)), np.int64(0))
    return np.asarray(total + WEIGHTS[layer][0], np.int64)


def place_weights(layer: int, channel: int) -> tuple[int, ...]:
    """Weights of how many of the channels before this one changed at its place, 0 first."""
    return _PLACES[layer][_group(channel)]


def place_scores(before: Integers, layer: int) -> Integers:
    """Weights of how many channels before changed at the same place, [C, h, w] for all at once."""
    rows = np.array([place_weights(layer, channel) for channel in range(len(before))])
    return np.take_along_axis(rows, before.reshape(len(before), -1), 1).reshape(before.shape)


def chance(total: int) -> int:
    """Chance of change, out of 65536, for a sum of weights."""
    return _CHANCES[min(max(total, -_LIMIT), _LIMIT) + _LIMIT]


def chances(totals: Integers) -> Integers:
    """Chances of change, out of 65536, for sums of weights."""
    return np.asarray(_CHANCE_ARRAY[np.clip(totals, -_LIMIT, _LIMIT) + _LIMIT], np.int64)


def _group(channel: int) -> int:
    return bisect_right(PLACE_GROUPS, channel)


def _place_table(weights: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Weights by group of channels, then by count."""
    counts = range(max(LATENT_CHANNELS) + 1)
    width = len(PLACE_GROUPS) + 1
    return tuple(
        tuple(weights[bisect_right(PLACE_COUNTS, count) * width + group] for count in counts)
        for group in range(width)
    )


def _box(planes: Integers) -> Integers:
    """Sum over the 3x3 surroundings of each place, its own included, [C, H, W]."""
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray(rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:], np.int64)


_CHANCES: Final = _interpolate()
_CHANCE_ARRAY: Final = np.array(_CHANCES, np.int64)
_ARRAYS: Final = tuple(
    (bias, tuple(np.array(row, np.int64) for row in rows[:-1])) for bias, rows in WEIGHTS
)
_PLACES: Final = tuple(_place_table(rows[-1]) for _, rows in WEIGHTS)
