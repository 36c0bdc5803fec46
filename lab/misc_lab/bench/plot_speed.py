"""Time and memory over the size of the picture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from misc_lab.bench.figure import new_figure, tidy
from misc_lab.bench.speeds import OURS, Speed
from misc_lab.result_files import write_figure

__all__ = ["plot_speed"]

_COLOURS = ("#00798c", "#6a994e", "#8d8d8d", "#30638e", "#7d5ba6", "#b08968")
_OUR_COLOUR = "#d1495b"
_MILLION = 1e6


def plot_speed(speeds: Sequence[Speed], path: Path) -> None:
    """Draw time and peak memory of each stage over megapixels.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    stages = list(dict.fromkeys(speed.stage for speed in speeds))
    rows: dict[str, Callable[[Speed], float]] = {
        "milliseconds, median": lambda speed: 1000 * speed.median_seconds,
        "MB at the peak, libraries included": lambda speed: speed.peak_bytes / _MILLION,
    }
    figure = new_figure(5.2 * len(stages), 3.8 * len(rows))
    for row, (label, value) in enumerate(rows.items()):
        for column, stage in enumerate(stages):
            axes = figure.add_subplot(len(rows), len(stages), row * len(stages) + column + 1)
            _draw(axes, [speed for speed in speeds if speed.stage == stage], value)
            axes.set_ylabel(label)
            if row == 0:
                axes.set_title(stage)
    figure.axes[0].legend(frameon=False, fontsize=8)
    write_figure(figure, path)


def _draw(axes: Any, speeds: Sequence[Speed], value: Callable[[Speed], float]) -> None:  # noqa: ANN401 - matplotlib stays lazy
    codecs = list(dict.fromkeys(speed.codec for speed in speeds))
    others = [codec for codec in codecs if codec != OURS]
    for codec in codecs:
        mine = [speed for speed in speeds if speed.codec == codec]
        line = sorted((s.width * s.height / _MILLION, value(s)) for s in mine)
        ours = codec == OURS
        colour = _OUR_COLOUR if ours else _COLOURS[others.index(codec) % len(_COLOURS)]
        width = 2.4 if ours else 1.4
        axes.plot(*zip(*line, strict=True), "o-", color=colour, lw=width, ms=4, label=codec)
    axes.set(xscale="log", yscale="log", xlabel="megapixels")
    tidy(axes)
