"""`misc-send` and `misc-recv` over WebRTC, in processes of their own."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.integration.test_commands import Background

# Each starts several processes, and loading models on a busy machine takes long.
pytestmark = pytest.mark.timeout(600)

_SEND = "import sys; sys.argv[0] = 'misc-send'; from misc_sender.cli import app; app()"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _SEND, *map(str, arguments), "--semantics", "none"],
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip


def test_a_picture_goes_from_camera_to_folder(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    """A token file that the receiver makes lets the sender in, and the picture is there."""
    picture, token, out = tmp_path / "photo.png", tmp_path / "token", tmp_path / "out"
    Image.fromarray(photo[:128, :192]).save(picture)
    url = f"webrtc+http://localhost:{_free_port()}/whip/garden"
    receiver = Background(
        "misc-recv", "--from", url, "--no-refine", "--once", "--out", out,
        "--webrtc-token-file", token,
    )  # fmt: skip
    try:
        receiver.wait_for("started")
        refused = _send(picture, "--to", url)
        assert refused.returncode == 2
        assert "refuses our bearer token" in refused.stderr
        sent = _send(picture, "--to", url, "--webrtc-token-file", token)
        assert sent.returncode == 0, sent.stderr
        reports = [json.loads(line) for line in sent.stdout.splitlines()]
        assert {"delivered"} == {one["outcome"] for one in reports if one["event"] == "done"}
        receiver.finish()
    finally:
        receiver.stop()
    (shown,) = out.glob("garden-*.coarse.png")
    with Image.open(shown) as image:
        assert image.size == (192, 128)


def test_nobody_there_is_one_sentence(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    """It names the address and what to do, and the exit code says that it is our side."""
    picture = tmp_path / "photo.png"
    Image.fromarray(photo[:64, :64]).save(picture)
    port = _free_port()
    done = _send(picture, "--to", f"webrtc+http://localhost:{port}")
    assert done.returncode == 2
    assert f"the receiver at localhost:{port} does not answer" in done.stderr
    assert "Traceback" not in done.stderr
