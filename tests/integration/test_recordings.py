"""A recording that is there already is kept until there is a better one, or continued."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.integration.test_commands import _reports, _run

from misc_shared.security.keyring import write_key
from misc_shared.transports.recording import RecordingReader

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def pictures(tmp_path: Path, photo: NDArray[np.uint8]) -> list[Path]:
    """Write two photographs of 128x160 pixels."""
    paths = [tmp_path / "first.png", tmp_path / "second.png"]
    for path, part in zip(paths, (photo[:128, :160], photo[128:256, 160:320]), strict=True):
        Image.fromarray(part).save(path)
    return paths


def _send(picture: Path, recording: Path, *arguments: object) -> None:
    _reports(
        "misc-send",
        picture,
        "--to",
        f"file:{recording}",
        "--semantics=none",
        "--bytes=900",
        *arguments,
    )


def _refusal(picture: Path, recording: Path, *arguments: object) -> str:
    done = _run(
        "misc-send", picture, "--to", f"file:{recording}", "--semantics", "none", *arguments
    )
    assert done.returncode == 2
    return done.stderr


def _pictures(recording: Path, *arguments: object) -> list[dict[str, Any]]:
    """The pictures that a receiver shows, as they are at last."""
    received = _reports("misc-recv", "--from", f"file:{recording}", "--no-refine", *arguments)
    shown = {report["frame"]: report for report in received if report["event"] == "picture"}
    return list(shown.values())


def test_an_older_recording_outlives_every_failure(pictures: list[Path], tmp_path: Path) -> None:
    """No picture, no change: without a word from the user, and with too few bytes."""
    recording = tmp_path / "photo.misc"
    first, second = pictures
    _send(first, recording)
    older = recording.read_bytes()
    assert "--overwrite" in _refusal(second, recording)
    assert "too few" in _refusal(second, recording, "--overwrite", "--bytes", 1)
    assert "too few" in _refusal(second, recording, "--append", "--bytes", 1)
    assert "drop one" in _refusal(second, recording, "--append", "--overwrite")
    assert "--stream first" in _refusal(second, recording, "--append", "--stream", "other")
    assert recording.read_bytes() == older
    assert not (tmp_path / "photo.misc.tmp").exists()
    _send(second, recording, "--overwrite")
    assert recording.read_bytes() != older
    assert len(_pictures(recording)) == 1


def test_a_failed_run_leaves_nothing(pictures: list[Path], tmp_path: Path) -> None:
    """Where there was no recording, there is none afterwards."""
    recording = tmp_path / "photo.misc"
    _refusal(pictures[0], recording, "--bytes", 1)
    assert not list(tmp_path.glob("*.misc*"))


@pytest.mark.parametrize("cut", ["within the last entry", "zeros, as of a power cut"])
def test_a_recording_goes_on_after_a_cut(pictures: list[Path], tmp_path: Path, cut: str) -> None:
    """What was whole before the cut is still there, and so is what came later; sealed too."""
    recording, key = tmp_path / "photo.misc", tmp_path / "camera.key"
    with_key = ("--key", key) if cut.startswith("zeros") else ()
    write_key(key)
    first, second = pictures
    _send(first, recording, *with_key)
    whole = recording.read_bytes()
    recording.write_bytes(whole + bytes(4000) if with_key else whole[:-5])
    _send(second, recording, "--append", *with_key)
    shown = _pictures(recording, *with_key)
    assert [report["stream"] for report in shown] == ["first"] * 2
    times = [report["since_capture"] for report in shown]
    assert all(0 <= seconds < 600 for seconds in times)


def test_what_is_damaged_in_its_middle_is_not_continued(
    pictures: list[Path], tmp_path: Path
) -> None:
    """More pictures may lie behind the damage: nothing of the file is touched."""
    recording = tmp_path / "photo.misc"
    _send(pictures[0], recording)
    with recording.open("rb") as file:
        begin = RecordingReader(file, name="photo.misc").offset
    data = bytearray(recording.read_bytes())
    data[begin] = 0xC1
    recording.write_bytes(data)
    assert "cannot be continued" in _refusal(pictures[1], recording, "--append")
    assert recording.read_bytes() == data
