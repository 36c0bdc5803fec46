"""Metrics and health of `misc-send` while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable

from misc_sender.metrics import SenderMetrics, health_of
from misc_sender.status import SenderStatus
from misc_shared.metrics.server import MetricsServer
from misc_shared.reports import Report
from misc_shared.transports.liveness import is_up

__all__ = ["Monitor"]


class Monitor:
    """A reporter that serves what it hears.

    Args:
        server: where.
        unwell_after: seconds without a picture after which something is wrong.

    Attributes:
        link: the transport, once there is one.
        status: gives how the stream stands; called in any thread.
    """

    def __init__(self, server: MetricsServer, *, unwell_after: float) -> None:
        self.link: object = None
        self.status: Callable[[], SenderStatus] = SenderStatus
        self._server = server
        self._unwell_after = unwell_after
        self._metrics = SenderMetrics(
            server.registry, status=self._current, connected=self._connected
        )
        server.complaints = self._complaints

    def report(self, report: Report) -> None:
        """Count one report."""
        self._metrics.report(report)

    def close(self) -> None:
        """Serve no more."""
        self._server.close()

    def _current(self) -> SenderStatus:
        return self.status()

    def _connected(self) -> bool:
        return self.link is not None and is_up(self.link)

    def _complaints(self) -> list[str]:
        return health_of(
            connected=self._connected(),
            silence=time.monotonic() - self._metrics.news_at,
            unwell_after=self._unwell_after,
        )
