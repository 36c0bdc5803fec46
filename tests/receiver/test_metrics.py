"""What `misc-recv` counts of its reports and its streams."""

import dataclasses

from prometheus_client import CollectorRegistry

from misc_receiver.metrics import ReceiverMetrics, health_of
from misc_receiver.reports import (
    FrameEnded,
    LayerArrived,
    LayerLost,
    PictureReady,
    ReceptionEnded,
)
from misc_receiver.status import StreamStatus
from misc_receiver.view.tap import TappedTransport
from misc_shared.reports import Report
from misc_shared.security import StreamKey
from misc_shared.transports import memory_pair
from misc_shared.transports.sealed import SealedTransport, refusals_of, sealing_of

PORCH = {"stream": "porch", "frame": "f-1"}
PICTURE = {"coding": "key", "width": 9, "height": 9, "layers": 1, "generated": False}
STATUS = StreamStatus(
    stream="porch",
    datagrams=9,
    bytes=900,
    duplicates=2,
    late=1,
    foreign=0,
    refused={"malformed": 4, "replayed": 1},
    waiting=3,
    skipped=5,
    silence=7.0,
)


def _counted(*reports: Report) -> CollectorRegistry:
    registry = CollectorRegistry()
    metrics = ReceiverMetrics(
        registry,
        streams=lambda: [STATUS],
        turned_away=lambda: {"misnamed": 6},
        connected=lambda: True,
    )
    for report in reports:
        metrics.report(report)
    return registry


def test_reports_become_counters() -> None:
    """Bytes by layer, frames by outcome, what is missing, pictures by kind."""
    values = _counted(
        LayerArrived(**PORCH, layer="base", bytes=90, wire_bytes=100),
        LayerArrived(**PORCH, layer="base", bytes=90, wire_bytes=50),
        FrameEnded(**PORCH),
        FrameEnded(**PORCH, missing=("maps", "detail2")),
        PictureReady(**PORCH, kind="preview-1", **PICTURE),
        LayerLost(**PORCH, layer="text", reason="x"),
    ).get_sample_value
    porch = {"stream": "porch"}
    assert values("misc_layer_bytes_total", porch | {"layer": "base"}) == 150
    assert values("misc_frames_total", porch | {"outcome": "complete"}) == 1
    assert values("misc_frames_total", porch | {"outcome": "incomplete"}) == 1
    assert values("misc_layers_missing_total", porch | {"layer": "maps"}) == 1
    assert values("misc_pictures_total", porch | {"kind": "preview"}) == 1
    assert values("misc_faults_total", porch | {"kind": "bad-layer"}) == 1


def test_time_to_coarse_counts_the_first_picture_of_a_frame() -> None:
    """A sharper one of the same frame does not come into it."""
    values = _counted(
        PictureReady(**PORCH, kind="coarse", since_capture=1.5, took=0.25, **PICTURE),
        PictureReady(**PORCH, kind="coarse", since_capture=9.0, took=0.25, **PICTURE),
        PictureReady(**PORCH, kind="refined", since_capture=12.0, took=2.0, **PICTURE),
    ).get_sample_value
    assert values("misc_time_to_coarse_seconds_sum", {"stream": "porch"}) == 1.5
    assert values("misc_work_seconds_sum", {"step": "decode"}) == 0.5
    assert values("misc_work_seconds_sum", {"step": "refine"}) == 2.0


def test_streams_are_asked_when_somebody_wants_to_know() -> None:
    """Repeats, the queue, and refused datagrams by cause."""
    values = _counted().get_sample_value
    assert values("misc_streams") == 1
    assert values("misc_connected") == 1
    assert values("misc_stream_repeats_total", {"stream": "porch"}) == 2
    assert values("misc_stream_queue", {"stream": "porch"}) == 3
    assert values("misc_datagrams_refused_total", {"stream": "porch", "cause": "replayed"}) == 1
    assert values("misc_datagrams_turned_away_total", {"cause": "misnamed"}) == 6


def test_what_was_refused_is_still_told_of_a_stream_that_is_gone() -> None:
    """A forger is let go of after half a minute, and may come between two scrapes."""
    gone = ReceptionEnded(
        stream="porch", frames=0, datagrams=0, bytes=0, duplicates=0, refused=2, bad_layers=0,
        missing_bases=0, rejected={"forged": 5, "malformed": 2},
    )  # fmt: skip
    values = _counted(gone).get_sample_value
    porch = {"stream": "porch"}
    assert values("misc_datagrams_refused_total", porch | {"cause": "forged"}) == 5
    assert values("misc_datagrams_refused_total", porch | {"cause": "malformed"}) == 4 + 2


def test_no_series_is_told_twice() -> None:
    """Streams beyond the number of labels share one, which Prometheus must see once."""
    registry = CollectorRegistry()
    many = [dataclasses.replace(STATUS, stream=f"s{number}") for number in range(300)]
    ReceiverMetrics(registry, streams=lambda: many, turned_away=dict, connected=lambda: True)
    for family in registry.collect():
        told = [(one.name, *sorted(one.labels.items())) for one in family.samples]
        assert len(told) == len(set(told)), family.name
    others = {"stream": "others"}
    assert registry.get_sample_value("misc_stream_repeats_total", others) == 2 * (300 - 256)
    assert registry.get_sample_value("misc_stream_silence_seconds", others) == 7.0


def test_health() -> None:
    """A silent stream and an absent broker are told; one that has finished is not."""
    assert health_of([STATUS], connected=True, unwell_after=10) == []
    assert health_of([STATUS], connected=True, unwell_after=5) == [
        "nothing came of stream porch for 7 s"
    ]
    assert health_of([], connected=False, unwell_after=5) == ["the broker is away"]
    ended = StreamStatus(
        stream="a", datagrams=1, bytes=1, duplicates=0, late=0, foreign=0, silence=99, ended=True
    )
    assert health_of([ended], connected=True, unwell_after=5) == []


async def test_refusals_are_found_through_the_ear_of_the_page() -> None:
    """`--view` listens in on the sealed transport, whose counts must not be lost by that."""
    outer, inner = memory_pair()
    sealed = SealedTransport.for_receiver(inner, StreamKey(bytes(32)))
    heard = TappedTransport(sealed, lambda *_: None)
    for datagram in (b"\x95\x00\x01\x00\x01\xc4\x01\x61", b"\x01"):
        await outer.send(datagram)
    await outer.close()
    assert await heard.receive() is None
    assert refusals_of(heard) == {"plain": 1, "short": 1}
    assert sealing_of(heard) is sealed.counters
    assert refusals_of(outer) == {}
