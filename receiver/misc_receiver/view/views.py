"""What the viewer tells programs as JSON: streams, frames, pictures, words; see openapi.json."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = [
    "FrameView",
    "ItemView",
    "PictureView",
    "RateView",
    "State",
    "StoredItem",
    "StoredSemantics",
    "StreamView",
    "Update",
]

State = Literal["waiting", "live", "stale", "gone"]
"""Nothing came yet; datagrams come; none has come for a while; the sender has finished."""


class ItemView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A thing in the picture.

    Attributes:
        name: what it is.
        detail: what it looks like.
        outline: an SVG path in a viewBox of "0 0 columns rows", once its map has come.
        columns: of its map.
        rows: of its map.
        label: where its name goes, x and y in cells.
    """

    name: str
    detail: str = ""
    outline: str | None = None
    columns: int | None = None
    rows: int | None = None
    label: tuple[float, float] | None = None


class PictureView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that can be fetched.

    Attributes:
        kind: "coarse", "preview" or "refined".
        url: its path on this server.
        width: pixels.
        height: pixels.
        decoded: Unix seconds at which it was ready, by the receiver's clock.
        generated: whether a model has invented part of it.
        note: what else is to say of it.
    """

    kind: str
    url: str
    width: int
    height: int
    decoded: float
    generated: bool = False
    note: str = ""


class FrameView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One frame, as far as it has come.

    Attributes:
        id: as reports have it.
        number: counts the stream's frames; one more than the frame before.
        seen: Unix seconds of its first datagram, by the receiver's clock.
        captured: Unix seconds at which it was taken, by the sender's clock.
        caption: of the whole picture.
        items: the things in it.
        bytes: that crossed the link, by layer, framing and repeats included.
        missing: layers that never came.
        ended: whether no more will come.
        coding: "delta" or "key".
        coarse: the picture from the codec alone.
        preview: one on the way to the refined one.
        refined: the picture after diffusion.
    """

    id: str
    number: int
    seen: float
    captured: float | None = None
    caption: str = ""
    items: list[ItemView] = []
    bytes: dict[str, int] = {}
    missing: list[str] = []
    ended: bool = False
    coding: str = ""
    coarse: PictureView | None = None
    preview: PictureView | None = None
    refined: PictureView | None = None


class RateView(Struct, frozen=True, kw_only=True):
    """What the link brought lately.

    Attributes:
        until: Unix seconds of the end of the last slot.
        bytes: in each of the last 60 seconds, the oldest first.
    """

    until: int
    bytes: list[int]


class StreamView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stream.

    Attributes:
        name: the stream's.
        state: whether anything comes.
        since: Unix seconds since when that is so.
        heard: Unix seconds of the last datagram.
        caption: the newest, which may be of a frame whose picture is still to come.
        shown: the newest frame that has a picture.
        newest: id of the newest frame.
        coming: bytes so far of the newest frame while it has no picture and may still get one.
        every: seconds that usually pass from one frame to the next; None if too few have come.
        frames: that have begun so far.
        bytes: that came so far, by layer.
        received: bytes of all datagrams so far.
        rate: what came lately.
        recording: bytes of the recording that can be downloaded.
    """

    name: str
    state: State
    since: float
    heard: float | None = None
    caption: str = ""
    shown: FrameView | None = None
    newest: str | None = None
    coming: int = 0
    every: float | None = None
    frames: int = 0
    bytes: dict[str, int] = {}
    received: int = 0
    rate: RateView
    recording: int = 0


class Update(Struct, frozen=True, kw_only=True):
    """What the page is told: some streams as they are now.

    Attributes:
        now: Unix seconds by the receiver's clock, for ages.
        streams: those that changed; all of them in the first message.
        all: whether these are all there are.
    """

    now: float
    streams: list[StreamView]
    all: bool = False


class StoredItem(Struct, frozen=True, omit_defaults=True):
    """An item of `semantics.json`, as `misc-send --semantics file` reads it.

    Attributes:
        name: what it is.
        detail: what it looks like.
        map: rows of 0 and 1.
    """

    name: str
    detail: str = ""
    map: list[str] | None = None


class StoredSemantics(Struct, frozen=True):
    """The words and maps of a picture as a file.

    Attributes:
        items: the things in it.
        caption: of the whole picture.
    """

    items: list[StoredItem]
    caption: str
