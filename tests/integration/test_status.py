"""What the exit status says: 0 only if what was asked for arrived, with real programs."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.integration.conftest import Broker
from tests.integration.test_commands import _command, _run

from misc_shared.security.keyring import write_key

pytestmark = pytest.mark.timeout(600)

PATTERN = ("pattern", "--fps=4", "--bytes=200", "--semantics=none")


class Running:
    """A program that runs meanwhile, with all that it says."""

    def __init__(self, program: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            _command(program, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        self._lines = self._process.stdout

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next report of this kind."""
        reports = (json.loads(line) for line in self._lines if line.startswith("{"))
        return next(report for report in reports if report["event"] == event)

    def end(self, number: signal.Signals) -> tuple[int, float, str]:
        """Signal it: its status, the seconds that it took, and the rest of what it said."""
        self._process.send_signal(number)
        began = time.monotonic()
        status = self._process.wait(timeout=60)
        return status, time.monotonic() - began, self._lines.read()

    def kill(self) -> None:
        """End it in any case."""
        self._process.kill()
        self._process.wait()
        self._lines.close()


@pytest.fixture
def picture(tmp_path: Path, photo: NDArray[np.uint8]) -> Path:
    """Write a photograph of 128x160 pixels."""
    path = tmp_path / "photo.png"
    Image.fromarray(photo[:128, :160]).save(path)
    return path


@pytest.fixture
def recording(picture: Path, tmp_path: Path) -> Path:
    """Record it."""
    path = tmp_path / "photo.misc"
    done = _run("misc-send", picture, "--to", f"file:{path}", "--semantics=none", "--bytes=500")
    assert done.returncode == 0, done.stderr
    # What confirms nothing is not said to have arrived.
    assert "arrived" not in json.loads(done.stdout.splitlines()[-1])
    return path


def test_a_photograph_that_reaches_nobody(picture: Path, broker: Broker) -> None:
    """Its sender says within ten seconds that nobody receives it, and fails."""
    done = _run("misc-send", picture, "--to", broker.url, "--semantics=none", "--deadline=9")
    assert done.returncode == 1
    assert "was not confirmed by a receiver of camera" in done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    (alone,) = (report for report in said if report["event"] == "unheard")
    assert 8 <= alone["seconds"] < 10
    assert said[-1]["event"] == "end"
    assert said[-1]["arrived"] == 0


def test_a_receiver_that_comes_late_is_told(broker: Broker) -> None:
    """Nobody receives the stream, then somebody does; signals end both well, within a second."""
    sender = Running("misc-send", *PATTERN, "--to", broker.url)
    receiver = None
    try:
        assert sender.wait_for("unheard")["seconds"] < 10
        receiver = Running("misc-recv", "--from", broker.url, "--no-refine")
        assert sender.wait_for("heard")["after"] > 8
        receiver.wait_for("picture")
        sender.wait_for("done")
        status, seconds, said = sender.end(signal.SIGINT)
        assert (status, "Traceback" in said) == (0, False)
        assert seconds < 2.5
        assert json.loads(said.splitlines()[-1])["arrived"] > 0
        receiver.wait_for("sender-ended")  # BYE has come
        status, seconds, said = receiver.end(signal.SIGTERM)
        assert (status, "Traceback" in said) == (0, False)
        assert seconds < 2.5
        assert json.loads(said.splitlines()[-1])["event"] == "end", said
    finally:
        sender.kill()
        if receiver is not None:
            receiver.kill()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_before_anything_arrived(
    broker: Broker, number: signal.Signals, status: int
) -> None:
    """As shells have it, also while the broker is away and nothing can be said to anybody."""
    sender = Running("misc-send", *PATTERN, "--to", broker.url)
    receiver = Running("misc-recv", "--from", f"{broker.url}/misc/+", "--no-refine")
    try:
        sender.wait_for("frame")
        receiver.wait_for("listening")
        broker.stop()
        time.sleep(0.5)
        for program in (sender, receiver):
            ended, seconds, said = program.end(number)
            assert "Traceback" not in said, said
            assert ended == (status if program is sender or "picture" not in said else 0)
            assert seconds < 2.5
            assert '"event":"end"' in said or program is receiver
    finally:
        sender.kill()
        receiver.kill()


def test_recordings_that_give_nothing(recording: Path, tmp_path: Path) -> None:
    """Cut to nothing: the other end's fault. Altered everywhere: likewise."""
    whole = recording.read_bytes()
    for size in (60, len(whole) // 4):
        recording.write_bytes(whole[:size])
        done = _run("misc-recv", "--from", f"file:{recording}", "--no-refine")
        assert done.returncode == 1, done.stderr
        assert f"no picture came from file:{tmp_path}" in done.stderr
        assert '"event":"end"' in done.stdout
    recording.write_bytes(b"")
    assert _run("misc-recv", "--from", f"file:{recording}", "--no-refine").returncode == 2


def test_sealed_recordings_without_their_key(picture: Path, tmp_path: Path) -> None:
    """No key and a wrong one are local faults, which the sentence mends."""
    recording, key, other = tmp_path / "x.misc", tmp_path / "a.key", tmp_path / "b.key"
    write_key(key)
    write_key(other)
    to = ("--to", f"file:{recording}", "--bytes=500", "--semantics=none", "--key", key)
    assert _run("misc-send", picture, *to).returncode == 0
    receive = ("misc-recv", "--from", f"file:{recording}", "--no-refine")
    without = _run(*receive)
    assert (without.returncode, "is sealed: give --key FILE" in without.stderr) == (2, True)
    wrong = _run(*receive, "--key", other)
    assert (wrong.returncode, "opens with this key" in wrong.stderr) == (2, True)
    assert _run(*receive, "--key", key).returncode == 0


def test_pictures_that_cannot_be_written(recording: Path, tmp_path: Path) -> None:
    """They came, but what was asked for is a folder of them."""
    out = tmp_path / "out"
    out.mkdir()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)); "
    command = _command("misc-recv", "--from", f"file:{recording}", "--out", out, "--no-refine")
    command[2] = limit + command[2]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2, done.stderr
    assert "not all pictures were written" in done.stderr


def test_a_video_that_holds_no_picture(tmp_path: Path) -> None:
    """Nothing was sent because nothing was there: a local fault, and no file."""
    video, recording = tmp_path / "empty.y4m", tmp_path / "x.misc"
    video.write_bytes(b"YUV4MPEG2 W64 H64 F1:1 C420jpeg\n")
    done = _run("misc-send", video, "--to", f"file:{recording}", "--semantics=none")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not recording.exists()


def test_help_says_what_the_status_means() -> None:
    """Where a user looks."""
    for program in ("misc-send", "misc-recv"):
        assert "Exit status: 0 if" in _run(program, "--help").stdout
