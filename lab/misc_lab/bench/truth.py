"""What needs NumPy alone: PSNR, and what feature distances hardly see: wrong colours, a hatch.

A feature distance compares directions of features over a few pixels. A wall may turn blue and a
regular pattern may lie over it, and the distance falls.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_SIDE", "block_error", "hatch", "psnr"]

BLOCK_SIDE = 32
"""Pixels: large enough that texture cancels, small enough to be one thing of one colour."""

_NEIGHBOURS = 12  # bins of the spectrum to each side of a peak
_HIGHEST_PEAK_PERIOD, _LOWEST_PEAK_PERIOD = 6.0, 2.5  # pixels

Pixels = NDArray[np.uint8]


def block_error(original: Pixels, decoded: Pixels, *, side: int = BLOCK_SIDE) -> float:
    """RMS error of the mean colours of blocks, in levels of 255.

    Args:
        original: uint8 [H, W, 3].
        decoded: Of the same shape.
        side: Of a block, in pixels, at most that of the picture; what is left over at the right
            and bottom is not counted.
    """
    rows, columns = (length // side for length in original.shape[:2])
    error = original.astype(np.float64) - decoded
    blocks = error[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
    return float(np.sqrt(np.square(blocks.mean((1, 3))).mean()))


def psnr(original: Pixels, decoded: Pixels) -> float:
    """Peak signal-to-noise ratio over RGB in dB; 100 for identical pictures.

    Args:
        original: uint8 [H, W, 3].
        decoded: Of the same shape.
    """
    error = np.square(original.astype(np.float64) - decoded).mean()
    return float(100.0 if error == 0 else 10 * np.log10(255**2 / error))


def hatch(picture: Pixels) -> float:
    """How far the strongest narrow peak in the spectrum of rows stands above its neighbours.

    Rows' power spectra are averaged, the DC of each removed and its ends faded. At periods of 2.5
    to 6 pixels each bin is compared with the median of the 25 around it. A photograph has 1.0 to
    1.3, a ratio of amplitudes.

    Args:
        picture: uint8 [H, W, 3], at least 64 pixels wide.
    """
    grey = picture.astype(np.float64).mean(2)
    width = grey.shape[1]
    faded = (grey - grey.mean(1, keepdims=True)) * np.hanning(width)
    power = np.square(np.abs(np.fft.rfft(faded, axis=1))).mean(0)
    bins = range(int(width / _HIGHEST_PEAK_PERIOD), int(width / _LOWEST_PEAK_PERIOD))
    around = [power[max(1, k - _NEIGHBOURS) : k + _NEIGHBOURS + 1] for k in bins]
    peaks = [
        power[k] / max(float(np.median(near)), 1e-9) for k, near in zip(bins, around, strict=True)
    ]
    return float(np.sqrt(max(peaks)))
