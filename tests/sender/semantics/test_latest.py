"""Slow backends run in the background: no picture waits, or gets another scene's words."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_sender.semantics import LatestSemantics
from misc_shared.errors import ConfigError, MiscError, SemanticsError
from misc_shared.semantics import Semantics

PATIENCE = 30.0

Picture = NDArray[np.uint8]


class SlowEye:
    """Describes pictures by their mean value, once it is let."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.error: Exception | None = None
        self.closed = False
        self.began = threading.Event()
        self._may = threading.Semaphore(0)

    def describe(self, image: Picture, *, path: Path | None = None) -> Semantics:  # noqa: ARG002
        """Wait for leave, then say the mean value or fail."""
        self.asked.append(round(float(image.mean())))
        self.began.set()
        assert self._may.acquire(timeout=PATIENCE)
        if self.error is not None:
            raise self.error
        return Semantics(caption=f"of {round(float(image.mean()))}")

    def let(self, times: int = 1) -> None:
        """Let it answer."""
        self._may.release(times)

    def close(self) -> None:
        """Let it answer whatever is asked."""
        self.closed = True
        self._may.release(100)


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def grey(value: int) -> Picture:
    """Return a picture of one shade with a little noise."""
    noise = np.random.default_rng(value).integers(-3, 4, (48, 64, 3))
    return np.clip(value + noise, 0, 255).astype(np.uint8)


def caption(latest: LatestSemantics, picture: Picture) -> str:
    """Return what is said of a picture now."""
    return latest.describe(picture).caption


def caption_in_time(latest: LatestSemantics, picture: Picture) -> str:
    """Return what is said of a picture once there are words."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if said := caption(latest, picture):
            return said
        waiting.wait(0.01)
    pytest.fail("no words came")


def test_pictures_do_not_wait_and_words_come_later() -> None:
    """The first pictures go without words; there is one question at a time."""
    eye = SlowEye()
    latest = LatestSemantics(eye, every=0, wait=0)
    assert [caption(latest, grey(100)) for _ in range(3)] == ["", "", ""]
    eye.let()
    assert caption_in_time(latest, grey(100)) == "of 100"
    assert eye.asked == [100]
    latest.close()


def test_words_go_with_similar_pictures_only() -> None:
    """A new scene goes without words rather than with wrong ones."""
    eye = SlowEye()
    latest = LatestSemantics(eye, every=0, wait=0)
    eye.let()
    caption(latest, grey(100))
    caption_in_time(latest, grey(100))
    assert caption(latest, grey(112)) == "of 100"
    assert caption(latest, grey(200)) == ""
    eye.let(2)
    assert caption_in_time(latest, grey(200)) == "of 200"
    latest.close()


def test_a_still_scene_is_described_once() -> None:
    """Noise is no news, and costs no request."""
    eye, clock = SlowEye(), Clock()
    latest = LatestSemantics(eye, every=0, wait=None, clock=clock)
    eye.let(2)
    assert caption(latest, grey(100)) == "of 100"
    clock.now = 1e6
    assert caption(latest, grey(101)) == "of 100"
    assert caption(latest, grey(110)) == "of 110"
    assert eye.asked == [100, 110]
    latest.close()


def test_a_small_thing_that_comes_is_news() -> None:
    """One cell of 256 is enough."""
    eye = SlowEye()
    latest = LatestSemantics(eye, every=0, wait=None)
    eye.let(2)
    caption(latest, grey(100))
    picture = grey(100)
    picture[:3, :4] = 255
    caption(latest, picture)
    assert len(eye.asked) == 2
    latest.close()


def test_questions_keep_their_distance() -> None:
    """However fast things change."""
    eye, clock = SlowEye(), Clock()
    latest = LatestSemantics(eye, every=30, wait=None, clock=clock)
    eye.let(10)
    said = []
    for clock.now, value in ((0, 50), (10, 100), (29, 150), (30, 200), (59, 250)):
        said.append(caption(latest, grey(value)))
    assert said == ["of 50", "", "", "of 200", ""]
    latest.close()


def test_a_picture_waits_for_its_words_as_long_as_it_may() -> None:
    """And then goes without."""
    eye = SlowEye()
    latest = LatestSemantics(eye, every=0, wait=0.05)
    assert caption(latest, grey(100)) == ""
    latest.close()


def test_pictures_of_different_files_have_their_own_words() -> None:
    """Two photographs may look alike and not show the same."""
    eye = SlowEye()
    latest = LatestSemantics(eye, every=0, wait=None)
    eye.let(2)
    latest.describe(grey(100), path=Path("a.png"))
    latest.describe(grey(100), path=Path("b.png"))
    assert len(eye.asked) == 2
    latest.close()


def test_no_usable_words_are_reported_and_the_old_ones_stay() -> None:
    """Where the picture is still like the one that they were about."""
    eye, misses = SlowEye(), list[str]()
    latest = LatestSemantics(eye, every=0, wait=None)
    latest.on_miss = misses.append
    eye.let(3)
    caption(latest, grey(100))
    eye.error = SemanticsError("prose")
    assert caption(latest, grey(110)) == "of 100"
    assert caption(latest, grey(200)) == ""
    assert misses == ["prose", "prose"]
    latest.close()


@pytest.mark.parametrize("kind", [ConfigError, ValueError])
def test_other_errors_come_out(kind: type[MiscError]) -> None:
    """Of this side, or a defect: the stream ends, and says why each time it is asked."""
    eye = SlowEye()
    latest = LatestSemantics(eye, every=0, wait=None)
    eye.error = kind("broken")
    eye.let()
    for _ in range(2):
        with pytest.raises(kind, match="broken"):
            caption(latest, grey(100))
    latest.close()


def test_closing_ends_the_wait_of_another_thread() -> None:
    """The program can end while a picture waits for its words; nothing is asked afterwards."""
    eye, misses = SlowEye(), list[str]()
    latest = LatestSemantics(eye, every=0, wait=None)
    latest.on_miss = misses.append
    said: list[str] = []
    waiting = threading.Thread(target=lambda: said.append(caption(latest, grey(100))))
    waiting.start()
    assert eye.began.wait(PATIENCE)
    latest.close()
    waiting.join(PATIENCE)
    assert said in ([""], ["of 100"])
    assert eye.closed
    assert misses == []
    caption(latest, grey(200))
    assert eye.asked == [100]
