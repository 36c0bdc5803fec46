"""The last reports, as the lines that the console has, for whoever reads along."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import msgspec

from misc_shared.reports import Report

__all__ = ["EventLog", "LoggedLine"]

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """One report.

    Attributes:
        number: counts all reports.
        stream: that it is about; empty for all.
        line: JSON.
    """

    number: int
    stream: str
    line: bytes


class EventLog:
    """A ring of lines: a reader that is late misses the oldest, and can tell how many."""

    def __init__(self) -> None:
        self._lines: deque[LoggedLine] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self.newest = 0

    def add(self, report: Report, *, stream: str) -> None:
        """Add a report."""
        line = msgspec.json.encode(report)
        with self._lock:
            self.newest += 1
            self._lines.append(LoggedLine(self.newest, stream, line))

    def after(self, number: int) -> list[LoggedLine]:
        """The lines after one, as far as they are kept, the oldest first."""
        found: list[LoggedLine] = []
        with self._lock:
            for line in reversed(self._lines):
                if line.number <= number:
                    break
                found.append(line)
        return found[::-1]
