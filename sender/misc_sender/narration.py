"""What the pipeline tells its user of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from misc_sender.encode import EncodedFrame
from misc_sender.reports import FrameEnded, FrameQueued, SpoolTotals, StreamEnded
from misc_shared.session import FrameDropped, FrameId, SenderCounters
from misc_shared.wire import LayerKind

if TYPE_CHECKING:
    from misc_shared.security import SealCounters

__all__ = ["tell_dropped", "tell_end", "tell_queued"]


def tell_queued(frame_id: FrameId, encoded: EncodedFrame, *, took: float) -> FrameQueued:
    """Report a picture that was coded and waits to be sent; `took` is in seconds."""
    return FrameQueued(
        frame=str(frame_id),
        coding="delta" if encoded.delta else "key",
        width=encoded.width,
        height=encoded.height,
        quality=encoded.quality,
        bytes=encoded.wire_bytes,
        bpp=round(encoded.bpp, 5),
        layers={_name(kind): len(data) for kind, data in sorted(encoded.layers.items())},
        encode_seconds=round(took, 3),
        items=tuple(item.name for item in encoded.semantics.items),
        caption=encoded.semantics.caption,
    )


def tell_dropped(event: FrameDropped) -> FrameEnded:
    """Report a picture that was given up, with what the receiver lacks of it."""
    return FrameEnded(
        frame=str(event.frame),
        outcome="dropped",
        reason=event.reason.value,
        missing=tuple(_name(layer) for layer in sorted(event.unsent)),
    )


def tell_end(
    counters: SenderCounters,
    *,
    sealing: SealCounters | None,
    frames: int,
    arrived: int | None,
    skipped: int,
    seconds: float,
    spool: SpoolTotals | None,
) -> StreamEnded:
    """Report the end of a run; bytes of the seal's own count as ours."""
    return StreamEnded(
        frames=frames,
        arrived=arrived,
        skipped=skipped,
        datagrams=counters.datagrams,
        bytes=counters.bytes + (sealing.introduction_bytes if sealing else 0),
        repeats=counters.repeats,
        seconds=round(seconds, 3),
        spool=spool,
    )


def _name(layer: LayerKind) -> str:
    return layer.name.lower()
