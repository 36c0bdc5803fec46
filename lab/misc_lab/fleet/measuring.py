"""What a receiver of many streams did: who got how many pictures, how old, at what cost."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Ledger", "begin_peak", "jain_index", "peak_bytes", "resident_bytes"]


def jain_index(shares: Sequence[float]) -> float:
    """1 if all have the same, 1/n if one has all.

    Source: Jain, Chiu and Hawe, "A Quantitative Measure of Fairness", DEC TR-301, 1984.
    """
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 0.0


def resident_bytes(pid: int) -> int:
    """Bytes of memory that a process has in RAM; Linux alone."""
    return _status_bytes(pid, "VmRSS:")


def peak_bytes(pid: int) -> int:
    """The most that a process ever had in RAM; Linux alone."""
    return _status_bytes(pid, "VmHWM:")


def begin_peak() -> None:
    """Have `peak_bytes` of this process begin anew; Linux alone."""
    Path("/proc/self/clear_refs").write_text("5")


def _status_bytes(pid: int, key: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024


class Ledger:
    """Notes the reports of `misc-recv`, one JSON object each.

    Attributes:
        shown: frames of each stream that were shown coarse.
    """

    def __init__(self) -> None:
        self.shown: dict[str, set[str]] = defaultdict(set)
        self._ages: list[float] = []
        self._times: dict[str, list[float]] = defaultdict(list)

    def note(self, report: Mapping[str, Any], *, now: float) -> None:
        """Note one report that came at `now`."""
        if report["event"] != "picture" or report["frame"] in self.shown[report["stream"]]:
            return
        self.shown[report["stream"]].add(report["frame"])
        self._times[report["stream"]].append(now)
        if "since_capture" in report:
            self._ages.append(report["since_capture"])

    def summary(self, streams: Sequence[str]) -> dict[str, Any]:
        """Fairness between streams, JSON-ready; ages in seconds.

        Args:
            streams: the names of all that sent pictures, shown or not.
        """
        counts = [len(self.shown[name]) for name in streams]
        gaps = [
            later - earlier
            for name in streams
            for earlier, later in zip(self._times[name], self._times[name][1:], strict=False)
        ]
        ages = sorted(self._ages)
        return {
            "pictures": sum(counts),
            "fewest": min(counts),
            "most": max(counts),
            "most_over_fewest": round(max(counts) / max(1, min(counts)), 3),
            "jain_index": round(jain_index(counts), 5),
            "longest_gap_seconds": round(max(gaps, default=0.0), 2),
            "median_time_to_coarse_seconds": round(statistics.median(ages), 3) if ages else None,
            "p95_time_to_coarse_seconds": round(ages[int(len(ages) * 0.95)], 3) if ages else None,
        }
