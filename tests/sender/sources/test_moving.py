"""Sources that move: video files, cameras, the drawn scene; and sample photographs."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from misc_sender.sources import SourceOptions, open_source
from misc_sender.sources.video import CameraSource
from misc_shared.errors import SourceError


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Write 2 s of video at 10 pictures a second, of which picture k has the gray 20 + 10 k."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(10), options={"slices": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        for index in range(20):
            gray = np.full((48, 64, 3), 20 + 10 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_video_is_sampled_in_its_own_time(video: Path) -> None:
    """Five pictures a second of ten: every other one, at its own time."""
    frames = list(open_source(str(video), options=SourceOptions(fps=5)).frames())
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == list(range(20, 220, 20))
    assert [round(frame.captured_at, 3) for frame in frames] == [k / 5 for k in range(10)]
    assert frames[0].pixels.shape == (48, 64, 3)


def test_one_picture_a_second_by_default(video: Path) -> None:
    """What moves is sent once a second unless told otherwise."""
    assert len(list(open_source(str(video)).frames())) == 2


def test_no_more_pictures_than_there_are(video: Path) -> None:
    """Asking for more than the file has repeats nothing."""
    assert len(list(open_source(str(video), options=SourceOptions(fps=100)).frames())) == 20


def test_a_looped_video_goes_on_in_time(video: Path) -> None:
    """The second round begins with the first picture, later."""
    source = open_source(str(video), options=SourceOptions(fps=5, loop=True))
    frames = source.frames()
    taken = [next(frames) for _ in range(12)]
    source.close()
    assert int(taken[10].pixels[0, 0, 0]) == 20
    times = [frame.captured_at for frame in taken]
    assert times == sorted(set(times))
    assert taken[10].captured_at == pytest.approx(2.0, abs=0.01)


def test_what_is_no_video(tmp_path: Path) -> None:
    """Text and damaged files are one sentence."""
    path = tmp_path / "notes.txt"
    path.write_text("no video at all")
    with pytest.raises(SourceError, match=r"cannot be read as video|holds no moving pictures"):
        open_source(str(path))


def test_a_missing_camera_says_what_is_there() -> None:
    """One sentence with the cameras that there are, or that there is none."""
    with pytest.raises(SourceError, match=r"there is no /dev/video97; (there are|this machine)"):
        open_source("camera97")


def test_a_camera_is_read_to_the_newest_picture(tmp_path: Path) -> None:
    """All pictures are taken off the device, and those that are due are sent."""
    path = tmp_path / "video0"
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for index in range(10):
            gray = np.full((48, 64, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="rgb24")))
        container.mux(stream.encode(None))
    clock = iter(np.arange(0.0, 100.0, 0.1))
    source = CameraSource(path, fps=2, container_format="mjpeg", clock=lambda: float(next(clock)))
    frames = list(source.frames())
    source.close()
    assert source.name == "camera0"
    assert [round(int(frame.pixels.mean()) / 20) for frame in frames] == [0, 4, 9]
    assert [round(frame.captured_at, 1) for frame in frames] == [0.1, 0.5, 1.0]


def test_samples_by_name() -> None:
    """A photograph that scikit-image ships, upright and in colour."""
    frames = list(open_source("sample:astronaut").frames())
    assert [frame.pixels.shape for frame in frames] == [(512, 512, 3)]


def test_an_unknown_sample_lists_the_known_ones() -> None:
    """The sentence is a list to choose from."""
    with pytest.raises(SourceError, match=r"no sample 'moonshot'; .*astronaut, .*rocket"):
        open_source("sample:moonshot")


def test_the_pattern_moves_and_is_always_the_same() -> None:
    """Two runs agree; two pictures of one run differ."""
    runs = []
    for _ in range(2):
        frames = open_source("pattern", options=SourceOptions(fps=2)).frames()
        runs.append([next(frames) for _ in range(3)])
    assert [frame.captured_at for frame in runs[0]] == [0.0, 0.5, 1.0]
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
    assert runs[0][0].pixels.shape == (384, 512, 3)
    assert (runs[0][0].pixels != runs[0][1].pixels).any()
