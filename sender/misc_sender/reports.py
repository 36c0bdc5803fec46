"""What `misc-send` tells its user."""

from __future__ import annotations

import msgspec

from misc_shared.reports import Report

__all__ = [
    "AudienceFound",
    "AudienceMissing",
    "CaughtUp",
    "FrameEnded",
    "FrameQueued",
    "FrameSpooled",
    "ReceiverRefused",
    "SpoolGaveUp",
    "SpoolTotals",
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
        spooled: pictures of earlier runs that wait in the spool.
    """

    stream: str
    source: str
    mtu: int
    spooled: int = 0


class AudienceMissing(Report, tag="unheard", frozen=True, kw_only=True):
    """Nobody answers: as far as we know, nobody receives what we send.

    Attributes:
        stream: the stream's name.
        seconds: since something was sent that nobody has answered.
        lost: whether somebody did receive us before.
    """

    stream: str
    seconds: float
    lost: bool = False


class AudienceFound(Report, tag="heard", frozen=True, kw_only=True):
    """A receiver answers, for the first time or again.

    Attributes:
        stream: the stream's name.
        after: seconds since something was first sent, or since the last answer.
    """

    stream: str
    after: float


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
    """The link is away: a picture was kept for later; it outlives a power cut.

    Attributes:
        captured: Unix seconds, to 1/8 s, by the clock as it is now.
        bytes: that it would have taken on the wire.
    """

    captured: float
    bytes: int


class SpoolGaveUp(Report, tag="spool-gave-up", frozen=True, kw_only=True):
    """Pictures that were kept, or should have been, will never arrive.

    Attributes:
        reason: "age", "room" (the spool is full), "damage" (of its file), or "disk" (full, or it
            cannot be written).
        pictures: how many.
        layers: of older pictures that made room; those pictures will arrive with less detail.
        detail: what the disk said.
    """

    reason: str
    pictures: int
    layers: int = 0
    detail: str = ""


class SpoolTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the pictures that were kept.

    Attributes:
        kept: while the link was away.
        arrived: in the archive, of earlier runs too.
        waiting: are still kept; the next run sends them.
        given_up: by reason, as in `SpoolGaveUp`.
    """

    kept: int
    arrived: int
    waiting: int
    given_up: dict[str, int]


class CaughtUp(Report, tag="caught-up", frozen=True, kw_only=True):
    """A picture that was kept has arrived in the stream's archive, and was kept there.

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
        arrived: of which a receiver has confirmed at least the first layer; absent on a link that
            confirms nothing.
        skipped: pictures that the encoder had no time for.
        datagrams: handed to the link, greeting, repeats and farewell included.
        bytes: their bytes.
        repeats: chunks sent again.
        seconds: from start to end.
        spool: what became of the pictures that were kept; None without a spool.
    """

    frames: int
    arrived: int | None = None
    skipped: int
    datagrams: int
    bytes: int
    repeats: int
    seconds: float
    spool: SpoolTotals | None = None
