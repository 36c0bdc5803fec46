"""What parts values in two."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from misc_sender.semantics.parting import otsu_threshold


def _between(values: NDArray[np.float32], level: float) -> float:
    above = values > level
    apart = values[above].mean() - values[~above].mean()
    return float(above.mean() * (1 - above.mean()) * apart**2)


@pytest.mark.parametrize("seed", range(5))
def test_no_level_parts_better(seed: int) -> None:
    """Not one, and so not scikit-image's, which looks at bins; that is near."""
    generator = np.random.default_rng(seed)
    drawn = np.concatenate([generator.normal(0, 1, 300), generator.normal(6, 1, 80)])
    values = drawn.astype(np.float32)
    found = _between(values, otsu_threshold(values))
    levels = np.sort(values)[:-1]
    assert found == pytest.approx(max(_between(values, level) for level in levels), rel=1e-6)
    binned = _between(values, threshold_otsu(values, 256))
    assert found >= binned * (1 - 1e-6)
    assert binned == pytest.approx(found, rel=0.01)


@pytest.mark.parametrize("values", [[0.3], [0.3, 0.3, 0.3]])
def test_equal_values_lie_above(values: list[float]) -> None:
    """They are of one class, and it is the one that speaks."""
    assert otsu_threshold(np.array(values, dtype=np.float32)) < min(values)
