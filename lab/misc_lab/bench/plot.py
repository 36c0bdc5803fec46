"""Curves of quality over rate, one panel a metric."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from misc_lab.bench.figure import new_figure, tidy
from misc_lab.bench.metrics import HIGHER_IS_BETTER, LABELS
from misc_lab.bench.results import Point
from misc_lab.result_files import write_figure

__all__ = ["plot_rates"]

_OURS = "misc"
_OUR_COLOURS = ("#d1495b", "#edae49", "#c9ada7")
_COLOURS = (
    "#00798c",
    "#30638e",
    "#6a994e",
    "#7d5ba6",
    "#8d8d8d",
    "#b08968",
    "#3a86ff",
    "#111111",
)
_COLUMNS = 3


def plot_rates(points: Sequence[Point], path: Path) -> None:
    """Draw the mean curves; a point is left out where a codec did not fit every picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    whole = [point for point in points if point.fitted == point.pictures]
    names = [name for name in LABELS if any(name in point.metrics for point in whole)]
    columns = max(1, min(_COLUMNS, len(names)))
    rows = max(1, -(-len(names) // columns))
    figure = new_figure(4.6 * columns, 4.2 * rows)
    for index, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, index + 1)
        _draw(axes, whole, name)
        if index == 0:
            axes.legend(frameon=False, fontsize=8)
    write_figure(figure, path)


def _draw(axes: Any, points: Sequence[Point], name: str) -> None:  # noqa: ANN401 - matplotlib stays lazy
    series = list(dict.fromkeys(point.series for point in points))
    colours = _assign_colours(series)
    for one in series:
        line = sorted((p.bpp, p.metrics[name]) for p in points if p.series == one)
        width = 2.4 if one.startswith(_OURS) else 1.4
        axes.plot(*zip(*line, strict=True), "o-", color=colours[one], lw=width, ms=4, label=one)
    better = "higher" if name in HIGHER_IS_BETTER else "lower"
    axes.set(
        xscale="log",
        xlabel="bits per pixel, all bytes",
        title=f"{LABELS[name]}, {better} is better",
    )
    ticks = sorted({round(point.target_bpp, 4) for point in points})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    tidy(axes)


def _assign_colours(series: Sequence[str]) -> dict[str, str]:
    ours = [one for one in series if one.startswith(_OURS)]
    others = [one for one in series if not one.startswith(_OURS)]
    colours = {one: _OUR_COLOURS[index % len(_OUR_COLOURS)] for index, one in enumerate(ours)}
    return colours | {one: _COLOURS[index % len(_COLOURS)] for index, one in enumerate(others)}
