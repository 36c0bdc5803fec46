"""HaarPSI, a perceptual similarity of two pictures in closed form: no network, no training.

Reisenhofer, Bosse, Kutyniok and Wiegand, "A Haar wavelet-based perceptual similarity index for
image quality assessment", 2018 (arXiv 1607.06140); constants are the paper's. Neither our codec
nor the others are tuned to it, and it costs milliseconds.
"""

import numpy as np
from numpy.typing import NDArray

from misc_lab.bench.codec import Pixels

__all__ = ["haarpsi"]

_C = 30.0
_ALPHA = 4.2
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_SCALES = 3

Plane = NDArray[np.float64]


def haarpsi(original: Pixels, other: Pixels) -> float:
    """How alike two pictures look.

    Args:
        original: uint8 [H, W, 3] RGB.
        other: Likewise, of the same size.

    Returns:
        0 to 1; 1 for the same picture.
    """
    one, two = (_planes(picture) for picture in (original, other))
    similarities: list[Plane] = []
    weights: list[Plane] = []
    for vertical in (False, True):
        bands = [
            (_haar(one[0], scale, vertical=vertical), _haar(two[0], scale, vertical=vertical))
            for scale in range(1, _SCALES + 1)
        ]
        similarities.append((_alike(*bands[0]) + _alike(*bands[1])) / 2)
        weights.append(np.maximum(*bands[2]))
    chroma = [_alike(abs(_mean2(a)), abs(_mean2(b))) for a, b in zip(one, two, strict=True)][1:]
    similarities.append((chroma[0] + chroma[1]) / 2)
    weights.append((weights[0] + weights[1]) / 2)
    total = sum(float((_squash(s) * w).sum()) for s, w in zip(similarities, weights, strict=True))
    share = total / max(sum(float(weight.sum()) for weight in weights), 1e-9)
    if share >= _squash(np.ones(1))[0]:
        return 1.0
    return float((np.log(share / (1 - share)) / _ALPHA) ** 2)


def _planes(picture: Pixels) -> list[Plane]:
    """Luma and both chroma planes, halved: a picture is seen from some distance."""
    planes = picture.astype(np.float64) @ _YIQ.T
    return [_mean2(planes[..., index])[::2, ::2] for index in range(3)]


def _mean2(plane: Plane) -> Plane:
    """The mean of 2x2 pixels at each pixel; zeros beyond the right and lower edge."""
    padded = np.pad(plane, ((0, 1), (0, 1)))
    sums: Plane = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
    return sums / 4


def _haar(plane: Plane, scale: int, *, vertical: bool) -> Plane:
    """The magnitude of the Haar filter of 2**scale pixels, undecimated; zeros beyond the edges."""
    size = 2**scale
    half = size // 2
    padded = np.pad(plane, ((half - 1, half), (half - 1, half)))
    across = padded.T if vertical else padded
    halves = _box(across, half)
    response = _box((halves[:-half] - halves[half:]).T, size).T / size
    magnitude: Plane = np.abs(response.T if vertical else response)
    return magnitude


def _box(plane: Plane, length: int) -> Plane:
    """Sums of `length` rows, wherever that many lie below each other."""
    sums: Plane = np.pad(plane, ((1, 0), (0, 0))).cumsum(axis=0)
    return sums[length:] - sums[:-length]


def _alike(one: Plane, two: Plane) -> Plane:
    alike: Plane = (2 * one * two + _C) / (one**2 + two**2 + _C)
    return alike


def _squash(value: Plane) -> Plane:
    squashed: Plane = 1 / (1 + np.exp(-_ALPHA * value))
    return squashed
