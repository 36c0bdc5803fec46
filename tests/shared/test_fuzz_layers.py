"""A short run of the fuzz script; `make fuzz` is the long one."""

from collections import Counter
from collections.abc import Callable

import pytest
from tests.fuzz_layers import fuzz_image, fuzz_maps, fuzz_text


@pytest.mark.parametrize(("fuzz", "count"), [(fuzz_image, 80), (fuzz_maps, 300), (fuzz_text, 300)])
def test_bad_bytes_decode_or_are_refused(fuzz: Callable[..., Counter[str]], count: int) -> None:
    """Some do this and some do that, and none does anything else."""
    ends = fuzz(count, seed=7)
    assert set(ends) >= {"BitstreamError", "decoded"}
