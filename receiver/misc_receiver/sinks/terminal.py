"""Shows a stream being received to a person at a terminal."""

from __future__ import annotations

from misc_receiver.reports import (
    BaseLost,
    FrameEnded,
    FrameSeen,
    LayerArrived,
    LayerLost,
    PageServed,
    PictureReady,
    ReceptionEnded,
    ReceptionStarted,
    SenderGone,
    StreamRefused,
    StreamStale,
    TextSaid,
    TimedReport,
)
from misc_shared.live_terminal import LiveTerminal
from misc_shared.reports import Report
from misc_shared.terminal_text import Console, counted, printable

__all__ = ["Terminal"]


class Terminal(LiveTerminal):
    """One line per thing that can be shown, and below them what is going on now.

    Args:
        console: where to draw; None takes standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console)
        self._bytes = 0

    def report(self, report: Report) -> None:
        """Show one report."""
        match report:
            case ReceptionStarted():
                self._status.update(f"waiting for stream {report.stream}")
            case FrameSeen():
                self._bytes = 0
                self._status.update(f"{report.frame}: {', '.join(report.layers)} to come")
            case LayerArrived():
                self._bytes += report.wire_bytes
                self._status.update(f"{report.frame}: {self._bytes} bytes, {report.layer} is here")
            case _:
                line = _line(report)
                if line is not None:
                    self._print(line)


def _line(report: Report) -> str | None:
    match report:
        case TextSaid():
            said = printable(report.caption or ", ".join(item.name for item in report.items))
            return f"[bold]{report.frame}[/bold] text: [italic]{said}[/italic]{_age(report)}"
        case PictureReady():
            badge = "  [magenta]generated[/magenta]" if report.generated else ""
            where = f"  {printable(report.file)}" if report.file else ""
            return f"[bold]{report.frame}[/bold] {report.kind}{where}{_age(report)}{badge}"
        case PageServed():
            return f"live page at {printable(report.url)}"
        case SenderGone():
            return "the sender has finished"
        case ReceptionEnded():
            datagrams = counted(report.datagrams, "datagram")
            return f"{counted(report.frames, 'frame')}, {report.bytes} bytes in {datagrams}"
    warning = _warning(report)
    return None if warning is None else f"[yellow]{warning}[/yellow]"


def _warning(report: Report) -> str | None:
    match report:
        case LayerLost():
            return f"{report.frame} {report.layer} does not decode: {printable(report.reason)}"
        case BaseLost():
            return f"{report.frame} is not shown, the picture is old: {printable(report.reason)}"
        case FrameEnded() if report.missing:
            return f"{report.frame} ended without {', '.join(report.missing)}"
        case StreamRefused():
            return f"a sender is not understood: {printable(report.reason)}"
        case StreamStale():
            return "nothing comes: the picture is old"
    return None


def _age(report: TimedReport) -> str:
    return "" if report.since_capture is None else f"  {report.since_capture:.1f} s after capture"
