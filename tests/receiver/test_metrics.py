"""What `misc-recv` counts of its reports and its streams."""

from prometheus_client import CollectorRegistry

from misc_receiver.metrics import ReceiverMetrics, health_of
from misc_receiver.reports import FrameEnded, LayerArrived, LayerLost, PictureReady
from misc_receiver.status import StreamStatus
from misc_shared.reports import Report

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
