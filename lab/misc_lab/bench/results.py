"""What a benchmark found: rows, their means, JSON and CSV."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from misc_lab.bench.means import group_rows, mean_metrics
from misc_lab.result_files import write_result

__all__ = ["Point", "Row", "average", "write_csv", "write_json"]


@dataclass(frozen=True, slots=True)
class Row:
    """One picture by one codec at one budget.

    Attributes:
        image: File name of the picture.
        series: Codec, or one of its kinds of picture, as in "misc coarse".
        target_bpp: The budget.
        nbytes: Every byte that the decoder got; None if the codec cannot get that small.
        bpp: The same over the picture's pixels.
        setting: How the file was made.
        encode_seconds: For all files from which the best was chosen.
        decode_seconds: For the chosen one, all its series together.
        metrics: Metric name -> value; empty where nothing fitted.
    """

    image: str
    series: str
    target_bpp: float
    nbytes: int | None
    bpp: float | None
    setting: str
    encode_seconds: float
    decode_seconds: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Point:
    """One series at one budget, averaged over pictures.

    Attributes:
        series: As in the rows.
        target_bpp: The budget.
        fitted: Pictures that the codec got within it; the means are over these.
        pictures: Pictures in all.
        bpp: Mean rate.
        metrics: Mean of each metric.
    """

    series: str
    target_bpp: float
    fitted: int
    pictures: int
    bpp: float
    metrics: Mapping[str, float]


def average(rows: Iterable[Row]) -> list[Point]:
    """Average rows by series and budget, in the order in which they first appear."""
    groups = group_rows(rows, lambda row: (row.series, row.target_bpp))
    return [_mean(series, target, group) for (series, target), group in groups.items()]


def _mean(series: str, target: float, group: Sequence[Row]) -> Point:
    fitted = [row for row in group if row.bpp is not None]
    return Point(
        series=series,
        target_bpp=target,
        fitted=len(fitted),
        pictures=len(group),
        bpp=sum(row.bpp or 0.0 for row in fitted) / max(1, len(fitted)),
        metrics=mean_metrics([row.metrics for row in fitted]),
    )


def write_json(
    path: Path,
    *,
    settings: Mapping[str, Any],
    rows: Sequence[Row],
    bd: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write settings, means, BD-rates and rows."""
    content = {
        "settings": dict(settings),
        "means": [asdict(point) for point in average(rows)],
        "bd_rate_against_avif": {
            series: {name: rate and asdict(rate) for name, rate in by_metric.items()}
            for series, by_metric in bd.items()
        },
        "rows": [asdict(row) for row in rows],
    }
    write_result(path, json.dumps(content, indent=1) + "\n")


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write one line a row, metrics as columns of their own."""
    flat = [_flatten(row) for row in rows]
    columns = list(dict.fromkeys(name for line in flat for name in line))
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, columns)
    writer.writeheader()
    writer.writerows(flat)
    write_result(path, table.getvalue())


def _flatten(row: Row) -> dict[str, Any]:
    line = asdict(row)
    line.update(line.pop("metrics"))
    return line
