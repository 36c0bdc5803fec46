"""BD-rate: how many more or fewer bytes a codec takes than another for the same quality.

After G. Bjontegaard, VCEG-M33 (2001), by the package `bjontegaard`: the mean curves' logarithmic
rate over quality, joined by monotone cubic pieces (pchip) and integrated where both curves have
values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from misc_lab.bench.metrics import HIGHER_IS_BETTER, WITHOUT_RATE
from misc_lab.bench.results import Point
from misc_shared.errors import MissingExtraError

__all__ = ["ANCHOR", "BdRate", "BdRates", "bd_rates", "check_bd_rate"]

ANCHOR = "avif"
"""The codec with which the others are compared."""

_FEWEST = 2


@dataclass(frozen=True, slots=True)
class BdRate:
    """A series against the anchor by one metric.

    Attributes:
        percent: Bytes more (above 0) or fewer (below 0) for the same quality.
        overlap: The share of both curves' range of quality on which that rests, 0 to 1.
    """

    percent: float
    overlap: float


BdRates = Mapping[str, Mapping[str, BdRate | None]]
"""Series -> metric -> BD-rate, or None where there is none."""


def check_bd_rate() -> None:
    """Refuse early what `bd_rates` would refuse late.

    Raises:
        MissingExtraError: bjontegaard is not installed.
    """
    try:
        import bjontegaard  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtraError("BD-rate", package="bjontegaard", extra="lab") from error


def bd_rates(points: Sequence[Point], *, anchor: str = ANCHOR) -> BdRates:
    """Compare every series with the anchor.

    Budgets that a series does not hold for every picture are left out. Distances are negated.

    Args:
        points: Means by series and budget.
        anchor: The series to compare with; without it there is nothing to compare.

    Returns:
        Series -> metric -> BD-rate; None where the curves do not meet, have fewer than two points,
        or are not monotone.
    """
    curves = {series: _whole(points, series) for series in dict.fromkeys(p.series for p in points)}
    if not curves.get(anchor):
        return {}
    names = [name for name in curves[anchor][0].metrics if name not in WITHOUT_RATE]
    return {
        series: {name: _compare(curves[anchor], curve, name) for name in names}
        for series, curve in curves.items()
        if series != anchor
    }


def _whole(points: Sequence[Point], series: str) -> list[Point]:
    kept = [p for p in points if p.series == series and p.fitted == p.pictures]
    return sorted(kept, key=lambda point: point.bpp)


def _compare(anchor: Sequence[Point], other: Sequence[Point], name: str) -> BdRate | None:
    qualities = [_qualities(curve, name) for curve in (anchor, other)]
    if not all(_rising(curve) for curve in qualities):
        return None
    low, high = max(curve[0] for curve in qualities), min(curve[-1] for curve in qualities)
    widest = max(curve[-1] for curve in qualities) - min(curve[0] for curve in qualities)
    if low >= high:
        return None
    import bjontegaard

    percent = bjontegaard.bd_rate(
        [point.bpp for point in anchor],
        qualities[0],
        [point.bpp for point in other],
        qualities[1],
        method="pchip",
        require_matching_points=False,
        min_overlap=0,
    )
    return BdRate(float(percent), (high - low) / widest)


def _qualities(curve: Sequence[Point], name: str) -> list[float]:
    sign = 1 if name in HIGHER_IS_BETTER else -1
    return [sign * point.metrics[name] for point in curve]


def _rising(values: Sequence[float]) -> bool:
    pairs = pairwise(values)
    return len(values) >= _FEWEST and all(one < other for one, other in pairs)
