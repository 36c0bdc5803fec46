"""What `misc-send` tells its user."""

from __future__ import annotations

from misc_shared.reports import Report

__all__ = [
    "CaughtUp",
    "FrameEnded",
    "FrameQueued",
    "FrameSpooled",
    "ReceiverRefused",
    "StreamEnded",
    "StreamStarted",
    "WordsMissed",
]


class StreamStarted(Report, tag="started", frozen=True, kw_only=True):
    """Pictures begin to flow.

    Attributes:
        stream: the stream's name.
        source: where pictures come from.
        mtu: bytes of the largest datagram.
    """

    stream: str
    source: str
    mtu: int


class FrameQueued(Report, tag="frame", frozen=True, kw_only=True):
    """A picture was encoded and waits for the link.

    Attributes:
        frame: the frame's id.
        coding: "key" if it stands alone, "delta" if it says what differs from an earlier one.
        width: pixels.
        height: pixels.
        quality: the codec's, 0 to 31.
        bytes: that it takes on the wire, framing included, without repeats.
        bpp: the same in bits per pixel.
        layers: bytes of each layer, framing not included.
        encode_seconds: that semantics and codec took.
        items: what the text layer names, in order.
        caption: what it says of the whole.
    """

    frame: str
    coding: str
    width: int
    height: int
    quality: int
    bytes: int
    bpp: float
    layers: dict[str, int]
    encode_seconds: float
    items: tuple[str, ...] = ()
    caption: str = ""


class FrameSpooled(Report, tag="spooled", frozen=True, kw_only=True):
    """The link is away: a picture was kept for later.

    Attributes:
        captured: Unix seconds.
        bytes: that it would have taken on the wire.
    """

    captured: float
    bytes: int


class CaughtUp(Report, tag="caught-up", frozen=True, kw_only=True):
    """A picture that was kept has arrived in the stream's archive.

    Attributes:
        captured: Unix seconds.
        waiting: pictures that are still kept.
    """

    captured: float
    waiting: int


class ReceiverRefused(Report, tag="refused", frozen=True, kw_only=True):
    """A receiver cannot read this stream, or somebody says so; sending goes on.

    Attributes:
        reason: what does not agree, in its words.
    """

    reason: str


class WordsMissed(Report, tag="wordless", frozen=True, kw_only=True):
    """A vision server or model had no usable words; pictures go on without new ones.

    Attributes:
        reason: why.
    """

    reason: str


class FrameEnded(Report, tag="done", frozen=True, kw_only=True):
    """A picture has left: confirmed, sent on a link that confirms nothing, or given up.

    Attributes:
        frame: the frame's id.
        outcome: "delivered", "sent" or "dropped".
        reason: why it was dropped.
        missing: layers that never went out.
    """

    frame: str
    outcome: str
    reason: str = ""
    missing: tuple[str, ...] = ()


class StreamEnded(Report, tag="end", frozen=True, kw_only=True):
    """Nothing more will be sent.

    Attributes:
        frames: pictures that were sent.
        skipped: pictures that the encoder had no time for.
        datagrams: handed to the link, greeting, repeats and farewell included.
        bytes: their bytes.
        repeats: chunks sent again.
        seconds: from start to end.
    """

    frames: int
    skipped: int
    datagrams: int
    bytes: int
    repeats: int
    seconds: float
