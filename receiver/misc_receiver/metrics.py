"""What `misc-recv` measures: fed by its reports, and by what its streams count themselves."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from misc_receiver.reports import (
    BaseLost,
    FrameEnded,
    LayerArrived,
    LayerLost,
    PictureReady,
    ReceptionEnded,
    StreamFailed,
    StreamRefused,
)
from misc_receiver.status import StreamStatus
from misc_shared.metrics.labels import StreamLabels
from misc_shared.reports import Report

__all__ = ["ReceiverMetrics", "health_of"]

_TIMES = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 180, 600)
_WORK = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20)


class ReceiverMetrics:
    """Counts what is reported, and asks the streams when somebody wants to know.

    Args:
        registry: where it is shown.
        streams: gives how each stream stands; called in any thread.
        turned_away: gives datagrams that belong to no stream, by cause.
        connected: says whether the broker is there.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        streams: Callable[[], Sequence[StreamStatus]],
        turned_away: Callable[[], Mapping[str, int]],
        connected: Callable[[], bool],
    ) -> None:
        self._label = StreamLabels()
        self._coarse: dict[str, str] = {}
        self._layer_bytes = Counter(
            "misc_layer_bytes",
            "Bytes of datagrams that brought a layer",
            ["stream", "layer"],
            registry=registry,
        )
        self._missing = Counter(
            "misc_layers_missing",
            "Layers that did not come in time",
            ["stream", "layer"],
            registry=registry,
        )
        self._frames = Counter(
            "misc_frames", "Frames that ended", ["stream", "outcome"], registry=registry
        )
        self._pictures = Counter(
            "misc_pictures", "Pictures shown", ["stream", "kind"], registry=registry
        )
        self._faults = Counter(
            "misc_faults", "What went wrong with a stream", ["stream", "kind"], registry=registry
        )
        self._to_coarse = Histogram(
            "misc_time_to_coarse_seconds",
            "From capture to the first coarse picture of a frame",
            ["stream"],
            buckets=_TIMES,
            registry=registry,
        )
        self._work = Histogram(
            "misc_work_seconds",
            "Computing for one picture, files included",
            ["step"],
            buckets=_WORK,
            registry=registry,
        )
        self._streams = _Streams(
            streams, turned_away=turned_away, connected=connected, label=self._label
        )
        registry.register(self._streams)

    def report(self, report: Report) -> None:
        """Count one report."""
        match report:
            case LayerArrived():
                label = self._label(report.stream)
                self._layer_bytes.labels(label, report.layer).inc(report.wire_bytes)
            case FrameEnded():
                self._end_frame(report)
            case PictureReady():
                self._show(report)
            case ReceptionEnded():
                self._streams.gone(report)
            case LayerLost() | BaseLost() | StreamRefused() | StreamFailed():
                kind = str(report.__struct_config__.tag)
                self._faults.labels(self._label(report.stream), kind).inc()

    def close(self) -> None:
        """Do nothing: the server goes on until it is closed itself."""

    def _end_frame(self, report: FrameEnded) -> None:
        label = self._label(report.stream)
        self._frames.labels(label, "incomplete" if report.missing else "complete").inc()
        for layer in report.missing:
            self._missing.labels(label, layer).inc()

    def _show(self, report: PictureReady) -> None:
        label = self._label(report.stream)
        kind = report.kind.partition("-")[0]
        self._pictures.labels(label, kind).inc()
        if report.took is not None:
            self._work.labels("decode" if kind == "coarse" else "refine").observe(report.took)
        first = kind == "coarse" and self._coarse.get(label) != report.frame
        if first and report.since_capture is not None:
            self._coarse[label] = report.frame
            self._to_coarse.labels(label).observe(max(0.0, report.since_capture))


class _Streams:
    """Asks every stream when it is asked."""

    def __init__(
        self,
        streams: Callable[[], Sequence[StreamStatus]],
        *,
        turned_away: Callable[[], Mapping[str, int]],
        connected: Callable[[], bool],
        label: StreamLabels,
    ) -> None:
        self._streams = streams
        self._turned_away = turned_away
        self._connected = connected
        self._label = label
        self._refused_before: Tally[tuple[str, str]] = Tally()

    def gone(self, report: ReceptionEnded) -> None:
        """Keep what a stream was refused that is not asked any more."""
        label = self._label(report.stream)
        for cause, count in report.rejected.items():
            self._refused_before[label, cause] += count

    def collect(self) -> Iterator[Metric]:
        """Yield what is true now."""
        streams = self._streams()
        yield GaugeMetricFamily("misc_streams", "Streams that have a place", len(streams))
        yield GaugeMetricFamily("misc_connected", "Whether the link is up", self._connected())
        away = CounterMetricFamily(
            "misc_datagrams_turned_away", "Datagrams of no stream, by cause", labels=["cause"]
        )
        for cause, count in self._turned_away().items():
            away.add_metric([cause], count)
        yield away
        yield self._refused(streams)
        yield from self._numbers(streams)

    def _refused(self, streams: Sequence[StreamStatus]) -> Metric:
        family = CounterMetricFamily(
            "misc_datagrams_refused",
            "Datagrams that were not in order, by cause",
            labels=["stream", "cause"],
        )
        found = self._refused_before.copy()
        for one in streams:
            label = self._label(one.stream)
            for cause, count in one.refused.items():
                found[label, cause] += count
        for (label, cause), count in found.items():
            family.add_metric([label, cause], count)
        return family

    def _numbers(self, streams: Sequence[StreamStatus]) -> Iterator[Metric]:
        families: list[tuple[CounterMetricFamily | GaugeMetricFamily, str]] = [
            (_counter("datagrams", "Datagrams that were in order"), "datagrams"),
            (_counter("bytes", "Their bytes"), "bytes"),
            (_counter("repeats", "Datagrams that brought nothing new"), "duplicates"),
            (_counter("late", "Datagrams of frames given up before"), "late"),
            (_counter("foreign", "Datagrams of runs that are over or refused"), "foreign"),
            (_counter("skipped", "Frames that the decoder had no time for"), "skipped"),
            (_gauge("queue", "Frames that wait for the decoder"), "waiting"),
            (_gauge("silence_seconds", "Since a datagram was last in order"), "silence"),
        ]
        for family, attribute in families:
            # Streams without a label of their own share one, and a series may be told only once.
            found: dict[str, list[float]] = {}
            for one in streams:
                found.setdefault(self._label(one.stream), []).append(getattr(one, attribute))
            together = max if attribute == "silence" else sum
            for label, values in found.items():
                family.add_metric([label], together(values))
            yield family


def health_of(
    streams: Sequence[StreamStatus], *, connected: bool, unwell_after: float
) -> list[str]:
    """What is not as it should be, one sentence each.

    Args:
        streams: how each stream stands.
        connected: whether the link is up.
        unwell_after: seconds of silence after which a stream that has not ended is stale.
    """
    reasons = [] if connected else ["the broker is away"]
    return reasons + [
        f"nothing came of stream {one.stream} for {one.silence:.0f} s"
        for one in streams
        if one.proven and not one.ended and one.silence > unwell_after
    ]


def _counter(name: str, help_text: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"misc_stream_{name}", help_text, labels=["stream"])


def _gauge(name: str, help_text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"misc_stream_{name}", help_text, labels=["stream"])
