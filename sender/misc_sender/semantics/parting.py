"""Parts values into those that speak for something and those that do not."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["otsu_threshold"]


def otsu_threshold(values: NDArray[np.float32]) -> float:
    """Find the level that splits values into two classes with the largest variance between them.

    All levels are compared, without a histogram (Otsu 1979).

    Args:
        values: any shape, finite, at least one.

    Returns:
        The level, half-way between the two classes; below all values if all are equal.
    """
    ordered = np.sort(values.ravel()).astype(np.float64)
    if len(ordered) < 2 or ordered[0] == ordered[-1]:  # noqa: PLR2004 - two groups
        return float(ordered[0]) - 1.0
    count = np.arange(1, len(ordered))
    below = np.cumsum(ordered)[:-1]
    apart = (ordered.sum() - below) / (len(ordered) - count) - below / count
    best = int((count * (len(ordered) - count) * apart**2).argmax())
    return float(ordered[best] + ordered[best + 1]) / 2
