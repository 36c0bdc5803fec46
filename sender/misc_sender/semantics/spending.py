"""Limits what a paid server may cost: requests and tokens in any hour.

A program that crashes and is started again, or several on one machine, spend from one purse: what
was spent is kept in a small SQLite file, whose transactions are safe between processes.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from misc_shared.errors import SemanticsError

__all__ = ["UNREPORTED_TOKENS", "Expense", "HourlyLimit"]

UNREPORTED_TOKENS = 2000
"""What a request counts as while nobody says what it cost: an answer to a small picture."""

_HOUR = 3600.0
_PATIENCE = 5.0  # seconds that another process may hold the file
_TABLE = """CREATE TABLE IF NOT EXISTS expense
(id INTEGER PRIMARY KEY, account TEXT NOT NULL, at REAL NOT NULL, tokens INTEGER NOT NULL)"""
_log = logging.getLogger(__name__)


class HourlyLimit:
    """Lets requests through until the last hour has cost enough.

    Args:
        requests: the most in any hour, every retry counted; None for no limit.
        tokens: after this many in an hour, no more requests; None for no limit.
        account: who is paid; each has its own hour.
        file: keeps what was spent, made if absent; None keeps it in memory only.
        clock: seconds of the wall clock, for they have to mean the same after a restart.
    """

    def __init__(
        self,
        *,
        requests: int | None,
        tokens: int | None,
        account: str = "",
        file: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._account = account
        self._clock = clock
        self._lock = threading.Lock()
        self._books = _open(file)

    def spend(self) -> Expense:
        """Count a request before it is made.

        Raises:
            SemanticsError: the hour's limit is reached; the message says when there is more.
        """
        with self._transaction() as books:
            now = self._clock()
            self._forget(books, now)
            count, spent, oldest = books.execute(
                "SELECT count(*), coalesce(sum(tokens), 0), coalesce(min(at), ?)"
                " FROM expense WHERE account = ?",
                (now, self._account),
            ).fetchone()
            wait = max(0, round(oldest + _HOUR - now))
            if self._requests is not None and count >= self._requests:
                raise SemanticsError(_refusal(f"{self._requests} requests", wait))
            if self._tokens is not None and spent >= self._tokens:
                raise SemanticsError(_refusal(f"{self._tokens} tokens", wait))
            row = books.execute(
                "INSERT INTO expense (account, at, tokens) VALUES (?, ?, ?)",
                (self._account, now, UNREPORTED_TOKENS),
            ).lastrowid
        return Expense(self, row or 0)

    def correct(self, row: int, tokens: int) -> None:
        """Say what a request really cost."""
        with self._transaction() as books:
            books.execute("UPDATE expense SET tokens = ? WHERE id = ?", (tokens, row))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._books.close()

    def _forget(self, books: sqlite3.Connection, now: float) -> None:
        books.execute("DELETE FROM expense WHERE at <= ?", (now - _HOUR,))
        # Where the clock was set back, an expense of the future counts from now.
        books.execute("UPDATE expense SET at = ? WHERE at > ?", (now, now))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold off threads and other processes; a file that fails is not worth losing a picture."""
        with self._lock:
            try:
                self._books.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                _log.warning("spending is counted in memory from here on: %s", error)
                self._books = _open(None)
                self._books.execute("BEGIN IMMEDIATE")
            with self._books as books:
                yield books


class Expense:
    """One request that was counted.

    Args:
        limit: which counted it.
        row: its number there.
    """

    def __init__(self, limit: HourlyLimit, row: int) -> None:
        self._limit, self._row = limit, row

    def correct(self, tokens: int) -> None:
        """Say how many tokens it cost, once the server says; until then it is a guess."""
        self._limit.correct(self._row, tokens)


def _open(file: Path | None) -> sqlite3.Connection:
    """Open the books, in memory where the file cannot be used, and say so."""
    place: Path | str = ":memory:"
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place = file
        except OSError as error:
            _log.warning("spending is counted for this run only: %s", error)
    try:
        return _connect(place)
    except sqlite3.Error as error:
        _log.warning("spending is counted for this run only: %s: %s", place, error)
        return _connect(":memory:")


def _connect(place: Path | str) -> sqlite3.Connection:
    books = sqlite3.connect(place, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        books.execute(_TABLE)
    except sqlite3.Error:
        books.close()
        raise
    return books


def _refusal(limit: str, wait: int) -> str:
    return f"the spending limit of {limit} an hour is reached; the next is due in {wait} s"
