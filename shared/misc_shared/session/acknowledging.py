"""When the receiver acknowledges, and what. protocol.md, Acknowledgements."""

from collections.abc import Callable, Iterable

from misc_shared.session.options import ReceiverTiming
from misc_shared.wire import KINDS, MAX_REPORTS, Ack, FrameReport, write

__all__ = ["Acknowledger"]

_MAX_DELAY = 0xFFFF
_MAX_DEPTH = 0x7FFF
_SHORT_BITMAP = 0xFFFF_FFFF
_MAX_CHANGED = 4 * MAX_REPORTS
"""Frames to be reported; above it the oldest are not, and the sender asks by repeating."""


class Acknowledger:
    """Collects what changed and says so in few, small datagrams.

    Args:
        timing: How long to collect, and how often to speak at most.
        mtu: Bytes of the largest datagram.
    """

    def __init__(self, timing: ReceiverTiming, *, mtu: int) -> None:
        self._timing = timing
        self._mtu = mtu
        self._changed: dict[int, None] = {}
        self._told: list[int] = []
        self._due: float | None = None
        self._spoke_at: float | None = None
        self._heard_at = 0.0

    def note(self, tick: int | None, now: float, *, urgent: bool = False) -> None:
        """A datagram came.

        Args:
            tick: The frame that it belonged to, if any.
            now: The caller's clock.
            urgent: Nothing more is to come with it, or it came twice: do not wait.
        """
        self._heard_at = now
        if tick is not None:
            self._changed[tick] = None
            while len(self._changed) > _MAX_CHANGED:
                del self._changed[next(iter(self._changed))]
        due = now if urgent else now + self._timing.ack_delay
        due = max(due, self._earliest())
        self._due = due if self._due is None else min(self._due, due)

    def next_timer(self) -> float | None:
        """When an acknowledgement is due."""
        return self._due

    def take(
        self,
        now: float,
        report: Callable[[Iterable[int]], list[FrameReport]],
        *,
        epoch: int,
        receiver: int,
        status: int,
        received: int,
    ) -> bytes | None:
        """The acknowledgement to send now; None if none is due.

        Args:
            now: The caller's clock.
            report: Says what arrived of given frames.
            epoch: The sender's run.
            receiver: As in `Ack`.
            status: As in `Ack`.
            received: As in `Ack`.
        """
        if self._due is None or now < self._due:
            return None
        ticks = self._ticks()
        ack = Ack(
            kind=KINDS[Ack],
            epoch=epoch,
            receiver=receiver,
            status=min(status, 2 * _MAX_DEPTH + 1),
            received=received & 0xFFFF_FFFF,
            delay=min(int((now - self._heard_at) * 1000), _MAX_DELAY),
            reports=tuple(report(ticks)),
        )
        datagram, count = _fit(ack, self._mtu)
        self._told = [tick for tick in ticks[:count] if tick in self._changed]
        for tick in self._told:
            del self._changed[tick]
        self._spoke_at = now
        self._due = self._earliest() if self._changed else None
        return datagram

    def _ticks(self) -> list[int]:
        # What was told once is told again if there is room: a few bytes here save the sender
        # from repeating a whole frame when the first telling got lost.
        changed = list(self._changed)
        again = [tick for tick in self._told if tick not in self._changed]
        return (changed + again)[:MAX_REPORTS]

    def _earliest(self) -> float:
        if self._spoke_at is None:
            return float("-inf")
        return self._spoke_at + self._timing.ack_interval


def _fit(ack: Ack, mtu: int) -> tuple[bytes, int]:
    """The acknowledgement with as many reports as fit, and their number."""
    for count in range(len(ack.reports), 0, -1):
        datagram = write(_with_reports(ack, ack.reports[:count]))
        if len(datagram) <= mtu:
            return datagram, count
    if not ack.reports:
        return write(ack), 0
    return write(_with_reports(ack, (_shorten(ack.reports[0]),))), 1


def _with_reports(ack: Ack, reports: tuple[FrameReport, ...]) -> Ack:
    return Ack(ack.kind, ack.epoch, ack.receiver, ack.status, ack.received, ack.delay, reports)


def _shorten(report: FrameReport) -> FrameReport:
    # Saying less is safe: the sender repeats what it need not. The first bitmap is the urgent one.
    numbers = list(report.by_layer.values())
    kept = next((index for index, number in enumerate(numbers) if number > 0), 0)
    numbers[kept] = min(numbers[kept], numbers[kept] & _SHORT_BITMAP)
    short = [number if number < 0 or index == kept else 0 for index, number in enumerate(numbers)]
    return FrameReport(report.frame, *short)
