"""Rungs of the ladder of bytes, and what they say of the promises of our rate control."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from misc_lab.bench.metrics import HIGHER_IS_BETTER, WITHOUT_RATE

__all__ = ["NOISE", "BudgetUse", "Climb", "Rung", "climbs", "uses"]

NOISE = {
    "psnr": 0.05,
    "ms_ssim": 0.003,
    "blocks": 0.1,
    "st_lpips": 0.005,
    "sqfd": 0.005,
    "sqtd": 0.005,
    "taefd": 0.005,
}
"""How far a metric may go back from one rung to the next and still count as no worse."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One picture at one budget or quality.

    Attributes:
        image: File name.
        kind: "bytes" or "quality".
        asked: The budget or the quality.
        nbytes: Every byte that the decoder got; None if the picture does not get that small.
        setting: How it was coded.
        metrics: Metric name -> value.
    """

    image: str
    kind: str
    asked: int
    nbytes: int | None
    setting: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """How a budget was kept over all pictures.

    Attributes:
        budget: Bytes.
        pictures: In all.
        within: Pictures at or below it.
        least: Smallest share used.
        mean: Mean share used.
    """

    budget: int
    pictures: int
    within: int
    least: float
    mean: float


@dataclass(frozen=True, slots=True)
class Climb:
    """How a metric rose over the rungs of one kind, picture by picture.

    Attributes:
        kind: "bytes" or "quality".
        metric: Its name.
        steps: From a rung to the next one that has more bytes.
        backward: Steps after which the metric was worse by more than NOISE.
        worst: The largest step back, as a positive number; 0 if there was none.
        where: The picture and rung of that step.
    """

    kind: str
    metric: str
    steps: int
    backward: int
    worst: float
    where: str


def uses(rungs: Sequence[Rung]) -> list[BudgetUse]:
    """How each budget was kept; a picture that did not fit has used nothing of it."""
    found = []
    for budget in sorted({rung.asked for rung in rungs if rung.kind == "bytes"}):
        sizes = [r.nbytes for r in rungs if (r.kind, r.asked) == ("bytes", budget)]
        shares = [(nbytes or 0) / budget for nbytes in sizes]
        within = sum(nbytes is not None and nbytes <= budget for nbytes in sizes)
        mean = sum(shares) / len(shares)
        found.append(BudgetUse(budget, len(sizes), within, min(shares), mean))
    return found


def climbs(rungs: Sequence[Rung]) -> list[Climb]:
    """How each metric rose with the bytes."""
    kinds = sorted({rung.kind for rung in rungs})
    found = dict.fromkeys(name for rung in rungs for name in rung.metrics)
    names = [name for name in found if name not in WITHOUT_RATE]
    return [_rise([r for r in rungs if r.kind == kind], name) for kind in kinds for name in names]


def _rise(rungs: Sequence[Rung], name: str) -> Climb:
    sign = 1 if name in HIGHER_IS_BETTER else -1
    losses = []
    for lower, upper in _steps(rungs):
        lost = sign * (lower.metrics[name] - upper.metrics[name])
        losses.append((lost, f"{upper.image} at {upper.kind} {upper.asked}"))
    worst, where = max(losses, default=(0.0, ""))
    backward = sum(lost > NOISE.get(name, 0.0) for lost, _ in losses)
    return Climb(rungs[0].kind, name, len(losses), backward, max(0.0, worst), where)


def _steps(rungs: Sequence[Rung]) -> Iterator[tuple[Rung, Rung]]:
    for image in sorted({rung.image for rung in rungs}):
        fitted = [rung for rung in rungs if rung.image == image and rung.nbytes is not None]
        rising = sorted(fitted, key=lambda rung: rung.asked)
        for lower, upper in pairwise(rising):
            if (upper.nbytes or 0) > (lower.nbytes or 0):
                yield lower, upper
