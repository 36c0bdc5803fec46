"""A simulation's findings as plain data."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from misc_lab.simulation.settings import Settings
from misc_lab.simulation.stream import Stream
from misc_lab.simulation.timeline import link_use
from misc_lab.simulation.watching import Stage, WatchedFrame
from misc_shared.wire import LayerKind

__all__ = ["build_report"]

_DIGITS = 4
"""A tenth of a millisecond."""


def build_report(
    settings: Settings, stream: Stream, frames: Sequence[WatchedFrame]
) -> dict[str, Any]:
    """Everything worth telling, JSON-ready; times in seconds after each frame's capture.

    The same settings and seed give the same report, unless computing time was measured.
    """
    ended = stream.exchange.ended_at
    up = link_use(stream.link.up)
    pixels = sum(one.encoded.width * one.encoded.height for one in stream.frames)
    return {
        "source": settings.source,
        "link": asdict(settings.profile) | {"trace": settings.trace and str(settings.trace)},
        "seed": settings.seed,
        "compute": "measured" if settings.measured else "none",
        "frames": [_frame(number, frame) for number, frame in enumerate(frames)],
        "up": asdict(up),
        "down": stream.link.down and asdict(link_use(stream.link.down)),
        "bpp": up.bytes * 8 / pixels,
        "skipped": stream.exchange.skipped,
        "repeats": stream.sender.counters.repeats,
        "seconds": round(ended, _DIGITS),
        "busy_share": round(min(1.0, up.busy_seconds / ended), _DIGITS) if ended else 0.0,
        "transport_overhead_bytes": up.datagrams * settings.profile.transport_overhead,
        "transport_overhead_charged": settings.charge_overhead,
    }


def _frame(number: int, frame: WatchedFrame) -> dict[str, Any]:
    encoded, captured_at = frame.sent.encoded, frame.sent.frame.captured_at
    arrivals = frame.timeline.arrivals
    return {
        "number": number,
        "captured_at": captured_at,
        "width": encoded.width,
        "height": encoded.height,
        "quality": encoded.quality,
        "coding": "delta" if encoded.delta else "key",
        "outcome": frame.timeline.outcome,
        "stages": [_stage(stage, captured_at) for stage in frame.stages],
        "layers": {
            kind.name.lower(): {
                "payload_bytes": len(encoded.layers[kind]),
                "wire_bytes": arrivals[kind].event.wire_bytes if kind in arrivals else None,
                "after": _after(arrivals[kind].at, captured_at) if kind in arrivals else None,
            }
            for kind in LayerKind
            if kind in encoded.layers
        },
        "items": [item.name for item in frame.semantics.items] if frame.semantics else [],
        "caption": frame.semantics.caption if frame.semantics else "",
    }


def _stage(stage: Stage, captured_at: float) -> dict[str, Any]:
    return {
        "kind": stage.kind,
        "layers": stage.layers,
        "after": _after(stage.at, captured_at),
        "bytes_until": stage.bytes_until,
    }


def _after(at: float, captured_at: float) -> float:
    return round(at - captured_at, _DIGITS)
