"""Metrics and health of `misc-recv` while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from misc_receiver.metrics import ReceiverMetrics, health_of
from misc_receiver.output_metrics import OutputMetrics
from misc_receiver.picture_memory import PictureMemory
from misc_receiver.sinks.pictures import FolderStatus, PictureFolder
from misc_receiver.status import StreamStatus
from misc_shared.metrics.server import MetricsServer
from misc_shared.reports import Report
from misc_shared.transports.liveness import complaints, is_up, turned_away

__all__ = ["Monitor"]


class Monitor:
    """A reporter that serves what it hears.

    Args:
        server: where.
        unwell_after: seconds of silence after which a stream is stale.

    Attributes:
        link: the listener, once there is one.
        folder: where pictures are kept, if they are.
        memory: where pixels are kept.
        streams: gives how each stream stands, once there are any; called in any thread.
    """

    def __init__(self, server: MetricsServer, *, unwell_after: float) -> None:
        self.link: object = None
        self.folder: PictureFolder | None = None
        self.memory = PictureMemory()
        self.streams: Callable[[], Sequence[StreamStatus]] = list
        self._server = server
        self._unwell_after = unwell_after
        self._metrics = ReceiverMetrics(
            server.registry,
            streams=self._current,
            turned_away=self._turned_away,
            connected=self._connected,
        )
        server.registry.register(OutputMetrics(self._folder_status, memory=lambda: self.memory))
        server.complaints = self._complaints

    def report(self, report: Report) -> None:
        """Count one report."""
        self._metrics.report(report)

    def close(self) -> None:
        """Serve no more."""
        self._server.close()

    def _current(self) -> Sequence[StreamStatus]:
        return self.streams()

    def _connected(self) -> bool:
        return self.link is not None and is_up(self.link)

    def _turned_away(self) -> Mapping[str, int]:
        return turned_away(self.link)

    def _folder_status(self) -> FolderStatus | None:
        return None if self.folder is None else self.folder.status()

    def _complaints(self) -> list[str]:
        folder = self._folder_status()
        not_kept = None if folder is None else folder.failure
        return [
            *health_of(
                self.streams(), connected=self._connected(), unwell_after=self._unwell_after
            ),
            *complaints(self.link),
            *([] if not_kept is None else [f"pictures are not kept: {not_kept}"]),
        ]
