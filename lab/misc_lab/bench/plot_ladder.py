"""The ladder as curves: one thin line a picture, over its bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from misc_lab.bench.figure import new_figure, tidy
from misc_lab.bench.metrics import HIGHER_IS_BETTER, LABELS
from misc_lab.bench.rungs import Rung
from misc_lab.result_files import write_figure

__all__ = ["plot_ladder"]

_KINDS = {"bytes": "budget kept by working size and quality", "quality": "quality at full size"}
_SHOWN = 2  # metrics
_COLOUR = "#00798c"
_TICKS = (100, 200, 500, 1000, 2000, 5000, 10000)


def plot_ladder(rungs: Sequence[Rung], path: Path) -> None:
    """Draw the ranking perceptual metric, if any, and MS-SSIM over bytes.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    measured = {name for rung in rungs for name in rung.metrics}
    names = [name for name in ("sqfd", "ms_ssim", "psnr") if name in measured][:_SHOWN]
    kinds = [kind for kind in _KINDS if any(rung.kind == kind for rung in rungs)]
    figure = new_figure(5.2 * max(1, len(kinds)), 3.8 * max(1, len(names)))
    for row, name in enumerate(names):
        for column, kind in enumerate(kinds):
            axes = figure.add_subplot(len(names), len(kinds), row * len(kinds) + column + 1)
            _draw(axes, [rung for rung in rungs if rung.kind == kind], name)
            if row == 0:
                axes.set_title(_KINDS[kind])
    write_figure(figure, path)


def _draw(axes: Any, rungs: Sequence[Rung], name: str) -> None:  # noqa: ANN401 - matplotlib stays lazy
    for image in sorted({rung.image for rung in rungs}):
        fitted = [rung for rung in rungs if rung.image == image and rung.nbytes is not None]
        line = [(r.nbytes, r.metrics[name]) for r in sorted(fitted, key=lambda rung: rung.asked)]
        if line:
            axes.plot(*zip(*line, strict=True), ".-", color=_COLOUR, lw=0.8, ms=3, alpha=0.6)
    better = "higher" if name in HIGHER_IS_BETTER else "lower"
    axes.set(
        xscale="log", xlabel="bytes, all counted", ylabel=f"{LABELS[name]}, {better} is better"
    )
    axes.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    axes.minorticks_off()
    axes.set_xlim(*_limits(rungs))
    tidy(axes)


def _limits(rungs: Sequence[Rung]) -> tuple[float, float]:
    sizes = [rung.nbytes for rung in rungs if rung.nbytes is not None]
    return 0.9 * min(sizes, default=100), 1.1 * max(sizes, default=10000)
