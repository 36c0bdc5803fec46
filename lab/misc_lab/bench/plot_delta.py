"""Bytes of each picture of a video: with deltas, and as key frames alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from misc_lab.bench.deltas import VideoResult
from misc_lab.bench.figure import new_figure
from misc_lab.result_files import write_figure

__all__ = ["plot_deltas"]


def plot_deltas(videos: Sequence[VideoResult], path: Path, *, fps: float) -> None:
    """Draw one panel a quality.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(4.6 * len(videos), 3.6)
    for place, video in enumerate(videos, start=1):
        axes = figure.add_subplot(1, len(videos), place)
        seconds = np.arange(video.pictures) / fps
        keys = f"key frames alone, {video.key_bytes:.0f} bytes"
        deltas = f"with deltas, {video.bytes:.0f} bytes ({100 * video.share:.0f} %)"
        axes.plot(seconds, video.key_sizes, color="#8d8d8d", lw=1.4, label=keys)
        axes.plot(seconds, video.sizes, color="#d1495b", lw=2.0, label=deltas)
        axes.set(
            title=f"quality {video.quality}",
            xlabel="seconds",
            ylabel="bytes a picture",
            ylim=(0, None),
        )
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8)
    write_figure(figure, path)
