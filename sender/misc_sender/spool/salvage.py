"""Takes over what can be read of a damaged spool."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

__all__ = ["salvage"]

_TABLES = {"pictures": 10, "layers": 4, "used_ticks": 3}
"""Each table's number of columns."""


def salvage(path: Path, database: sqlite3.Connection) -> int:
    """Copy all rows that can be read; each picture's digest tells later whether it is whole.

    Args:
        path: the spool's file; the damaged one lies beside it.
        database: the new one.

    Returns:
        Pictures that are lost, as far as that can be told; at least 1.
    """
    damaged = path.with_name(path.name + ".damaged")
    expected = copied = 0
    with contextlib.closing(sqlite3.connect(damaged)) as old:
        for table in _TABLES:
            count = _copy(old, database, table)
            copied += count if table == "pictures" else 0
        with contextlib.suppress(sqlite3.Error):
            (expected,) = old.execute("SELECT count(*) FROM pictures").fetchone()
    return max(1, expected - copied)


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    """Copy a table row by row in the order of its key, past rows that cannot be read."""
    places = ", ".join("?" * _TABLES[table])
    count, after, skip = 0, 0, 1
    try:
        (last,) = old.execute(f"SELECT max(rowid) FROM {table}").fetchone()  # noqa: S608 - a constant
    except sqlite3.Error:
        return 0
    while last is not None and after < last:
        try:
            found = old.execute(
                f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT 1",  # noqa: S608
                (after,),
            ).fetchone()
            if found is None:
                break
            after, *row = found
            new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)  # noqa: S608
            count, skip = count + 1, 1
        except sqlite3.Error:
            after, skip = after + skip, 2 * skip
    return count
