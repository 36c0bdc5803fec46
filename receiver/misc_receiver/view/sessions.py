"""Who has logged in: kept by the server, so that a logout ends it, and over restarts."""

from __future__ import annotations

import contextlib
import hmac
import logging
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

__all__ = ["SESSION_SECONDS", "Sessions"]

_log = logging.getLogger(__name__)

SESSION_SECONDS = 30 * 24 * 3600
"""Seconds after which one has to log in again."""

_MOST = 256
"""Sessions at a time; another ends the oldest."""

_MAX_FILE = 1 << 16
_MAX_COOKIE = 128

_Digests = dict[str, int]


class Sessions:
    """Sessions by a digest of their cookie; whoever reads the file can open nothing with it.

    The digest takes the page's token too, so another token ends all sessions. Receivers that share
    a token file share its sessions, so each looks whether another has changed the file.

    Args:
        token: the page's.
        path: where they are kept, or None for in memory alone.
        clock: gives Unix seconds.
    """

    def __init__(
        self, token: str, path: Path | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._token = token.encode()
        self._path = path
        self._clock = clock
        self._ends: _Digests = {}
        self._read: tuple[int, int] | None = None
        self._complained = False

    def open(self) -> str:
        """Begin a session.

        Returns:
            The cookie that proves it.
        """
        cookie = secrets.token_urlsafe(32)
        self._refresh()
        self._ends[self._digest(cookie)] = int(self._clock()) + SESSION_SECONDS
        self._write()
        return cookie

    def knows(self, cookie: str) -> bool:
        """Whether a cookie is that of a session which has not ended; takes constant time."""
        if not 0 < len(cookie) <= _MAX_COOKIE:
            return False
        self._refresh()
        return self._ends.get(self._digest(cookie), 0) > self._clock()

    def end(self, cookie: str) -> None:
        """End a session; nothing happens if there is none."""
        if self.knows(cookie):
            del self._ends[self._digest(cookie)]
            self._write()

    def _digest(self, cookie: str) -> str:
        return hmac.new(self._token, cookie.encode(errors="replace"), "sha256").hexdigest()

    def _refresh(self) -> None:
        """Read what another receiver has written."""
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                version = found.st_ino, found.st_mtime_ns
                if version == self._read:
                    return
                self._read = version
                self._ends = msgspec.json.decode(file.read(_MAX_FILE), type=_Digests)
                self._complained = False
        except FileNotFoundError:
            return  # nobody has logged in yet, or it could not be written
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            if not self._complained:  # every request comes by here
                _log.warning("cannot read the page's sessions %s: %s", self._path, error)
            self._complained = True

    def _write(self) -> None:
        now = self._clock()
        kept = [one for one in self._ends.items() if one[1] > now]
        self._ends = dict(kept[-_MOST:])
        if self._path is None:
            return
        try:
            self._replace(self._path, msgspec.json.encode(self._ends))
        except OSError as error:
            _log.warning(
                "cannot write the page's sessions %s, so they end with this run: %s",
                self._path,
                error.strerror,
            )
            # What is in there may have ended.
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _replace(self, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as one:
                one.write(data)
                one.flush()
                found = os.fstat(one.fileno())
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
        self._read = found.st_ino, found.st_mtime_ns
