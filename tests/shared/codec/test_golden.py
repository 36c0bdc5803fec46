"""Decoded integers are the same on every kernel, with any number of threads, in any process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("golden.py")
EXPECTED = [
    entry["sha256"] for entry in json.loads(Path(__file__).with_name("golden.json").read_text())
]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
        {"OPENBLAS_CORETYPE": "Prescott"},
        {"OPENBLAS_CORETYPE": "Haswell"},
    ],
    ids=["fresh process", "1 thread", "2 threads", "SSE kernels", "AVX2 kernels"],
)
def test_integers_match_the_golden_file(settings: dict[str, str]) -> None:
    """The stored bitstreams decode to the stored digests under every setting."""
    run = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(run.stdout) == EXPECTED


def test_golden_file_holds_every_layer() -> None:
    """It cannot quietly shrink: nine bitstreams, of three layers each."""
    entries = json.loads(Path(__file__).with_name("golden.json").read_text())
    assert len(entries) == 9
    assert all(len(entry["layers"]) == 3 for entry in entries)
