"""Files that are there whole or not at all, whatever happens to the program or to its power.

A file gets its final name by a rename, and only once its bytes are on the disk: without the first
sync, a power cut may leave an empty file under the final name; without the second, none at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

__all__ = ["UNFINISHED", "publish", "remove_unfinished", "write_atomically"]

UNFINISHED = ".tmp"
"""What a file's name ends with until it is whole."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file in one step, in place of an earlier one of its name.

    When this returns, the file outlives a power cut. Until then it is NAME.tmp, and locked, so that
    `remove_unfinished` leaves it alone.

    Args:
        path: the file.
        data: all of it.

    Raises:
        OSError: it cannot be written; an earlier file of its name is as it was, and nothing else
            is left behind where that can be helped.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            with contextlib.suppress(OSError):  # some network file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            publish(unfinished, path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def publish(unfinished: Path, path: Path) -> None:
    """Give a synced file its final name, in a way that outlives a power cut.

    Args:
        unfinished: the file, in the same folder as `path`.
        path: its final name; an earlier file there is replaced.

    Raises:
        OSError: it cannot be renamed, or the folder cannot be synced.
    """
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_unfinished(path: Path) -> bool:
    """Remove a file that its writer did not live to finish.

    Args:
        path: a file whose name ends with `UNFINISHED`.

    Returns:
        Whether it was removed: one that is being written stays, and so does what is no plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
