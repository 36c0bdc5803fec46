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

__all__ = ["ACTIVATION_BITS", "INPUT_LIMIT", "MEAN_BITS", "SCALE_COUNT", "IntegerNet"]

ACTIVATION_BITS: Final = 7
ACTIVATION_LIMIT: Final = (16 << ACTIVATION_BITS) - 1
INPUT_LIMIT: Final = 15
MEAN_BITS: Final = 3
SCALE_COUNT: Final = 40

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def _convolve(padded: Floats, kernel: Floats, rows: slice, columns: slice) -> Floats:
    """3x3 convolution at the positions rows x columns of the unpadded grid.

    Args:
        padded: [C, H + 2, W + 2].
        kernel: [3, 3, O, C].
        rows: Slice (with step) of output rows.
        columns: The same for columns.

    Returns:
        [O, h, w].
    """
    height, width = padded.shape[1] - 2, padded.shape[2] - 2
    total: Floats | None = None
    for dy in range(3):
        for dx in range(3):
            window = padded[:, dy : dy + height, dx : dx + width][:, rows, columns]
            part = kernel[dy, dx] @ window.reshape(len(window), -1)
            total = part if total is None else total + part
            shape = window.shape[1:]
    assert total is not None  # noqa: S101 - nine taps ran
    return total.reshape(kernel.shape[2], *shape)


def _activate(total: Floats, shift: int) -> Floats:
    """Round off `shift` bits and clamp to 0..ACTIVATION_LIMIT; exact."""
    rounded = np.floor((total + float(1 << (shift - 1))) * 2.0**-shift)
    return np.clip(rounded, 0, ACTIVATION_LIMIT)


def _pad(planes: Floats) -> Floats:
    return np.pad(planes, ((0, 0), (1, 1), (1, 1)))


@dataclass(frozen=True)
class IntegerNet:
    """3x3, 3x3, 1x1 with clamped activations: mean and scale of every integer of one layer.

    Attributes:
        own: First kernel over the layer's own integers and their mask, [3, 3, 64, C + 1].
        coarser: First kernel over the coarser layers, [3, 3, 64, K]; K is 0 for layer 0.
        first_bias: [32, 64], by quality.
        second: [3, 3, 64, 64]; second_bias: [64, 1, 1].
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
        """Take the arrays `net{layer}.*` of a pack."""
        prefix = f"net{layer}."
        floats = {
            name: arrays[prefix + name].astype(np.float64)
            for name in (
                "own",
                "coarser",
                "first_bias",
                "second",
                "second_bias",
                "last",
                "last_bias",
            )
        }
        shifts = [int(value) for value in arrays[prefix + "shifts"]]
        return cls(**floats, shifts=(shifts[0], shifts[1], shifts[2], shifts[3]))

    def prepare(self, coarser: Integers | None, quality: int, shape: tuple[int, int]) -> Floats:
        """Sum what all four passes share, [64, H, W]."""
        start = np.broadcast_to(
            self.first_bias[quality][:, None, None], (self.first_bias.shape[1], *shape)
        )
        if coarser is None:
            return start
        clipped = np.clip(coarser, -INPUT_LIMIT, INPUT_LIMIT).astype(np.float64)
        return start + _convolve(_pad(clipped), self.coarser, slice(None), slice(None))

    def run(self, prepared: Floats, own: Integers, number: int) -> tuple[Integers, Integers]:
        """Evaluate one pass.

        Args:
            prepared: From `prepare`.
            own: The layer's integers [C, H, W], zero where not yet decoded.
            number: Which pass, 0..3.

        Returns:
            Means in eighths and scale indices 0..39, both [C, h, w] over this pass's positions.
        """
        height, width = own.shape[1:]
        seen = np.zeros((1, height, width))
        for row, column in PHASES[:number]:
            seen[:, row::2, column::2] = 1
        known = np.concatenate([np.clip(own, -INPUT_LIMIT, INPUT_LIMIT).astype(np.float64), seen])
        hidden = _activate(
            prepared + _convolve(_pad(known), self.own, slice(None), slice(None)), self.shifts[0]
        )
        rows, columns = (slice(start, None, 2) for start in PHASES[number])
        total = _convolve(_pad(hidden), self.second, rows, columns) + self.second_bias
        narrowed = _activate(total, self.shifts[1])
        out = self.last @ narrowed.reshape(len(narrowed), -1) + self.last_bias
        mean, scale = np.split(out.astype(np.int64), 2)
        mean = (mean + (1 << (self.shifts[2] - 1))) >> self.shifts[2]
        scale = (scale + (1 << (self.shifts[3] - 1))) >> self.shifts[3]
        target = (len(mean), *narrowed.shape[1:])
        return mean.reshape(target), np.clip(scale, 0, SCALE_COUNT - 1).reshape(target)
