"""What a command tells its user: typed reports, one JSON line each, or a display on a terminal."""

from __future__ import annotations

import errno
import logging
import sys
from typing import Protocol, TextIO

import msgspec

from misc_shared.harmless import escaped_json

__all__ = ["JsonLines", "Report", "Reporter", "Reporters"]

_log = logging.getLogger(__name__)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event"):
    """Something that happened; each kind is a subclass, named by its tag."""


class Reporter(Protocol):
    """Shows reports to a person or a program."""

    def report(self, report: Report) -> None:
        """Show one report."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class Reporters:
    """Tells several at once: a console, a page, metrics.

    Args:
        reporters: who is told, in this order.
    """

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = [*reporters]

    def add(self, reporter: Reporter) -> None:
        """Tell one more from now on."""
        self._reporters.append(reporter)

    def report(self, report: Report) -> None:
        """Tell each of them."""
        for reporter in self._reporters:
            reporter.report(report)

    def close(self) -> None:
        """Close each of them."""
        for reporter in self._reporters:
            reporter.close()


class JsonLines:
    """Writes each report as one line of JSON, at once, for programs and logs.

    Args:
        stream: where the lines go; None takes standard output.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._told = False

    def report(self, report: Report) -> None:
        """Write one line; where the disk is full, the next ones that find room are written."""
        try:
            self._stream.write(escaped_json(msgspec.json.encode(report).decode()) + "\n")
            self._stream.flush()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            if not self._told:
                self._told = True
                _log.warning("reports cannot be written: %s; some will be missing", error.strerror)

    def close(self) -> None:
        """Do nothing: every line is written already."""
