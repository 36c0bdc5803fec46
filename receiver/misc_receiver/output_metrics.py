"""Metrics of what is kept of pictures: in memory, and in the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from misc_receiver.picture_memory import PictureMemory
from misc_receiver.sinks.pictures import FolderStatus

__all__ = ["OutputMetrics"]


class OutputMetrics(Collector):
    """Asks the folder and the memory when it is asked.

    Args:
        status: how the folder stands; None if there is none. Called in any thread.
        memory: gives the pictures in memory.
    """

    def __init__(
        self, status: Callable[[], FolderStatus | None], *, memory: Callable[[], PictureMemory]
    ) -> None:
        self._status = status
        self._memory = memory

    def collect(self) -> Iterator[Metric]:
        """Yield what is true now."""
        memory = self._memory()
        yield GaugeMetricFamily(
            "misc_picture_memory_bytes", "Decoded pictures in memory", memory.nbytes
        )
        yield CounterMetricFamily(
            "misc_pictures_dropped", "Pictures let go for want of memory", memory.dropped
        )
        status = self._status()
        if status is None:
            return
        yield GaugeMetricFamily(
            "misc_output_up", "Whether the folder can be written", status.failure is None
        )
        yield GaugeMetricFamily("misc_output_files", "Pictures in the folder", status.files)
        yield GaugeMetricFamily("misc_output_bytes", "Their bytes, in blocks", status.nbytes)
        yield CounterMetricFamily(
            "misc_output_deleted", "Pictures that made room or were too old", status.deleted
        )
        lost = CounterMetricFamily(
            "misc_output_lost", "Pictures that were not kept, by cause", labels=["cause"]
        )
        for cause, count in status.lost.items():
            lost.add_metric([cause], count)
        yield lost
