"""Shows many streams being received to a person at a terminal: a row each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.live import Live
from rich.table import Table

from misc_receiver.reports import (
    BaseLost,
    FrameEnded,
    LayerArrived,
    ListeningStarted,
    PictureReady,
    ReceptionEnded,
    ReceptionStarted,
    SenderGone,
    StreamFailed,
    StreamRefused,
    StreamReport,
    StreamStale,
    TextSaid,
)
from misc_shared.reports import Report
from misc_shared.terminal_text import Console, printable

__all__ = ["Board"]

_REDRAWS = 2  # a second: what changes faster cannot be read
_SAID = 40  # characters
_ENDED = 20  # rows of streams that are gone


@dataclass
class _Row:
    """What is known about one stream."""

    state: str = "waiting"
    frame: str = ""
    kind: str = ""
    captured_ago: float | None = None
    shown_at: float | None = None
    frames: int = 0
    incomplete: int = 0
    nbytes: int = 0
    said: str = ""
    ended: bool = False


class Board:
    """A table that is drawn anew, with a row for each stream.

    Args:
        console: where to draw; None takes standard output.
        clock: seconds that never run backwards.
    """

    def __init__(
        self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._at = ""
        self._live = Live(
            console=console or Console(),
            get_renderable=self.draw,
            refresh_per_second=_REDRAWS,
            vertical_overflow="ellipsis",
        )
        self._live.start()

    def report(self, report: Report) -> None:
        """Note one report; it is drawn at the next half second."""
        if isinstance(report, ListeningStarted):
            self._at = report.at
        elif isinstance(report, ReceptionStarted):
            self._rows[report.stream] = _Row()
        elif isinstance(report, StreamReport) and report.stream in self._rows:
            self._note(self._rows[report.stream], report)
            self._forget_ended()

    def close(self) -> None:
        """Draw it for the last time and leave it there."""
        self._live.stop()

    def draw(self) -> Table:
        """The table as it is now."""
        table = Table(title=f"{len(self._rows)} streams at {printable(self._at)}")
        for heading in ("stream", "state", "picture", "age", "frames", "bytes", "says"):
            right = heading in {"age", "frames", "bytes"}
            table.add_column(heading, justify="right" if right else "left", no_wrap=True)
        for name, row in sorted(self._rows.items()):
            short = f" ({row.incomplete} cut)" if row.incomplete else ""
            table.add_row(
                printable(name),
                row.state,
                f"{row.frame} {row.kind}",
                self._age(row),
                f"{row.frames}{short}",
                str(row.nbytes),
                row.said,
            )
        return table

    def _age(self, row: _Row) -> str:
        if row.shown_at is None or row.captured_ago is None:
            return ""
        return f"{row.captured_ago + self._clock() - row.shown_at:.0f} s"

    def _note(self, row: _Row, report: StreamReport) -> None:
        match report:
            case LayerArrived():
                row.nbytes += report.wire_bytes
                row.state = "fresh"
            case PictureReady():
                row.frame, row.kind = report.frame, report.kind
                row.captured_ago, row.shown_at = report.since_capture, self._clock()
            case TextSaid():
                said = report.caption or ", ".join(item.name for item in report.items)
                row.said = printable(said[:_SAID])
            case FrameEnded():
                row.frames += 1
                row.incomplete += bool(report.missing)
            case ReceptionEnded():
                row.state, row.ended = row.state if row.state[:5] == "[red]" else "gone", True
            case _:
                row.state = _state(report) or row.state

    def _forget_ended(self) -> None:
        ended = [name for name, row in self._rows.items() if row.ended]
        for name in ended[:-_ENDED]:
            del self._rows[name]


def _state(report: StreamReport) -> str | None:
    match report:
        case StreamStale():
            return "[yellow]old[/yellow]"
        case BaseLost():
            return "[yellow]old: base lost[/yellow]"
        case SenderGone():
            return "finished"
        case StreamRefused():
            return "[red]refused[/red]"
        case StreamFailed():
            return "[red]failed[/red]"
    return None
