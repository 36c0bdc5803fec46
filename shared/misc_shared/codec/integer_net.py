"""Small convolutional networks in exact integers.

Floating point differs between machines, so the probabilities of the entropy coder come from
integers alone. Weights are int16, activations 0..2047 (7 fractional bits). The sums run in
float64 for BLAS speed: every product and partial sum is an integer below 2**53, hence exact, and
hence the same for every order of summation, thread count and instruction set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.layout import PHASES

__all__ = [
    "ACTIVATION_BITS",
    "INPUT_LIMIT",
    "MEAN_BITS",
    "SCALE_COUNT",
    "FirstSums",
    "IntegerNet",
]

ACTIVATION_BITS: Final = 7
ACTIVATION_LIMIT: Final = (16 << ACTIVATION_BITS) - 1
INPUT_LIMIT: Final = 15
MEAN_BITS: Final = 3
SCALE_COUNT: Final = 40

_TAPS: Final = tuple((dy, dx) for dy in range(3) for dx in range(3))

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def _windows(planes: Floats, rows: range, columns: range) -> Floats:
    """Lay out the 3x3 surroundings of places as columns of a matrix.

    Args:
        planes: [C, H, W].
        rows: Rows of the places.
        columns: Columns of the places.

    Returns:
        [9C, places], the tap in the top left of all channels first; zeros beyond the edge.
    """
    padded = np.zeros((planes.shape[0], planes.shape[1] + 2, planes.shape[2] + 2))
    padded[:, 1:-1, 1:-1] = planes
    result = np.empty((9, len(planes), len(rows), len(columns)))
    for tap, (dy, dx) in enumerate(_TAPS):
        down = slice(rows.start + dy, rows.stop + dy, rows.step)
        result[tap] = padded[:, down, columns.start + dx : columns.stop + dx : columns.step]
    return result.reshape(9 * len(planes), -1)


def _activate(total: Floats, shift: int) -> Floats:
    """Round off `shift` bits and clamp to 0..ACTIVATION_LIMIT; exact."""
    result = total + float(1 << (shift - 1))
    result *= 2.0**-shift
    np.floor(result, out=result)
    np.maximum(result, 0, out=result)
    return np.minimum(result, ACTIVATION_LIMIT, out=result)


def _clip_input(integers: Integers) -> Floats:
    return np.clip(integers, -INPUT_LIMIT, INPUT_LIMIT).astype(np.float64)


@dataclass
class FirstSums:
    """The sums before the first activation, as far as they are known.

    Attributes:
        total: [hidden, H + 2, W + 2]; the border takes what falls outside the grid.
        passes: How many passes' integers are in it.
    """

    total: Floats
    passes: int = 0


@dataclass(frozen=True)
class IntegerNet:
    """3x3, 3x3, 1x1 with clamped activations: mean and scale of every integer of one layer.

    Attributes:
        own: First kernel over the layer's own integers and their mask, [9 * 64, C + 1].
        coarser: First kernel over the coarser layers, [64, 9K]; K is 0 for layer 0.
        first_bias: [32, 64], by quality.
        second: [64, 9 * 64]; second_bias: [64, 1].
        last: [2C, 64]; last_bias: [2C, 1].
        shifts: Right shifts after the first and second sums, of the mean, and of the scale index.
    """

    own: Floats
    coarser: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
    last: Floats
    last_bias: Floats
    shifts: tuple[int, int, int, int]

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[np.generic]], layer: int) -> "IntegerNet":
        """Take the arrays `net{layer}.*` of a pack; its 3x3 kernels are [3, 3, outputs, inputs]."""

        def read(name: str) -> Floats:
            return arrays[f"net{layer}.{name}"].astype(np.float64)

        def read_matrix(name: str) -> Floats:
            kernel = read(name)
            return kernel.transpose(2, 0, 1, 3).reshape(kernel.shape[2], -1).copy()

        own = read("own")
        shifts = [int(value) for value in arrays[f"net{layer}.shifts"]]
        return cls(
            own=own.reshape(-1, own.shape[3]),
            coarser=read_matrix("coarser"),
            first_bias=read("first_bias"),
            second=read_matrix("second"),
            second_bias=read("second_bias").reshape(-1, 1),
            last=read("last"),
            last_bias=read("last_bias"),
            shifts=(shifts[0], shifts[1], shifts[2], shifts[3]),
        )

    def prepare(self, coarser: Integers | None, quality: int, shape: tuple[int, int]) -> FirstSums:
        """Sum what all four passes share."""
        height, width = shape
        total = np.zeros((self.first_bias.shape[1], height + 2, width + 2))
        total[:, 1:-1, 1:-1] = self.first_bias[quality][:, None, None]
        if coarser is not None:
            windows = _windows(_clip_input(coarser), range(height), range(width))
            total[:, 1:-1, 1:-1] += (self.coarser @ windows).reshape(-1, height, width)
        return FirstSums(total)

    def run(self, sums: FirstSums, own: Integers, number: int) -> tuple[Integers, Integers]:
        """Evaluate one pass.

        Args:
            sums: From `prepare`. The integers of earlier passes are added to it, each only once, so
                the passes of one layer go in order.
            own: The layer's integers [C, H, W]; only those of earlier passes are looked at.
            number: Which pass, 0..3.

        Returns:
            Means in eighths and scale indices 0..39, both [C, h, w] over this pass's positions.
        """
        while sums.passes < number:
            self._add(sums.total, own, *PHASES[sums.passes])
            sums.passes += 1
        hidden = _activate(sums.total[:, 1:-1, 1:-1], self.shifts[0])
        row, column = PHASES[number]
        rows, columns = range(row, own.shape[1], 2), range(column, own.shape[2], 2)
        total = self.second @ _windows(hidden, rows, columns) + self.second_bias
        out = self.last @ _activate(total, self.shifts[1]) + self.last_bias
        mean, scale = np.split(out.astype(np.int64), 2)
        mean = (mean + (1 << (self.shifts[2] - 1))) >> self.shifts[2]
        scale = (scale + (1 << (self.shifts[3] - 1))) >> self.shifts[3]
        shape = (len(mean), len(rows), len(columns))
        return mean.reshape(shape), np.clip(scale, 0, SCALE_COUNT - 1).reshape(shape)

    def _add(self, total: Floats, own: Integers, row: int, column: int) -> None:
        """Add what one pass's integers, now known, give to the sums around them."""
        known = _clip_input(own[:, row::2, column::2])
        height, width = known.shape[1:]
        inputs = np.concatenate([known.reshape(len(known), -1), np.ones((1, height * width))])
        parts = (self.own @ inputs).reshape(9, total.shape[0], height, width)
        for (dy, dx), part in zip(_TAPS, parts, strict=True):
            # A tap below the middle sees this place from above it.
            top, left = row + 2 - dy, column + 2 - dx
            total[:, top : top + 2 * height : 2, left : left + 2 * width : 2] += part
