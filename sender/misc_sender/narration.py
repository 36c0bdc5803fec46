"""What the pipeline tells its user of a picture."""

from __future__ import annotations

from misc_sender.encode import EncodedFrame
from misc_sender.reports import FrameEnded, FrameQueued
from misc_shared.session import FrameDropped, FrameId
from misc_shared.wire import LayerKind

__all__ = ["tell_dropped", "tell_queued"]


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


def _name(layer: LayerKind) -> str:
    return layer.name.lower()
