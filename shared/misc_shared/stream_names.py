"""What a stream may be called: its name becomes a topic level and part of file names."""

from __future__ import annotations

import re

from misc_shared.errors import ConfigError

__all__ = ["STREAM_NAME_PATTERN", "archive_of", "camera_of", "check_stream_name", "is_archive"]

STREAM_NAME_PATTERN = r"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\Z"
"""It must not break out of a topic or a folder."""


_ARCHIVE = "~archive"
"""No stream's name has this sign; URLs and file names take it as it is."""


def archive_of(stream: str) -> str:
    """What a receiver calls the archive of a stream."""
    return stream + _ARCHIVE


def is_archive(name: str) -> bool:
    """Whether a receiver calls an archive so."""
    return name.endswith(_ARCHIVE)


def camera_of(name: str) -> str:
    """The stream whose archive is called so; any other name as it is."""
    return name.removesuffix(_ARCHIVE)


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
