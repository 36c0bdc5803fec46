"""Sizes as people write them."""

import pytest

from misc_shared.errors import ConfigError
from misc_shared.settings.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [
        ("800000", 800_000),
        ("500MB", 500_000_000),
        ("2GiB", 2 << 30),
        ("1.5 MiB", 3 << 19),
        ("64k", 64_000),
        ("none", None),
    ],
)
def test_sizes(text: str, nbytes: int | None) -> None:
    """Of 1000s, of 1024s, and none for no limit."""
    assert parse_size("--keep", text) == nbytes


@pytest.mark.parametrize("text", ["", "0", "-1", "2GB free", "GiB", "1e9", "2PiB", "\u0662GiB"])
def test_what_is_no_size(text: str) -> None:
    """One sentence that names the option."""
    with pytest.raises(ConfigError, match=r"--keep .* is no size"):
        parse_size("--keep", text)
