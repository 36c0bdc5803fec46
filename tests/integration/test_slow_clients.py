"""Clients that finish nothing, against a real `misc-recv` with few descriptors.

The short version of `scripts/slow-clients.py`.
"""

import resource
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.conftest import Broker
from tests.integration.whip import free_port

from misc_lab.programs import Program
from misc_lab.slow_clients import Crowd, SlowClients, half_login, reader

pytestmark = pytest.mark.timeout(300)

_DESCRIPTORS = 256
_ADDRESSES = [f"127.0.0.{number}" for number in range(2, 8)]
_EVERY = 0.5


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    """What is started, to be ended."""
    started: list[Program] = []
    yield started
    for program in started:
        program.stop()


def _took(url: str) -> float:
    began = time.monotonic()
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own URLs
        assert answer.status == 200
        answer.read()
    return time.monotonic() - began


def test_slow_clients_shut_nobody_out(
    broker: Broker, tmp_path: Path, programs: list[Program]
) -> None:
    """Page and metrics answer somebody new, pictures come, and no descriptor runs out."""
    metrics = free_port()
    receiver = Program(
        tmp_path / "receiver.log", "misc-recv", "--from", f"{broker.url}/misc/+", "--view", 0,
        "--no-refine", "--metrics", metrics,
    )  # fmt: skip
    programs.append(receiver)
    limit = (_DESCRIPTORS, _DESCRIPTORS)
    resource.prlimit(receiver.process.pid, resource.RLIMIT_NOFILE, limit)
    page = int(str(receiver.wait_for("page")["url"]).rstrip("/").rpartition(":")[2])
    cameras = Program(
        tmp_path / "cameras.log", "misc_lab.fleet", "--port", broker.port, "--streams", 2,
        "--every", _EVERY,
    )  # fmt: skip
    programs.append(cameras)
    receiver.wait_for("picture")
    crowds = [
        Crowd(150),
        Crowd(50, trickles=True),
        Crowd(30, says=reader("/live")),
        Crowd(20, says=reader("/streams/camera-00/live.mjpg")),
        Crowd(20, says=half_login()),
    ]
    took = []
    with (
        SlowClients(page, crowds, addresses=_ADDRESSES),
        SlowClients(metrics, crowds, addresses=_ADDRESSES) as others,
    ):
        for _ in range(5):
            time.sleep(1)
            took += [
                _took(f"http://127.0.0.1:{page}/streams/camera-00/latest.jpg"),
                _took(f"http://127.0.0.1:{metrics}/metrics"),
            ]
            used = sum(1 for _ in Path(f"/proc/{receiver.process.pid}/fd").iterdir())
            assert used < _DESCRIPTORS * 3 / 4
        assert others.figures["ended"] > 100
    assert sorted(took)[len(took) // 2] < 1.0
    log = receiver.log.read_text(errors="replace")
    assert "Traceback" not in log
    assert "Too many open files" not in log
    frames = {one["frame"] for one in receiver.reports("picture") if one["stream"] == "camera-00"}
    numbers = sorted(int(frame.partition("-")[2]) for frame in frames)
    # Frames are numbered in eighths of a second; the last ones may still be on their way.
    assert len(numbers) >= round((numbers[-1] - numbers[0]) / (8 * _EVERY))
