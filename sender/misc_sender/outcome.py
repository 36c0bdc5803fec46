"""What has become of the pictures of one run, and whether that is what was asked for."""

from __future__ import annotations

from misc_sender.reports import SpoolTotals
from misc_shared.errors import NotDeliveredError, SourceError
from misc_shared.session import Event, FrameDelivered, FrameDropped, FrameSent, Refused
from misc_shared.wire import LayerKind

__all__ = ["Outcome"]


class Outcome:
    """Counts pictures by how far they came.

    Args:
        still: whether each picture counts, as of photographs; else newer ones replace older ones.
        duplex: whether receivers can confirm anything.

    Attributes:
        pictures: that were sent.
        whole: that arrived with all of their layers; on a one-way link, that were sent.
        shown: those, and the ones of which at least the first layer arrived.
    """

    def __init__(self, *, still: bool, duplex: bool) -> None:
        self.pictures = 0
        self.whole = 0
        self.shown = 0
        self._still = still
        self._duplex = duplex
        self._refusal: str | None = None

    @property
    def confirmed(self) -> int | None:
        """Pictures of which a receiver confirmed at least the first layer; None if none can."""
        return self.shown if self._duplex else None

    def note(self, event: Event) -> None:
        """Take in what the session says."""
        match event:
            case FrameDelivered() | FrameSent():
                self.whole += 1
                self.shown += 1
            case FrameDropped():
                self.shown += LayerKind.BASE in event.delivered
            case Refused():
                self._refusal = event.detail

    def check(self, *, stream: str, source: str, spool: SpoolTotals | None) -> None:
        """Say why the run has failed, if it has.

        Args:
            stream: the stream's name.
            source: the source's.
            spool: what became of pictures that were kept for later, if any could be.

        Raises:
            SourceError: there was no picture to send.
            NotDeliveredError: what was asked for has not arrived.
        """
        if spool is not None and spool.arrived:
            return
        if spool is not None and spool.kept and not self.shown:
            raise NotDeliveredError(
                f"{stream} reached no receiver; {spool.waiting} of its pictures wait in the spool"
            )
        if self.pictures == 0:
            raise SourceError(f"{source} gave no picture that could be sent")
        arrived = self.whole if self._still else self.shown
        if arrived >= (self.pictures if self._still else 1):
            return
        verb = "confirmed" if self._duplex else "sent"
        all_of_them = "the picture was" if self.pictures == 1 else f"{self.pictures} pictures were"
        if self.shown == 0:
            why = "is anybody receiving it?" if self._refusal is None else self._refusal
            raise NotDeliveredError(f"{all_of_them} not {verb} by a receiver of {stream}: {why}")
        raise NotDeliveredError(
            f"{arrived} of {self.pictures} pictures of {stream} were {verb} as a whole, and "
            f"{self.shown - arrived} in part; more --deadline gives a slow link the time"
        )
