"""What was measured of refinement, on a terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from misc_lab.bench.ablation import Ablated, cells, columns
from misc_lab.bench.refiner_speed import RefinerSpeed
from misc_lab.bench.seeds import SeedResult
from misc_shared.terminal_text import Console

__all__ = ["show_ablation", "show_refiner_speeds", "show_seeds"]


def show_ablation(means: Sequence[Ablated], *, out: Path) -> None:
    """Print the means, a section for each content."""
    table = Table(title="Means over all pictures, each stream within the same budget")
    for name in columns(means):
        table.add_column(name, justify="left" if name == "stream" else "right")
    previous = means[0].contents
    for row in means:
        if row.contents != previous:
            table.add_section()
        previous = row.contents
        table.add_row(*cells(row))
    console = Console()
    console.print(table)
    console.print(f"Written: {out / 'ablate.json'}, ablate.md, ablate.png")


def show_seeds(found: Sequence[SeedResult], *, out: Path) -> None:
    """Print how the guard held, a line a picture."""
    table = Table(title="Levels of 255; cells are of 16x16 pixels")
    for name in ("picture", "passed", "different", "worst cells", "detail", "detail of cells"):
        table.add_column(name, justify="left" if name == "picture" else "right")
    for one in found:
        table.add_row(
            one.image,
            f"{one.passed} of {one.seeds}",
            str(one.different),
            f"{one.worst_disagreement:.2f}",
            f"{one.detail:.2f}",
            f"{one.cell_detail:.3f}",
        )
    console = Console()
    console.print(table)
    console.print(f"Written: {out / 'seeds.json'}")


def show_refiner_speeds(speeds: Sequence[RefinerSpeed], *, out: Path) -> None:
    """Print times, memory and share of the device's peak, a line a batch."""
    table = Table(title="Refinement: median times; memory at the peak, libraries included")
    for name in ("size", "device", "steps", "batch", "first preview ms", "all ms"):
        table.add_column(name, justify="right")
    for name in ("pictures/s", "peak MB", "GPU MB", "GFLOP a picture", "of bf16 peak"):
        table.add_column(name, justify="right")
    for one in speeds:
        share = one.share_of_peak
        table.add_row(
            f"{one.width}x{one.height}",
            one.device,
            str(one.steps),
            str(one.batch),
            f"{1000 * one.preview_seconds:.0f}",
            f"{1000 * one.median_seconds:.0f}",
            f"{one.pictures_per_second:.2f}",
            f"{one.peak_bytes / 1e6:.0f}",
            "" if one.gpu_peak_bytes is None else f"{one.gpu_peak_bytes / 1e6:.0f}",
            f"{one.flop / 1e9:.1f}",
            "" if share is None else f"{100 * share:.1f} %",
        )
    console = Console()
    console.print(table)
    console.print(f"Written: {out / 'speed-refiner.json'}")
