"""Files are whole or not there."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from misc_shared.atomic_file import remove_unfinished, write_atomically

_WRITER = """
import itertools, pathlib, sys
from misc_shared.atomic_file import write_atomically
for number in itertools.count():
    write_atomically(pathlib.Path(sys.argv[1]), bytes([number % 256]) * 300_000)
"""


def test_a_killed_writer_leaves_the_whole_old_or_the_whole_new_file(tmp_path: Path) -> None:
    """And what it left unfinished can be told from a file that is being written."""
    path = tmp_path / "picture.png"
    for pause in (0.0, 0.003, 0.011):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)])
        deadline = time.monotonic() + 20
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(pause)
        writer.kill()
        writer.wait()
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
    for left_over in tmp_path.glob("*.tmp"):
        assert remove_unfinished(left_over)
    assert [file.name for file in tmp_path.iterdir()] == ["picture.png"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """A folder stands where the unfinished file would."""
    path = tmp_path / "picture.png"
    write_atomically(path, b"old")
    (tmp_path / "picture.png.tmp").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert not remove_unfinished(tmp_path / "picture.png.tmp")
