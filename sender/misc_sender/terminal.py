"""Shows a stream being sent to a person at a terminal."""

from __future__ import annotations

from misc_sender.reports import (
    AudienceFound,
    AudienceMissing,
    CaughtUp,
    FrameEnded,
    FrameQueued,
    FrameSpooled,
    ReceiverRefused,
    SpoolGaveUp,
    StreamEnded,
    StreamStarted,
    WordsMissed,
)
from misc_shared.live_terminal import LiveTerminal
from misc_shared.reports import Report
from misc_shared.terminal_text import Console, counted, printable

__all__ = ["Terminal"]


class Terminal(LiveTerminal):
    """One line per picture, and below them what is going on now.

    Args:
        console: where to draw; None takes standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__(console)
        self._waiting: dict[str, FrameQueued] = {}
        self._sent = 0

    def report(self, report: Report) -> None:
        """Show one report."""
        match report:
            case StreamStarted():
                self._status.update(f"sending {printable(report.source)} as stream {report.stream}")
            case FrameQueued():
                self._waiting[report.frame] = report
                self._print(_line(report))
            case FrameEnded():
                self._end(report)
            case AudienceFound():
                self._print(f"{printable(report.stream)} is received")
            case FrameSpooled():
                self._status.update("the link is away: pictures wait in the spool")
            case CaughtUp():
                self._status.update(f"{counted(report.waiting, 'kept picture')} to be sent")
            case StreamEnded():
                self._print(_summary(report))
            case _:
                warning = _warning(report)
                if warning is not None:
                    self._print(f"[yellow]{warning}[/yellow]")

    def _end(self, ended: FrameEnded) -> None:
        self._waiting.pop(ended.frame, None)
        if ended.outcome == "dropped":
            missing = f" without {', '.join(ended.missing)}" if ended.missing else ""
            self._print(f"[yellow]{ended.frame} given up{missing}: {ended.reason}[/yellow]")
        else:
            self._sent += 1
        waiting = f", {len(self._waiting)} under way" if self._waiting else ""
        self._status.update(f"{counted(self._sent, 'picture')} sent{waiting}")


def _warning(report: Report) -> str | None:
    match report:
        case AudienceMissing():
            when = "any more" if report.lost else "yet"
            return f"nobody receives {printable(report.stream)} {when}"
        case ReceiverRefused():
            return f"a receiver cannot read this stream: {printable(report.reason)}"
        case SpoolGaveUp():
            return _given_up(report)
        case WordsMissed():
            return f"no words: {printable(report.reason)}"
    return None


def _given_up(report: SpoolGaveUp) -> str:
    detail = f" ({printable(report.detail)})" if report.detail else ""
    if report.pictures:
        return f"spool: {counted(report.pictures, 'picture')} given up: {report.reason}{detail}"
    return f"spool: {counted(report.layers, 'layer')} of older pictures made room"


def _line(frame: FrameQueued) -> str:
    layers = ", ".join(f"{name} {size}" for name, size in frame.layers.items())
    said = printable(frame.caption or ", ".join(frame.items))
    return (
        f"[bold]{frame.frame}[/bold] {frame.width}x{frame.height} {frame.coding}"
        f"  {frame.bytes} bytes  {frame.bpp:.4f} bpp  ({layers})  [italic]{said}[/italic]"
    )


def _summary(end: StreamEnded) -> str:
    skipped = f", {end.skipped} skipped" if end.skipped else ""
    arrived = "nothing can be confirmed" if end.arrived is None else f"{end.arrived} arrived"
    return (
        f"{counted(end.frames, 'picture')} sent, {arrived}{skipped}, {end.bytes} bytes in "
        f"{counted(end.datagrams, 'datagram')}, "
        f"{end.seconds:.1f} s"
    )
