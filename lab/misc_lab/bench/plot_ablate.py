"""Quality over diffusion steps, one curve for each content of the stream."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from misc_lab.bench.ablation import Ablated
from misc_lab.bench.figure import new_figure, tidy
from misc_lab.bench.metrics import HIGHER_IS_BETTER, LABELS
from misc_lab.result_files import write_figure

__all__ = ["plot_ablation"]

_COLOURS = ("#8d8d8d", "#edae49", "#6a994e", "#00798c", "#7d5ba6", "#d1495b")
_COLUMNS = 3


def plot_ablation(means: Sequence[Ablated], path: Path) -> None:
    """Draw each metric of the streams that hold latents.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    shown = [row for row in means if row.contents.startswith("latents")]
    names = list(shown[0].metrics)
    wide = min(_COLUMNS, len(names))
    high = -(-len(names) // wide)
    figure = new_figure(4.8 * wide, 4.0 * high)
    for index, name in enumerate(names):
        axes = figure.add_subplot(high, wide, index + 1)
        _draw(axes, shown, name)
        if index == 0:
            axes.legend(frameon=False, fontsize=7)
    write_figure(figure, path, dpi=130)


def _draw(axes: Any, rows: Sequence[Ablated], name: str) -> None:  # noqa: ANN401 - matplotlib stays lazy
    steps = sorted({row.steps for row in rows})
    for number, contents in enumerate(dict.fromkeys(row.contents for row in rows)):
        line = sorted(
            (steps.index(r.steps), r.metrics[name]) for r in rows if r.contents == contents
        )
        colour = _COLOURS[number % len(_COLOURS)]
        axes.plot(*zip(*line, strict=True), "o-", color=colour, lw=1.6, ms=4, label=contents)
    better = "higher" if name in HIGHER_IS_BETTER else "lower"
    axes.set_title(f"{LABELS.get(name, name)}, {better} is better")
    axes.set_xlabel("diffusion steps")
    axes.set_xticks(range(len(steps)), [str(count or "coarse") for count in steps])
    tidy(axes)
