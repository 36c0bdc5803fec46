"""Results on a full disk: one sentence, status 2, and what was there before is still whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from misc_lab.result_files import write_result
from misc_shared.errors import ConfigError

LIMIT = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({0}, {0}));"
SIM = ("sample:astronaut", "--link", "lte-m", "--semantics=none", "--no-refine", "--bytes=300")


def _run(
    module: str, *arguments: object, most: int, output: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program that may write so many bytes into any file, as if the disk were full then."""
    start = (
        f"{LIMIT.format(most)} import sys; sys.argv[0] = 'misc'; from {module} import app; app()"
    )
    command = [sys.executable, "-c", start, *map(str, arguments)]
    if output is None:
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    with Path(output).open("w") as file:
        return subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, text=True, timeout=300, check=False
        )


def _assert_one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("misc-")


def test_a_simulation(tmp_path: Path) -> None:
    """Its pictures do not fit, or its output."""
    _assert_one_sentence(_run("misc_lab.cli_sim", *SIM, "--out", tmp_path / "out", most=1000))
    done = _run("misc_lab.cli_sim", *SIM, most=1 << 30, output="/dev/full")
    _assert_one_sentence(done)
    assert "No space left on device" in done.stderr


def test_a_benchmark(tmp_path: Path) -> None:
    """Results that do not fit."""
    done = _run(
        "misc_lab.cli_bench", "first-bytes", "--out", tmp_path / "x.jpg", most=1000,
    )  # fmt: skip
    _assert_one_sentence(done)


def test_keygen_leaves_no_empty_key(tmp_path: Path) -> None:
    """So that the next try is not refused."""
    key = tmp_path / "garden.key"
    done = subprocess.run(
        [
            sys.executable, "-c",
            f"{LIMIT.format(10)} from misc_sender.cli import keygen_app; keygen_app()", str(key),
        ],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "cannot write the key" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_older_results_stay(tmp_path: Path) -> None:
    """A file that cannot be written leaves the one before it."""
    path = tmp_path / "folder" / "rd.json"
    with pytest.raises(ConfigError, match=r"cannot write .*rd\.json: No such file"):
        write_result(path, "new")
    path.parent.mkdir()
    write_result(path, "old")
    write_result(path, "newer")
    assert path.read_text() == "newer"
    assert list(path.parent.iterdir()) == [path]
