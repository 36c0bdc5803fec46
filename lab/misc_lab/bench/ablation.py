"""What an ablation found: rows, their means, and a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from misc_lab.bench.means import group_rows, mean_metrics
from misc_lab.bench.metrics import LABELS
from misc_lab.result_files import write_result

__all__ = ["Ablated", "averages", "cells", "columns", "write_table"]


@dataclass(frozen=True, slots=True)
class Ablated:
    """One picture, or the mean of all, by what its stream held and how it was refined.

    Attributes:
        image: File name; "mean" for means.
        contents: Name of the groups in the stream.
        steps: Of diffusion; 0 without.
        nbytes: All of the stream's; of groups without latents, only their layers'.
        passed: 1 if the guard let the picture pass; of means, the share.
        metrics: Metric name -> value.
    """

    image: str
    contents: str
    steps: int
    nbytes: float
    passed: float
    metrics: Mapping[str, float]


def averages(rows: Sequence[Ablated]) -> list[Ablated]:
    """Average over pictures, in the order in which contents and steps first appear."""
    means = []
    groups = group_rows(rows, lambda row: (row.contents, row.steps))
    for (contents, steps), group in groups.items():
        count = len(group)
        metrics = mean_metrics([row.metrics for row in group])
        nbytes = sum(row.nbytes for row in group) / count
        passed = sum(row.passed for row in group) / count
        means.append(Ablated("mean", contents, steps, nbytes, passed, metrics))
    return means


def columns(means: Sequence[Ablated]) -> list[str]:
    """Headings of the table."""
    named = [LABELS.get(name, name) for name in means[0].metrics]
    return ["stream", "steps", "bytes", "guard passed", *named]


def cells(row: Ablated) -> list[str]:
    """One line of it."""
    numbers = [
        f"{value:.2f}" if name == "psnr" else f"{value:.4f}" for name, value in row.metrics.items()
    ]
    return [
        row.contents,
        str(row.steps or "coarse"),
        f"{row.nbytes:.0f}",
        f"{100 * row.passed:.0f} %",
        *numbers,
    ]


def write_table(means: Sequence[Ablated], path: Path) -> None:
    """Write the means as Markdown."""
    heads = columns(means)
    lines = [heads, ["---"] * len(heads), *(cells(row) for row in means)]
    write_result(path, "".join(f"| {' | '.join(line)} |\n" for line in lines))
