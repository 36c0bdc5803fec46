"""Decoded integers are the same on every kernel, with any number of threads, in any process.

AVX-512 runs only where the CPU has it. Where it has not, `test_every_sum_is_exact` still covers it:
sums of integers that stay below 2^53 are exact in whatever order a kernel adds them.
"""

import itertools
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.shared.codec.golden import entries

from misc_shared.packs import load_pack

_ROOT = Path(__file__).parents[3]
_CPU = Path("/proc/cpuinfo")

# OpenBLAS multiplies matrices, NumPy does the rest; each picks its kernels by itself.
_KERNELS = {
    "AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "AVX2": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    },
    "SSE": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    },
}
_NEEDED_FLAG = {"AVX-512": "avx512vl", "AVX2": "avx2", "SSE": "sse4_2"}


def _read_elsewhere(program: list[str], settings: dict[str, str]) -> str:
    """Read the golden bitstreams in a process of their own; return what it prints."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", *program],
        env={**os.environ, "PYTHONPATH": str(_ROOT), **settings},
        check=True,
        capture_output=True,
        text=True,
        cwd=_ROOT,
    )
    return run.stdout


def _expected() -> str:
    return "".join(entry["sha256"] + "\n" for entry in entries())


@pytest.mark.parametrize(("kernels", "threads"), [*itertools.product(_KERNELS, (1, 2))])
def test_integers_are_the_same_on_every_kernel(kernels: str, threads: int) -> None:
    """The stored bitstreams decode to the stored digests under every setting."""
    flags = _CPU.read_text().split() if _CPU.exists() else []
    if _NEEDED_FLAG[kernels] not in flags:
        pytest.skip(f"this CPU has no {kernels}")
    count = str(threads)
    settings = {"OPENBLAS_NUM_THREADS": count, "OMP_NUM_THREADS": count, **_KERNELS[kernels]}
    assert _read_elsewhere(["-m", "tests.shared.codec.golden"], settings) == _expected()


def test_integers_are_read_without_onnx_runtime() -> None:
    """A machine that has NumPy alone reads the same integers."""
    program = (
        "import sys, runpy; sys.modules['onnxruntime'] = None;"
        "runpy.run_module('tests.shared.codec.golden', run_name='__main__')"
    )
    assert _read_elsewhere(["-c", program], {}) == _expected()


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_every_sum_is_exact(layer: int) -> None:
    """No picture can drive a sum of the shipped nets to 2^53, from where floats skip integers."""
    with np.load(load_pack().component("codec").file("entropy.npz")) as stored:
        size = {
            name.split(".")[1]: np.abs(stored[name].astype(object))
            for name in stored.files
            if name.startswith(f"net{layer}.")
        }
    taps = (0, 1, 3)  # of [3, 3, outputs, inputs]
    first = 15 * (size["own"].sum(taps) + size["coarser"].sum(taps)) + size["first_bias"]
    second = 2047 * size["second"].sum(taps) + size["second_bias"].ravel()
    last = 2047 * size["last"].sum(1) + size["last_bias"].ravel()
    # The shifts round by adding up to half of 2^shift, and no shift is above 2^32.
    assert max(first.max(), second.max(), last.max()) + 2**31 < 2**53


def test_golden_file_holds_every_layer() -> None:
    """It cannot quietly shrink: nine pictures and eighteen deltas, some with layers joined."""
    kinds = [("base" in entry, sum(map(bool, entry["layers"]))) for entry in entries()]
    assert Counter(kinds) == {(False, 3): 9, (True, 3): 9, (True, 1): 9}
