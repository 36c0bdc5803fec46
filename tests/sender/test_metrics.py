"""What `misc-send` counts of its reports and its session."""

from prometheus_client import CollectorRegistry

from misc_sender.metrics import SenderMetrics, health_of
from misc_sender.reports import (
    CaughtUp,
    FrameEnded,
    FrameQueued,
    FrameSpooled,
    SpoolGaveUp,
    WordsMissed,
)
from misc_sender.status import SenderStatus
from misc_shared.session import DropReason

QUEUED = FrameQueued(
    frame="f-1", coding="delta", width=64, height=64, quality=9, bytes=130, bpp=0.25,
    layers={"base": 80, "text": 30}, encode_seconds=0.5,
)  # fmt: skip
STATUS = SenderStatus(
    datagrams=7,
    bytes=800,
    repeats=2,
    waiting=3,
    skipped=1,
    foreign=4,
    refused={"forged": 6},
    spooled=5,
)


def test_reports_and_the_session_become_metrics() -> None:
    """Bytes by layer, pictures by coding, outcomes, deadlines missed, the queue."""
    registry = CollectorRegistry()
    metrics = SenderMetrics(registry, status=lambda: STATUS, connected=lambda: False)
    for report in (
        QUEUED,
        FrameEnded(frame="f-1", outcome="delivered"),
        FrameEnded(frame="f-2", outcome="dropped", reason=DropReason.DEADLINE.value),
        FrameEnded(frame="f-3", outcome="dropped", reason=DropReason.OVERTAKEN.value),
        WordsMissed(reason="x"),
        FrameSpooled(captured=1.0, bytes=90),
        SpoolGaveUp(reason="age", pictures=4),
        SpoolGaveUp(reason="room", pictures=0, layers=9),
        CaughtUp(captured=1.0, waiting=5),
    ):
        metrics.report(report)
    values = registry.get_sample_value
    assert values("misc_layer_bytes_total", {"layer": "text"}) == 30
    assert values("misc_pictures_total", {"coding": "delta"}) == 1
    assert values("misc_frames_total", {"outcome": "dropped"}) == 2
    assert values("misc_deadlines_missed_total") == 1
    assert values("misc_encode_seconds_sum") == 0.5
    assert values("misc_words_missed_total") == 1
    assert values("misc_repeats_total") == 2
    assert values("misc_spooled_total") == 1
    assert values("misc_caught_up_total") == 1
    assert values("misc_spool_pictures") == 5
    assert values("misc_spool_given_up_total", {"reason": "age"}) == 4
    assert values("misc_spool_given_up_total", {"reason": "damage"}) == 0
    assert values("misc_queue") == 3
    assert values("misc_connected") == 0
    assert values("misc_foreign_total") == 4
    assert values("misc_datagrams_refused_total", {"cause": "forged"}) == 6


def test_health() -> None:
    """A link that is down, and a camera that gives no pictures."""
    assert health_of(connected=True, silence=3.0, unwell_after=10.0) == []
    assert health_of(connected=False, silence=12.0, unwell_after=10.0) == [
        "the link is down",
        "no picture was encoded for 12 s",
    ]
