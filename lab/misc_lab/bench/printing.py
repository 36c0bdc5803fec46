"""The benchmark on a terminal: progress, then a table."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from misc_lab.bench.bd_rate import BdRate, BdRates
from misc_lab.bench.metrics import LABELS
from misc_lab.bench.results import Point
from misc_lab.bench.rungs import NOISE, Rung, climbs, uses
from misc_lab.bench.speeds import Speed, ratio
from misc_shared.terminal_text import Console

__all__ = ["show_bd_rates", "show_ladder", "show_points", "show_speeds", "watch"]

_MOST = 0.5  # of the range of quality, below which a BD-rate is marked


@contextmanager
def watch(noun: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress on standard error; gives a function of done and total.

    A terminal gets a bar that goes away, anything else a plain line a step.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: console.print(f"{done} of {total} {noun}", highlight=False)
        return
    columns = (TextColumn(noun), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(noun, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def show_points(points: Sequence[Point], *, out: Path) -> None:
    """Print the means, one line a series and budget."""
    table = Table(title="Means over all pictures; * where a codec could not get every one so small")
    table.add_column("codec", no_wrap=True)
    table.add_column("budget", justify="right")
    table.add_column("bpp", justify="right")
    names = [name for name in LABELS if any(name in point.metrics for point in points)]
    for name in names:
        table.add_column(LABELS[name], justify="right")
    previous = None
    for point in points:
        if previous not in (None, point.series):
            table.add_section()
        previous = point.series
        table.add_row(*_cells(point, names))
    console = Console()
    console.print(table)
    console.print(f"Written: {out / 'rd.json'}, rd.csv, rd.png")


def show_bd_rates(rates: BdRates) -> None:
    """Print BD-rates against AVIF, one line a series; nothing if there are none."""
    if not rates:
        return
    table = Table(title="BD-rate against AVIF; ~ where the curves share less than half their range")
    table.add_column("codec", no_wrap=True)
    names = list(next(iter(rates.values())))
    for name in names:
        table.add_column(LABELS[name].partition(" (")[0], justify="right")
    for series, by_metric in rates.items():
        table.add_row(series, *(_percent(by_metric[name]) for name in names))
    Console().print(table)


def show_ladder(rungs: Sequence[Rung], *, out: Path) -> None:
    """Print how budgets were kept and how metrics rose."""
    console = Console()
    table = Table(title="Budgets in bytes, everything counted")
    for name in ("budget", "within", "least used", "used on average"):
        table.add_column(name, justify="right")
    for use in uses(rungs):
        shares = (f"{100 * use.least:.1f} %", f"{100 * use.mean:.1f} %")
        table.add_row(str(use.budget), f"{use.within} of {use.pictures}", *shares)
    console.print(table)
    table = Table(title="Steps to more bytes, and those that went back by more than noise")
    for name in ("over", "metric", "steps", "back", "noise", "worst", "where"):
        table.add_column(name)
    for climb in climbs(rungs):
        worst = f"{climb.worst:.4f}" if climb.worst else "–"
        noise = f"{NOISE.get(climb.metric, 0.0):g}"
        counts = (str(climb.steps), str(climb.backward), noise)
        place = climb.where if climb.worst else ""
        table.add_row(climb.kind, LABELS[climb.metric], *counts, worst, place)
    console.print(table)
    console.print(f"Written: {out / 'ladder.json'}, ladder.png")


def show_speeds(speeds: Sequence[Speed], *, out: Path) -> None:
    """Print medians, ours over theirs, and peak memory."""
    table = Table(title="Median times; ours over theirs; peak memory, libraries included")
    table.add_column("size")
    table.add_column("stage")
    table.add_column("codec", no_wrap=True)
    for name in ("ms", "ours over it", "peak MB", "bytes", "runs"):
        table.add_column(name, justify="right")
    previous = None
    for speed in sorted(speeds, key=lambda speed: (speed.width * speed.height, speed.stage)):
        if previous not in (None, speed.place):
            table.add_section()
        previous = speed.place
        over = ratio(speed, speeds)
        table.add_row(
            f"{speed.width}x{speed.height}",
            speed.stage,
            speed.codec,
            f"{1000 * speed.median_seconds:.1f}",
            "" if over is None else f"{over:.2f}",
            f"{speed.peak_bytes / 1e6:.0f}",
            str(speed.nbytes),
            str(speed.runs),
        )
    console = Console()
    console.print(table)
    console.print(f"Written: {out / 'speed.json'}, speed.png")


def _percent(rate: BdRate | None) -> str:
    if rate is None:
        return "–"
    return f"{'~' if rate.overlap < _MOST else ''}{rate.percent:+.1f} %"


def _cells(point: Point, names: Sequence[str]) -> list[str]:
    if point.fitted == 0:
        return [point.series, f"{point.target_bpp:g}", "none fits", *[""] * len(names)]
    mark = "" if point.fitted == point.pictures else f" * {point.fitted} of {point.pictures}"
    values = [_number(point.metrics[name]) for name in names]
    return [point.series, f"{point.target_bpp:g}", f"{point.bpp:.4f}{mark}", *values]


def _number(value: float) -> str:
    return f"{value:.2f}" if value > 2 else f"{value:.3f}"  # noqa: PLR2004 - dB, else a share
