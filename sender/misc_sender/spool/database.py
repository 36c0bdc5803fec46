"""The spool's file: SQLite, so that neither a kill nor a power cut loses what was taken in.

A commit returns once the write-ahead log is on the disk (synchronous=FULL). The file belongs to one
program at a time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from pathlib import Path

from misc_shared.errors import ConfigError

__all__ = ["SCHEMA", "connect", "open_database", "set_aside"]

_log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    packs BLOB NOT NULL,
    boot TEXT NOT NULL,
    since_boot REAL NOT NULL,
    wall REAL NOT NULL,
    synchronised INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    tried INTEGER NOT NULL DEFAULT 0,
    digest BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS layers (
    picture INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    data BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (picture, kind)
);
CREATE INDEX IF NOT EXISTS layers_by_kind ON layers (kind, picture);
CREATE TABLE IF NOT EXISTS used_ticks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    tick INTEGER NOT NULL,
    UNIQUE (stream, tick)
);
"""

_PAGES_IN_LOG = 64
_DAMAGED = ".damaged"


def open_database(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Open the file, or a new one in place of one that is damaged.

    Returns:
        The connection, and whether a damaged file was set aside.

    Raises:
        ConfigError: the folder cannot be written, or another program uses the spool.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK):
            raise ConfigError(f"cannot write into the spool {path.parent}")
        try:
            return connect(path), False
        except sqlite3.DatabaseError as error:
            _refuse_if_in_use(path, error)
            _log.warning(
                "the spool %s is damaged (%s): it is set aside as %s, and what can be read is kept",
                path, error, set_aside(path),
            )  # fmt: skip
            return connect(path), True
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"cannot use {path.parent} as spool: {reason}") from error


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, make the tables and check them.

    Raises:
        sqlite3.Error: it is in use, damaged or cannot be written.
    """
    database = sqlite3.connect(path, timeout=0.0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_IN_LOG}")
        database.executescript(SCHEMA)
        _check(database)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection) -> None:
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def set_aside(path: Path) -> Path:
    """Rename a damaged file, and its log, in place of an earlier one."""
    aside = path.with_name(path.name + _DAMAGED)
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
    path.replace(aside)
    return aside


def _refuse_if_in_use(path: Path, error: sqlite3.DatabaseError) -> None:
    code = getattr(error, "sqlite_errorcode", None)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise ConfigError(
            f"another program uses the spool {path.parent}: give each camera its own --spool"
        ) from None
    if isinstance(error, sqlite3.OperationalError):
        raise error
