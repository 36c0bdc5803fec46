"""Coded pictures on disk, bounded in bytes and age; they outlive the program and its power.

Where there are too many bytes, the oldest pictures lose their last layer first, then the one
before, so that of a long outage many coarse pictures survive rather than a few fine ones. Whatever
is given up is counted with its reason.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from misc_sender.spool.database import open_database
from misc_sender.spool.moments import Moment, this_moment
from misc_sender.spool.records import (
    SpooledFrame,
    digest,
    layers_of,
    moment_digest,
    packs_from,
    packs_to_bytes,
)
from misc_sender.spool.salvage import salvage
from misc_shared.errors import LocalError
from misc_shared.session.ticks import TICKS_PER_SECOND
from misc_shared.wire import PRIORITY, LayerKind

__all__ = ["Spool", "SpoolLimits", "SpoolLosses"]

_FILE = "spool.sqlite3"
_PICTURE_BYTES = 160
"""What SQLite and the tables take for a picture beside its layers, about."""
_TICKS_REMEMBERED = 100_000


@dataclass(frozen=True, kw_only=True)
class SpoolLimits:
    """Bounds of what is kept.

    Attributes:
        total_bytes: of all pictures together.
        seconds: after which a picture is worth nothing.
    """

    total_bytes: int = 64 << 20
    seconds: float = 24 * 3600.0


@dataclass(frozen=True)
class SpoolLosses:
    """What was given up.

    Attributes:
        pictures: by reason: "age", "room", "damage", or "disk" for those that could not be written.
        layers: of older pictures, to make room.
        detail: what the disk said, or "".
    """

    pictures: Mapping[str, int]
    layers: int
    detail: str = ""

    def __bool__(self) -> bool:
        return bool(self.pictures) or self.layers > 0


@dataclass(frozen=True)
class _Row:
    number: int
    stream: str
    packs: bytes
    at: Moment
    tick: int
    tried: bool
    digest: bytes

    @property
    def whole(self) -> bool:
        return self.digest == moment_digest(
            self.number, self.at, self.tick, self.stream, self.packs
        )


_COLUMNS = "number, stream, packs, boot, since_boot, wall, synchronised, tick, tried, digest"


class Spool:
    """The pictures of one stream that wait; may be used in any thread.

    Args:
        folder: made if it is not there; what others put there is left alone.
        limits: the bounds; they hold for all streams that the folder has pictures of.
        stream: whose pictures these are.
        packs: the models that code them.
        clock: tells the moment.

    Raises:
        ConfigError: the folder cannot be written, or another program uses it.
    """

    def __init__(
        self,
        folder: Path,
        limits: SpoolLimits,
        *,
        stream: str,
        packs: Mapping[str, bytes],
        clock: Callable[[], Moment] = this_moment,
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._stream = stream
        self._packs = packs_to_bytes(packs)
        self._clock = clock
        self._lock = threading.Lock()
        self._lost: Counter[str] = Counter()
        self._layers_lost = 0
        self._detail = ""
        self._delivered: set[int] = set()
        self._database, damaged = open_database(folder / _FILE)
        if damaged:
            self._lost["damage"] += salvage(folder / _FILE, self._database)
        self._nbytes = self._measure()
        self._count = self._query("SELECT count(*) FROM pictures WHERE stream = ?", stream)

    def __len__(self) -> int:
        """Pictures of the stream that wait."""
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of all pictures."""
        return self._nbytes

    def now(self) -> Moment:
        """This moment, by all clocks."""
        return self._clock()

    def close(self) -> None:
        """Let another program use it."""
        with self._lock:
            self._database.close()

    def take_losses(self) -> SpoolLosses:
        """What was given up since this was last asked."""
        with self._lock:
            losses = SpoolLosses(dict(self._lost), self._layers_lost, self._detail)
            self._lost, self._layers_lost, self._detail = Counter(), 0, ""
            return losses

    def add(self, at: Moment, layers: Mapping[LayerKind, bytes]) -> float | None:
        """Keep a picture; when this returns a time, the picture outlives a power cut.

        Args:
            at: when it was captured.
            layers: that stand alone, BASE among them.

        Returns:
            Unix seconds of its capture, to 1/8 s, as far as they are known now; None if the disk
            did not take it.
        """
        with self._lock:
            before = self._nbytes, self._count, self._lost.copy(), self._layers_lost
            try:
                with self._transaction():
                    tick = self._insert(at, layers)
                    self._make_room()
            except sqlite3.Error as error:
                self._nbytes, self._count, self._lost, self._layers_lost = before
                self._lost["disk"] += 1
                self._detail = str(error)
                return None
            return tick / TICKS_PER_SECOND

    def oldest(self) -> SpooledFrame | None:
        """The oldest picture that is still worth something, ready to be sent.

        Raises:
            LocalError: the file cannot be read any more.
        """
        with self._lock:
            try:
                while (row := self._oldest_row()) is not None:
                    reason, frame = self._judge(row)
                    if frame is not None:
                        return frame
                    self._lost[reason] += 1
                    self._forget(row.number)
            except sqlite3.Error as error:
                raise LocalError(
                    f"the spool {self._folder} cannot be read ({error}); start again, and what can "
                    "be read is kept"
                ) from error
            return None

    def remove(self, frame: SpooledFrame) -> None:
        """Forget a picture: it was delivered."""
        with self._lock:
            self._forget(frame.number)

    def _judge(self, row: _Row) -> tuple[str, SpooledFrame | None]:
        """The picture of a row, or why there is none."""
        now = self._clock()
        age = row.at.seconds_until(now)
        if age is not None and age > self._limits.seconds:
            return "age", None
        rows = self._database.execute(
            "SELECT kind, data, digest FROM layers WHERE picture = ?", (row.number,)
        )
        try:
            layers = layers_of(row.number, rows) if row.whole else None
            if layers is None:
                return "damage", None
            tick = row.tick if row.tried else self._settle_tick(row, now)
            return "", SpooledFrame(row.number, tick, packs_from(row.packs), layers)
        except (sqlite3.Error, msgspec.MsgspecError, ValueError):
            return "damage", None

    def _settle_tick(self, row: _Row, now: Moment) -> int:
        """Fix a picture's time before it is first sent: later its receiver knows it by that."""
        tick = row.tick
        wall = row.at.true_wall(now)
        with contextlib.suppress(sqlite3.OperationalError), self._transaction():
            if wall != row.at.wall:
                tick = self._new_tick(wall)
            known = moment_digest(row.number, row.at, tick, row.stream, row.packs)
            self._database.execute(
                "UPDATE pictures SET tick = ?, tried = 1, digest = ? WHERE number = ?",
                (tick, known, row.number),
            )
            return tick
        return row.tick  # a full disk: the time that is written is the one that counts

    def _insert(self, at: Moment, layers: Mapping[LayerKind, bytes]) -> int:
        tick = self._new_tick(at.wall)
        execute = self._database.execute
        cursor = execute(
            "INSERT INTO pictures (stream, packs, boot, since_boot, wall, synchronised, tick, "
            "digest) VALUES (?, ?, ?, ?, ?, ?, ?, '')",
            (self._stream, self._packs, at.boot, at.since_boot, at.wall, at.synchronised, tick),
        )
        number = cursor.lastrowid
        assert number is not None  # noqa: S101 - what an INSERT gives
        known = moment_digest(number, at, tick, self._stream, self._packs)
        execute("UPDATE pictures SET digest = ? WHERE number = ?", (known, number))
        for kind, data in layers.items():
            execute(
                "INSERT INTO layers VALUES (?, ?, ?, ?)",
                (number, int(kind), data, digest(number, int(kind), data)),
            )
        self._nbytes += _PICTURE_BYTES + sum(map(len, layers.values()))
        self._count += 1
        return tick

    def _new_tick(self, wall: float) -> int:
        """The tick of a time, or the next one that no picture of the stream ever had."""
        tick = math.floor(wall * TICKS_PER_SECOND)
        while self._query(
            "SELECT count(*) FROM used_ticks WHERE stream = ? AND tick = ?", self._stream, tick
        ):
            tick += 1
        cursor = self._database.execute(
            "INSERT INTO used_ticks (stream, tick) VALUES (?, ?)", (self._stream, tick)
        )
        self._database.execute(
            "DELETE FROM used_ticks WHERE number <= ?",
            ((cursor.lastrowid or 0) - _TICKS_REMEMBERED,),
        )
        return tick

    def _make_room(self) -> None:
        for layer in reversed(PRIORITY[1:]):
            while self._nbytes > self._limits.total_bytes:
                if not self._drop_oldest_layer(layer):
                    break
        while self._nbytes > self._limits.total_bytes:
            number = self._query("SELECT ifnull(min(number), 0) FROM pictures")
            if not number:
                return
            self._delete(number)
            self._lost["room"] += 1

    def _drop_oldest_layer(self, layer: LayerKind) -> bool:
        found = self._database.execute(
            "SELECT picture, length(data) FROM layers WHERE kind = ? ORDER BY picture LIMIT 1",
            (int(layer),),
        ).fetchone()
        if found is None:
            return False
        picture, nbytes = found
        self._database.execute(
            "DELETE FROM layers WHERE picture = ? AND kind = ?", (picture, int(layer))
        )
        self._nbytes -= nbytes
        self._layers_lost += 1
        return True

    def _forget(self, number: int) -> None:
        before = self._nbytes, self._count
        try:
            with self._transaction():
                self._delete(number)
        except sqlite3.Error as error:
            # As when the disk is full. It is not sent again in this run; should a later one send it
            # again, its receiver knows it by its time.
            self._nbytes, self._count = before
            self._count -= number not in self._delivered
            self._delivered.add(number)
            self._detail = str(error)

    def _delete(self, number: int) -> None:
        found = self._database.execute(
            "SELECT stream FROM pictures WHERE number = ?", (number,)
        ).fetchone()
        if found is None:  # it made room while it was under way
            return
        nbytes = self._query(
            "SELECT ifnull(sum(length(data)), 0) FROM layers WHERE picture = ?", number
        )
        self._database.execute("DELETE FROM layers WHERE picture = ?", (number,))
        self._database.execute("DELETE FROM pictures WHERE number = ?", (number,))
        self._nbytes -= _PICTURE_BYTES + nbytes
        self._count -= found == (self._stream,) and number not in self._delivered

    def _oldest_row(self) -> _Row | None:
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM pictures WHERE stream = ? ORDER BY number LIMIT ?",  # noqa: S608 - constants
            (self._stream, len(self._delivered) + 1),
        ).fetchall()
        waiting = (row for row in rows if row[0] not in self._delivered)
        return next((_row_of(row) for row in waiting), None)

    def _measure(self) -> int:
        pictures = self._query("SELECT count(*) FROM pictures")
        return _PICTURE_BYTES * pictures + self._query(
            "SELECT ifnull(sum(length(data)), 0) FROM layers"
        )

    def _query(self, statement: str, *values: object) -> int:
        (number,) = self._database.execute(statement, values).fetchone()
        return int(number)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            # SQLite ends some failed transactions by itself.
            with contextlib.suppress(sqlite3.OperationalError):
                self._database.execute("ROLLBACK")
            raise


def _row_of(row: tuple[int, str, bytes, str, float, float, int, int, int, bytes]) -> _Row:
    number, stream, packs, boot, since_boot, wall, synchronised, tick, tried, known = row
    at = Moment(boot, since_boot, wall, bool(synchronised))
    return _Row(number, stream, packs, at, tick, bool(tried), known)
