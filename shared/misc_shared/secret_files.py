"""Files that hold secrets: keys, tokens, passwords. Nobody else may read them, ever."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from misc_shared.errors import ConfigError

__all__ = ["create_secret", "read_secret", "refuse_if_shared"]


def create_secret(path: Path, text: str) -> None:
    """Write a secret into a new file that only its owner can read, not even for a moment another.

    A file that is there is never overwritten: it may be somebody's only copy. None is left where
    the secret cannot be written, on a full disk for one: the next run would take it for a secret.

    Args:
        path: the file.
        text: the secret, in ASCII.

    Raises:
        FileExistsError: the file is there.
        OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def read_secret(path: Path, *, name: str, limit: int) -> str:
    """Read a secret that is kept from others.

    Args:
        path: the file.
        name: what it holds, for messages, as in "the page's token".
        limit: bytes of the longest one.

    Returns:
        Its text.

    Raises:
        ConfigError: the file cannot be read, is longer, is no ASCII text, or others can read it.
    """
    try:
        with path.open("rb") as file:
            _check(os.fstat(file.fileno()), path, name=name)
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {name} {path}: {error.strerror or error}") from None
    if len(data) > limit:
        raise ConfigError(f"{path} is not {name}: it has more than {limit} bytes")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not {name}: it is not plain text") from None


def refuse_if_shared(path: Path, *, name: str) -> None:
    """Check a secret that somebody else's code reads, such as a TLS key.

    Args:
        path: the file.
        name: what it holds, for messages.

    Raises:
        ConfigError: the file is not there, or others can read it.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise ConfigError(f"cannot read {name} {path}: {error.strerror or error}") from None
    _check(found, path, name=name)


def _check(found: os.stat_result, path: Path, *, name: str) -> None:
    """Refuse a file that others can read or write.

    A group may where the file is not ours: then it is how its owner lets us read it, as root does
    with the group ssl-cert, or systemd with the credentials of a service.
    """
    forbidden = stat.S_IRWXO
    if found.st_uid == os.geteuid():
        forbidden |= stat.S_IRWXG
    if stat.S_ISREG(found.st_mode) and found.st_mode & forbidden:
        raise ConfigError(f"others can read {name}: run chmod 600 {path}")
