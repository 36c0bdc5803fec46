"""The recording that can be downloaded."""

import io

from misc_receiver.view.recorder import StreamRecorder
from misc_shared.transports.recording import RecordingReader


def _entries(recorder: StreamRecorder) -> list[tuple[float, bytes]]:
    reader = RecordingReader(io.BytesIO(recorder.file()), name="it")
    assert reader.header.stream == "garden"
    return [(entry.seconds, entry.datagram) for entry in reader]


def test_it_holds_what_came_with_its_times() -> None:
    """From the first datagram on."""
    recorder = StreamRecorder("garden")
    for number in range(3):
        recorder.datagram(bytes([number]), wall=1000 + number)
    assert _entries(recorder) == [(0.0, b"\0"), (1.0, b"\1"), (2.0, b"\2")]


def test_an_empty_one_is_a_recording_too() -> None:
    """A header and nothing else."""
    assert _entries(StreamRecorder("garden")) == []


def test_when_full_it_begins_with_a_picture_that_stands_alone() -> None:
    """Deltas before it would say nothing."""
    recorder = StreamRecorder("garden", limit=2000)
    for number in range(30):
        recorder.datagram(bytes([number] * 20), wall=1000 + number)
        recorder.frame_begins(f"f{number}")
        if number % 5 == 0:
            recorder.stands_alone(f"f{number}")
    first = _entries(recorder)[0][1][0]
    assert first % 5 == 0
    assert first > 0
    assert recorder.size <= 2000


def test_without_another_such_picture_it_begins_anew() -> None:
    """Memory stays bounded where everything is a delta."""
    recorder = StreamRecorder("garden", limit=2000)
    for number in range(100):
        recorder.datagram(bytes(20), wall=1000 + number)
        assert recorder.size <= 2000
