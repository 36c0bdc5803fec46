"""Keeps what the page shows: takes pictures, reports and datagrams as they come, in any thread."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
from numpy.typing import NDArray

from misc_receiver.picture_memory import PictureMemory
from misc_receiver.reports import (
    FrameEnded,
    FrameSeen,
    LayerArrived,
    PictureReady,
    ReceptionEnded,
    ReceptionStarted,
    SenderGone,
    SenderSeen,
    StreamFailed,
    StreamStale,
    TextSaid,
)
from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.view.event_log import EventLog
from misc_receiver.view.kept_picture import KeptPicture
from misc_receiver.view.records import FrameRecord, StreamRecord
from misc_receiver.view.views import (
    FrameView,
    State,
    StoredItem,
    StoredSemantics,
    StreamView,
    Update,
)
from misc_shared.reports import Report
from misc_shared.semantics import Semantics

__all__ = ["Gallery"]

_MAX_STREAMS = 100
_HISTORY_BYTES = 96 << 20
"""Memory for the JPEG files of earlier frames, of all streams together."""

_MOST_TO_SHELVE = 64
"""Pictures that wait to become files; further ones are not kept, so that memory stays bounded."""

_LARGE = 1 << 20
"""Bytes of pixels of a picture that becomes a file at once where memory is short."""

_STATES: dict[type[Report], State] = {
    ReceptionStarted: "waiting",
    SenderSeen: "live",
    FrameSeen: "live",
    LayerArrived: "live",
    StreamStale: "stale",
    SenderGone: "gone",
    StreamFailed: "gone",
    ReceptionEnded: "gone",
}
"""What a report says of the stream's state. A refined picture says nothing: it may be late."""

_Notify = Callable[[str, bool], None]


class Gallery:
    """The streams as far as they have come: a `PictureSink` and a `Reporter`.

    Nothing here waits: pictures are encoded when somebody asks, or in a thread of their own once
    a newer one is there. Memory is bounded by the number of streams, of frames of each, and by
    the bytes of all earlier pictures.

    Args:
        history: bytes of memory for earlier pictures.
        memory: where pixels are kept; None for as much as there is.

    Attributes:
        log: the last reports.
    """

    def __init__(
        self, *, history: int = _HISTORY_BYTES, memory: PictureMemory | None = None
    ) -> None:
        self.log = EventLog()
        self._memory = memory or PictureMemory()
        self._history = history
        self._streams: OrderedDict[str, StreamRecord] = OrderedDict()
        self._shelf: OrderedDict[KeptPicture, int] = OrderedDict()
        self._shelf_bytes = 0
        self._waiting = 0
        self._lock = threading.Lock()
        self._notify: _Notify | None = None
        self._shelving = ThreadPoolExecutor(1, thread_name_prefix="view-shelf")

    def listen(self, notify: _Notify | None) -> None:
        """Have a function told of each change: the stream, and whether it is urgent."""
        self._notify = notify

    def show(self, picture: ShownPicture) -> None:
        """Take a picture; runs in the thread that decodes, and returns at once."""
        now = time.time()
        kept = KeptPicture(picture, decoded=now, memory=self._memory)
        with self._lock:
            stream = self._stream(picture.stream, now)
            frame = self._open(stream, picture.frame, now)
            frame.describe(picture.semantics)
            frame.captured = picture.captured or frame.captured
            replaced = frame.pictures.get(kept.kind)
            frame.pictures[kept.kind] = kept
            if kept.kind == "refined":
                frame.pictures.pop("preview", None)
            before = stream.show(frame)
            old = [] if before is None else list(before.pictures.values())
            if before is not None:
                before.pictures.pop("preview", None)
            if stream.shown is not frame:
                old.append(kept)
        if replaced is not None:
            replaced.drop_pixels()
        for one in old:
            self._put_on_shelf(one)
        if kept not in old and kept.weight > _LARGE and self._memory.crowded:
            self._put_on_shelf(kept, spare=True)  # while it has pixels to make a file of
        self._changed(picture.stream, urgent=True)

    def describe(self, stream: str, frame: str, semantics: Semantics) -> None:
        """Take words and maps that came without a new picture."""
        now = time.time()
        with self._lock:
            self._open(self._stream(stream, now), frame, now).describe(semantics)
        self._changed(stream, urgent=True)

    def report(self, report: Report) -> None:
        """Take a report."""
        name = getattr(report, "stream", None) or ""
        self.log.add(report, stream=name)
        now = time.time()
        with self._lock:
            urgent = self._note(report, self._stream(name, now), now) if name else False
        self._changed(name, urgent=urgent)

    def datagram(self, stream: str, data: bytes, wall: float) -> None:
        """Count and record a datagram; see `TappedTransport`."""
        now = time.time()
        with self._lock:
            record = self._stream(stream, now)
            record.heard = now
            record.rate.add(len(data), now)
        record.recorder.datagram(data, wall=wall)
        self._changed(stream, urgent=False)

    def close(self) -> None:
        """Let go of the thread."""
        self._notify = None
        self._shelving.shutdown(wait=False, cancel_futures=True)

    def names(self) -> list[str]:
        """The streams, in the order of their names."""
        with self._lock:
            return sorted(self._streams)

    def view(self, name: str) -> StreamView | None:
        """One stream as it is now; None if there is no such."""
        with self._lock:
            stream = self._streams.get(name)
            return None if stream is None else stream.view(time.time())

    def update(self, names: list[str] | None = None) -> bytes:
        """What the page is told, as JSON: the streams named, or all."""
        now = time.time()
        with self._lock:
            wanted = sorted(self._streams) if names is None else names
            views = [self._streams[one].view(now) for one in wanted if one in self._streams]
        return msgspec.json.encode(Update(now=now, streams=views, all=names is None))

    def frames(self, name: str) -> list[FrameView] | None:
        """A stream's frames, the oldest first; None if there is no such stream."""
        with self._lock:
            stream = self._streams.get(name)
            if stream is None:
                return None
            return [frame.view(name) for frame in stream.frames.values()]

    def picture(self, name: str, kind: str, frame: str | None = None) -> KeptPicture | None:
        """A picture.

        Args:
            name: the stream's.
            kind: "coarse", "preview", "refined", or "latest" for the best there is.
            frame: whose; None for the newest frame that has a picture.
        """
        with self._lock:
            record = self._frame(name, frame)
            return None if record is None else record.picture(kind)

    def semantics(self, name: str, frame: str | None = None) -> StoredSemantics | None:
        """A frame's words and maps in the form of a file that `misc-send` reads."""
        with self._lock:
            record = self._frame(name, frame)
            said = None if record is None else record.semantics
        if said is None:
            return None
        items = [
            StoredItem(item.name, item.detail, None if item.map is None else _rows(item.map))
            for item in said.items
        ]
        return StoredSemantics(items=items, caption=said.caption)

    def recording(self, name: str) -> bytes | None:
        """The newest part of a stream as a recording; None if there is no such stream."""
        with self._lock:
            stream = self._streams.get(name)
        return None if stream is None else stream.recorder.file()

    def _frame(self, name: str, frame: str | None) -> FrameRecord | None:
        stream = self._streams.get(name)
        if stream is None:
            return None
        return stream.shown if frame is None else stream.frames.get(frame)

    def _stream(self, name: str, now: float) -> StreamRecord:
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = StreamRecord(name, now=now)
            while len(self._streams) > _MAX_STREAMS:
                # Anybody may name streams on a broker: those that were never shown make room
                # first, then whoever is silent for longest.
                others = (one for one in self._streams.values() if one is not stream)
                silent = min(others, key=lambda one: (one.shown is not None, one.heard or 0.0))
                self._forget(self._streams.pop(silent.name).frames.values())
        return stream

    def _open(self, stream: StreamRecord, frame: str, now: float) -> FrameRecord:
        record = stream.frame(frame, now)
        self._forget(stream.overflow())
        return record

    def _forget(self, frames: Iterable[FrameRecord]) -> None:
        for frame in frames:
            for picture in frame.pictures.values():
                picture.forget()
                self._shelf_bytes -= self._shelf.pop(picture, 0)

    def _note(self, report: Report, stream: StreamRecord, now: float) -> bool:
        """Change what is known; whether the page has to be told at once."""
        state = _STATES.get(type(report))
        urgent = state is not None and stream.become(state, now)
        match report:
            case FrameSeen():
                frame = self._open(stream, report.frame, now)
                frame.captured = report.captured or frame.captured
                stream.recorder.frame_begins(report.frame)
            case LayerArrived():
                _count(self._open(stream, report.frame, now).bytes, report)
                _count(stream.bytes, report)
            case TextSaid():
                self._open(stream, report.frame, now).say(report.items, report.caption)
                stream.caption = report.caption or ", ".join(one.name for one in report.items)
                urgent = True
            case PictureReady():
                self._open(stream, report.frame, now).coding = report.coding
                if report.coding == "key" and report.kind == "coarse":
                    stream.recorder.stands_alone(report.frame)
            case FrameEnded():
                frame = self._open(stream, report.frame, now)
                frame.ended, frame.missing = True, list(report.missing)
        return urgent

    def _put_on_shelf(self, picture: KeptPicture, *, spare: bool = False) -> None:
        """Turn pixels into a file, in another thread.

        Args:
            picture: which.
            spare: leave it as it is if too many wait, rather than keep nothing.
        """
        if self._waiting >= _MOST_TO_SHELVE:
            if not spare:
                picture.drop_pixels()
            return
        with self._lock:
            self._waiting += 1
        self._shelving.submit(self._shelve, picture)

    def _shelve(self, picture: KeptPicture) -> None:
        picture.shelve()
        with self._lock:
            self._waiting -= 1
            self._shelf[picture] = picture.weight
            self._shelf_bytes += picture.weight
            while self._shelf_bytes > self._history:
                oldest, weight = self._shelf.popitem(last=False)
                self._shelf_bytes -= weight
                oldest.forget()

    def _changed(self, stream: str, *, urgent: bool) -> None:
        notify = self._notify
        if notify is not None:
            notify(stream, urgent)


def _count(counter: dict[str, int], report: LayerArrived) -> None:
    counter[report.layer] = counter.get(report.layer, 0) + report.wire_bytes


def _rows(cells: NDArray[np.bool_]) -> list[str]:
    return ["".join("1" if cell else "0" for cell in row) for row in cells]
