"""A short run of the fuzz script; the long one is run by hand."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_SCRIPT = Path(__file__).parents[1] / "fuzz_layers.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Give the script as a module."""
    spec = importlib.util.spec_from_file_location("fuzz_layers", _SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("fuzz", ["fuzz_text", "fuzz_maps"])
def test_bad_bytes_decode_or_are_refused(script: ModuleType, fuzz: str) -> None:
    """Some do this and some do that, and none does anything else."""
    ends = getattr(script, fuzz)(300, seed=7)
    assert set(ends) >= {"BitstreamError", "decoded"}
