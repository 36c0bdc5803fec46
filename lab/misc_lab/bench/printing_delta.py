"""The delta benchmark's findings as tables."""

from collections.abc import Sequence

from rich.table import Table

from misc_lab.bench.deltas import StillResult, VideoResult
from misc_shared.terminal_text import Console

__all__ = ["show_deltas"]


def show_deltas(stills: Sequence[StillResult], videos: Sequence[VideoResult]) -> None:
    """Print bytes, shares and quality."""
    console = Console()
    still = _table("Still scene", "quality", "key, bytes", "delta, bytes", "largest", "share")
    for one in stills:
        share = f"{100 * one.share:.1f} %"
        still.add_row(
            str(one.quality),
            str(one.key_bytes),
            f"{one.delta_bytes:.1f}",
            str(one.largest_delta),
            share,
        )
    console.print(still)
    video = _table(
        "Video", "quality", "keys alone, bytes", "with deltas", "share", "PSNR", "MS-SSIM", "keys"
    )
    for two in videos:
        video.add_row(
            str(two.quality),
            f"{two.key_bytes:.0f}",
            f"{two.bytes:.0f}",
            f"{100 * two.share:.1f} %",
            f"{two.key_metrics['psnr']:.2f} / {two.metrics['psnr']:.2f}",
            f"{two.key_metrics['ms_ssim']:.4f} / {two.metrics['ms_ssim']:.4f}",
            f"{two.keys} of {two.pictures}",
        )
    console.print(video)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for name in columns:
        table.add_column(name, justify="right")
    return table
