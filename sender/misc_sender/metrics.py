"""What `misc-send` measures: fed by its reports, and by what its session counts itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from misc_sender.reports import (
    CaughtUp,
    FrameEnded,
    FrameQueued,
    FrameSpooled,
    SpoolGaveUp,
    WordsMissed,
)
from misc_sender.status import SenderStatus
from misc_shared.reports import Report
from misc_shared.session import DropReason

__all__ = ["SenderMetrics", "health_of"]

_WORK = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20, 60)


class SenderMetrics:
    """Counts what is reported, and asks the pipeline when somebody wants to know.

    Args:
        registry: where it is shown.
        status: gives how the stream stands; called in any thread.
        connected: says whether the link is up; likewise.

    Attributes:
        news_at: when a picture was last encoded; `time.monotonic`.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        status: Callable[[], SenderStatus],
        connected: Callable[[], bool],
    ) -> None:
        self.news_at = time.monotonic()
        self._layer_bytes = Counter(
            "misc_layer_bytes", "Bytes of encoded layers", ["layer"], registry=registry
        )
        self._pictures = Counter("misc_pictures", "Pictures encoded", ["coding"], registry=registry)
        self._frames = Counter("misc_frames", "Frames that left", ["outcome"], registry=registry)
        self._missed = Counter(
            "misc_deadlines_missed", "Frames given up at their deadline", registry=registry
        )
        self._wordless = Counter(
            "misc_words_missed", "Times that a vision model had no words", registry=registry
        )
        self._spooled = Counter(
            "misc_spooled", "Pictures kept while the link was away", registry=registry
        )
        self._caught_up = Counter(
            "misc_caught_up", "Kept pictures that arrived in the archive", registry=registry
        )
        self._given_up = Counter(
            "misc_spool_given_up",
            "Pictures that the spool gave up",
            ["reason"],
            registry=registry,
        )
        for reason in ("age", "room", "damage", "disk"):
            self._given_up.labels(reason)
        self._encode = Histogram(
            "misc_encode_seconds",
            "Semantics and codec for one picture",
            buckets=_WORK,
            registry=registry,
        )
        registry.register(_Stream(status, connected=connected))

    def report(self, report: Report) -> None:
        """Count one report."""
        match report:
            case FrameQueued():
                self.news_at = time.monotonic()
                self._pictures.labels(report.coding).inc()
                self._encode.observe(report.encode_seconds)
                for layer, nbytes in report.layers.items():
                    self._layer_bytes.labels(layer).inc(nbytes)
            case FrameEnded():
                self._frames.labels(report.outcome).inc()
                self._missed.inc(report.reason == DropReason.DEADLINE.value)
            case FrameSpooled():
                self.news_at = time.monotonic()
                self._spooled.inc()
            case CaughtUp():
                self._caught_up.inc()
            case SpoolGaveUp():
                self._given_up.labels(report.reason).inc(report.pictures)
            case WordsMissed():
                self._wordless.inc()

    def close(self) -> None:
        """Do nothing: the server goes on until it is closed itself."""


class _Stream:
    """Asks the pipeline when it is asked."""

    def __init__(
        self, status: Callable[[], SenderStatus], *, connected: Callable[[], bool]
    ) -> None:
        self._status = status
        self._connected = connected

    def collect(self) -> Iterator[Metric]:
        """Yield what is true now."""
        now = self._status()
        yield CounterMetricFamily("misc_datagrams", "Datagrams handed to the link", now.datagrams)
        yield CounterMetricFamily("misc_bytes", "Their bytes", now.bytes)
        yield CounterMetricFamily("misc_repeats", "Chunks sent again", now.repeats)
        yield GaugeMetricFamily(
            "misc_spool_pictures", "Pictures that wait in the spool", now.spooled
        )
        yield CounterMetricFamily(
            "misc_skipped", "Pictures that the encoder had no time for", now.skipped
        )
        yield CounterMetricFamily(
            "misc_foreign", "Answers to other runs of the stream", now.foreign
        )
        refused = CounterMetricFamily(
            "misc_datagrams_refused", "Answers that were not in order, by cause", labels=["cause"]
        )
        for cause, count in now.refused.items():
            refused.add_metric([cause], count)
        yield refused
        yield GaugeMetricFamily("misc_queue", "Frames under way or waiting", now.waiting)
        yield GaugeMetricFamily("misc_connected", "Whether the link is up", self._connected())


def health_of(*, connected: bool, silence: float, unwell_after: float) -> list[str]:
    """What is not as it should be, one sentence each.

    Args:
        connected: whether the link is up.
        silence: seconds since a picture was last encoded.
        unwell_after: how long that may be.
    """
    reasons = [] if connected else ["the link is down"]
    if silence > unwell_after:
        reasons.append(f"no picture was encoded for {silence:.0f} s")
    return reasons
