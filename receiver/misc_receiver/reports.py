"""What `misc-recv` tells its user."""

from __future__ import annotations

import msgspec

from misc_shared.reports import Report

__all__ = [
    "BaseLost",
    "FrameEnded",
    "FrameSeen",
    "ItemSaid",
    "LayerArrived",
    "LayerLost",
    "ListeningStarted",
    "PageServed",
    "PictureReady",
    "ReceptionEnded",
    "ReceptionStarted",
    "SenderGone",
    "SenderSeen",
    "StreamFailed",
    "StreamRefused",
    "StreamReport",
    "StreamStale",
    "TextSaid",
    "TimedReport",
]


class StreamReport(Report, frozen=True, kw_only=True):
    """Something about one stream.

    Attributes:
        stream: the stream's name; whoever passes the report on fills it in.
    """

    stream: str = ""


class TimedReport(StreamReport, frozen=True, kw_only=True):
    """Something about a frame of which the age matters.

    Attributes:
        frame: the frame's id.
        since_capture: seconds, once the sender has introduced itself.
    """

    frame: str
    since_capture: float | None = None


class ListeningStarted(Report, tag="listening", frozen=True, kw_only=True):
    """We wait for streams.

    Attributes:
        at: where, without user and password.
    """

    at: str


class PageServed(Report, tag="page", frozen=True, kw_only=True):
    """The live page can be looked at.

    Attributes:
        url: where.
    """

    url: str


class ReceptionStarted(StreamReport, tag="started", frozen=True, kw_only=True):
    """We listen to a stream."""


class StreamRefused(StreamReport, tag="refused", frozen=True, kw_only=True):
    """A sender has other models; nothing of its run is shown until one comes that agrees.

    Attributes:
        reason: what does not agree.
    """

    reason: str


class StreamFailed(StreamReport, tag="failed", frozen=True, kw_only=True):
    """A stream has ended for a fault of its own; the others go on.

    Attributes:
        reason: what is wrong.
    """

    reason: str


class SenderSeen(StreamReport, tag="sender", frozen=True, kw_only=True):
    """A sender introduced itself, and its models are ours.

    Attributes:
        epoch: its run.
        started: Unix seconds at which it began.
    """

    epoch: int
    started: float


class SenderGone(StreamReport, tag="sender-ended", frozen=True, kw_only=True):
    """The sender said that it has finished.

    Attributes:
        epoch: its run.
    """

    epoch: int


class StreamStale(StreamReport, tag="stale", frozen=True, kw_only=True):
    """Nothing has come for a while: what is shown is old."""


class FrameSeen(StreamReport, tag="frame", frozen=True, kw_only=True):
    """The first datagram of a frame came.

    Attributes:
        frame: the frame's id.
        captured: Unix seconds, once the sender has introduced itself.
        layers: that the frame has.
    """

    frame: str
    captured: float | None = None
    layers: list[str]


class LayerArrived(TimedReport, tag="layer", frozen=True, kw_only=True):
    """A layer is whole.

    Attributes:
        layer: its name.
        bytes: its own.
        wire_bytes: of the datagrams that brought it.
    """

    layer: str
    bytes: int
    wire_bytes: int


class ItemSaid(msgspec.Struct, frozen=True, omit_defaults=True):
    """An item of the text layer.

    Attributes:
        name: what it is.
        detail: what it looks like.
        mapped: whether its place has come too.
    """

    name: str
    detail: str = ""
    mapped: bool = False


class TextSaid(TimedReport, tag="text", frozen=True, kw_only=True):
    """What the sender says is in the picture.

    Attributes:
        items: in the sender's order.
        caption: of the whole picture.
    """

    items: list[ItemSaid]
    caption: str


class PictureReady(TimedReport, tag="picture", frozen=True, kw_only=True):
    """A picture can be shown.

    Attributes:
        kind: "coarse", "preview-K" or "refined".
        coding: "delta" if it came as what differs from an earlier one, else "key".
        width: pixels.
        height: pixels.
        layers: image layers that it is made of, 1 to 3.
        generated: whether a model has invented part of it.
        took: seconds of computing for it, sinks included.
        file: where it was written, if it was.
    """

    kind: str
    coding: str
    width: int
    height: int
    layers: int
    generated: bool
    took: float | None = None
    file: str | None = None


class BaseLost(StreamReport, tag="no-base", frozen=True, kw_only=True):
    """A picture is not shown, for it was made against one that is not here.

    What was shown before stays, and is stale. A picture that stands alone was asked for, where
    anything can be asked.

    Attributes:
        frame: the frame's id.
        reason: what it was made against.
    """

    frame: str
    reason: str


class LayerLost(StreamReport, tag="bad-layer", frozen=True, kw_only=True):
    """A layer came whole and does not decode.

    Attributes:
        frame: the frame's id.
        layer: its name.
        reason: what is wrong with it.
    """

    frame: str
    layer: str
    reason: str


class FrameEnded(StreamReport, tag="done", frozen=True, kw_only=True):
    """A frame will get no more layers.

    Attributes:
        frame: the frame's id.
        missing: layers that never came.
    """

    frame: str
    missing: tuple[str, ...] = ()


class ReceptionEnded(StreamReport, tag="end", frozen=True, kw_only=True):
    """We listen to a stream no more.

    Attributes:
        frames: that ended.
        datagrams: that were well formed.
        bytes: of those.
        duplicates: datagrams that brought nothing new.
        refused: datagrams that were malformed or not allowed.
        rejected: those, and the ones that the seal or the link did not hand on, by cause.
        bad_layers: layers that did not decode.
        missing_bases: pictures that were not shown for want of an earlier one.
    """

    frames: int
    datagrams: int
    bytes: int
    duplicates: int
    refused: int
    bad_layers: int
    missing_bases: int
    rejected: dict[str, int] = msgspec.field(default_factory=dict)
