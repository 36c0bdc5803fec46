"""What the viewer knows of a stream: its state, its last 100 frames, and what the link brought."""

from __future__ import annotations

import statistics
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from misc_receiver.reports import ItemSaid
from misc_receiver.view.kept_picture import KeptPicture
from misc_receiver.view.outlines import outline
from misc_receiver.view.recorder import StreamRecorder
from misc_receiver.view.views import (
    FrameView,
    ItemView,
    PictureView,
    RateView,
    State,
    StreamView,
)
from misc_shared.outlines import name_place
from misc_shared.semantics import Item, Semantics

__all__ = ["FRAMES_KEPT", "FrameRecord", "LinkRate", "StreamRecord"]

FRAMES_KEPT = 100
"""Frames of a stream that can be looked back at."""

_SECONDS = 60

_GAPS, _FEWEST_GAPS = 8, 3
"""How many gaps between frames say what is usual."""


@dataclass(eq=False, kw_only=True)
class FrameRecord:
    """One frame; the attributes are those of `FrameView`."""

    id: str
    number: int
    seen: float
    captured: float | None = None
    caption: str = ""
    items: list[ItemView] = field(default_factory=list)
    semantics: Semantics = field(default_factory=Semantics)
    bytes: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    ended: bool = False
    coding: str = ""
    pictures: dict[str, KeptPicture] = field(default_factory=dict)

    def say(self, items: list[ItemSaid], caption: str) -> None:
        """Note words; the maps of items that were there before stay."""
        known = {item.name: item for item in self.items}
        self.caption = caption
        self.items = [
            known.get(item.name, ItemView(name=item.name, detail=item.detail)) for item in items
        ]
        if not self.semantics.items:
            said = tuple(Item(name=item.name, detail=item.detail) for item in items)
            self.semantics = Semantics(items=said, caption=caption)

    def describe(self, semantics: Semantics) -> None:
        """Note words with their maps."""
        if semantics == self.semantics and self.items:
            return
        if semantics.items or semantics.caption:
            self.semantics = semantics
            self.caption = semantics.caption or self.caption
            self.items = [_view_of(item) for item in semantics.items]

    def picture(self, name: str) -> KeptPicture | None:
        """The picture "coarse", "preview" or "refined"; "latest" is the best there is.

        So it is for a preview that has been replaced while somebody was about to fetch it.
        """
        if name == "latest" or (name == "preview" and name not in self.pictures):
            return next(iter(self.best_first()), None)
        return self.pictures.get(name)

    def best_first(self) -> Iterator[KeptPicture]:
        """The pictures that there are, the best first."""
        for kind in ("refined", "preview", "coarse"):
            if kind in self.pictures:
                yield self.pictures[kind]

    def view(self, stream: str) -> FrameView:
        """What programs are told of it."""
        urls = {
            kind: _picture_view(kept, f"/streams/{stream}/frames/{self.id}")
            for kind, kept in self.pictures.items()
        }
        return FrameView(
            id=self.id,
            number=self.number,
            seen=self.seen,
            captured=self.captured,
            caption=self.caption,
            items=self.items,
            bytes=dict(self.bytes),
            missing=self.missing,
            ended=self.ended,
            coding=self.coding,
            coarse=urls.get("coarse"),
            preview=urls.get("preview"),
            refined=urls.get("refined"),
        )


class LinkRate:
    """Bytes in each of the last 60 seconds."""

    def __init__(self) -> None:
        self._slots: deque[tuple[int, int]] = deque(maxlen=_SECONDS)
        self.total = 0

    def add(self, size: int, now: float) -> None:
        """Count bytes that came now."""
        self.total += size
        second = int(now)
        if self._slots and self._slots[-1][0] == second:
            size += self._slots.pop()[1]
        self._slots.append((second, size))

    def view(self, now: float) -> RateView:
        """What programs are told of it."""
        until = int(now) + 1
        sizes = [0] * _SECONDS
        for second, size in self._slots:
            if 0 < until - second <= _SECONDS:
                sizes[_SECONDS - (until - second)] = size
        return RateView(until=until, bytes=sizes)


class StreamRecord:
    """One stream. Not thread-safe: the gallery locks.

    Args:
        name: the stream's.
        now: Unix seconds.
    """

    def __init__(self, name: str, *, now: float) -> None:
        self.name = name
        self.state: State = "waiting"
        self.since = now
        self.heard: float | None = None
        self.caption = ""
        self.frames: OrderedDict[str, FrameRecord] = OrderedDict()
        self.begun = 0
        self.bytes: dict[str, int] = {}
        self.rate = LinkRate()
        self.recorder = StreamRecorder(name)
        self.shown: FrameRecord | None = None
        self.newest: str | None = None
        self._begun_at = now
        self._gaps: deque[float] = deque(maxlen=_GAPS)

    def become(self, state: State, now: float) -> bool:
        """Change the state; whether it was another."""
        if state == self.state:
            return False
        self.state, self.since = state, now
        return True

    def frame(self, frame: str, now: float) -> FrameRecord:
        """The record of a frame, begun now if it is new."""
        known = self.frames.get(frame)
        if known is not None:
            return known
        if self.begun:
            self._gaps.append(now - self._begun_at)
        self.begun, self._begun_at = self.begun + 1, now
        self.newest = frame if self.newest is None else _later(self.newest, frame)
        self.frames[frame] = FrameRecord(id=frame, number=self.begun, seen=now)
        return self.frames[frame]

    def overflow(self) -> list[FrameRecord]:
        """Let go of the oldest frames beyond those that are kept."""
        excess = max(0, len(self.frames) - FRAMES_KEPT)
        return [self.frames.popitem(last=False)[1] for _ in range(excess)]

    def show(self, record: FrameRecord) -> FrameRecord | None:
        """Note that a frame has a picture; the one that it replaces in front, if any."""
        before = self.shown
        if before is record or (before and _later(before.id, record.id) == before.id):
            return None
        self.shown = record
        return before

    def view(self, now: float) -> StreamView:
        """What programs are told of it."""
        return StreamView(
            name=self.name,
            state=self.state,
            since=self.since,
            heard=self.heard,
            caption=self.caption,
            shown=None if self.shown is None else self.shown.view(self.name),
            newest=self.newest,
            coming=self._coming(),
            every=statistics.median(self._gaps) if len(self._gaps) >= _FEWEST_GAPS else None,
            frames=self.begun,
            bytes=dict(self.bytes),
            received=self.rate.total,
            rate=self.rate.view(now),
            recording=self.recorder.size,
        )

    def _coming(self) -> int:
        """Bytes so far of a picture that is on its way."""
        frame = None if self.newest is None else self.frames.get(self.newest)
        if frame is None or frame is self.shown or frame.ended:
            return 0
        return sum(frame.bytes.values())


def _later(one: str, other: str) -> str:
    """The later of two frame ids; of another epoch, the one that came last."""
    epoch, _, tick = one.partition("-")
    other_epoch, _, other_tick = other.partition("-")
    comparable = epoch == other_epoch and tick.isdigit() and other_tick.isdigit()
    return one if comparable and int(tick) > int(other_tick) else other


def _view_of(item: Item) -> ItemView:
    if item.map is None or not item.map.any():
        return ItemView(name=item.name, detail=item.detail)
    rows, columns = item.map.shape
    return ItemView(
        name=item.name,
        detail=item.detail,
        outline=outline(item.map),
        columns=columns,
        rows=rows,
        label=name_place(item.map),
    )


def _picture_view(kept: KeptPicture, folder: str) -> PictureView:
    return PictureView(
        kind=kept.kind,
        url=f"{folder}/{kept.kind}.jpg?v={kept.version}",
        width=kept.width,
        height=kept.height,
        decoded=kept.decoded,
        generated=kept.generated,
        note=kept.note,
    )
