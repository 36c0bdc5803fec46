"""What a stream may be called: its name becomes a topic level and part of file names."""

from __future__ import annotations

import re

from misc_shared.errors import ConfigError

__all__ = ["STREAM_NAME_PATTERN", "check_stream_name"]

STREAM_NAME_PATTERN = r"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\Z"
"""It must not break out of a topic or a folder."""


def check_stream_name(name: str) -> None:
    """Refuse a name that could not be a topic level and part of a file name.

    Raises:
        ConfigError: it has other characters than letters, digits, "-", "_" and ".", or over 64.
    """
    if not re.match(STREAM_NAME_PATTERN, name):
        raise ConfigError(
            f"{name!r} is no stream name: use 1 to 64 letters, digits, '-', '_' or '.', "
            "not starting with '.'"
        )
