"""MQTT over a link that the kernel's token bucket filter bounds: how soon pictures are there."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from misc_lab.survival.parts import Event
from misc_lab.survival.scenarios import Stage

__all__ = ["LINKS"]

_SLOW = 20.0
_FRAMES = 50
_BURST = 600
_SEGMENT = 524
"""Bytes of TCP payload in a packet of 576."""
_HEADERS = 66
"""Ethernet, IPv4 and TCP with time stamps, as the token bucket counts them."""
_PUBLISH = 28
"""An MQTT PUBLISH to misc/camera/data at QoS 1 with message expiry, besides its payload."""
_DEADLINE = 15.0
_PHASES = ((62.0, 30.0), (6.0, 60.0), (62.0, 60.0))


def slow_link(stage: Stage) -> dict[str, Any]:
    """50 pictures over 20 kbit/s, against the time that their bytes alone take."""
    stage.sender.kill()
    stage.network.limit(_SLOW)
    stage.sender = stage.start_sender("--bytes", "2000", "--key-every", "1")
    deadline = time.monotonic() + 4 * _FRAMES
    while len(_submitted(stage)) < _FRAMES + 5 and time.monotonic() < deadline:
        time.sleep(1.0)
    first, whole = [], []
    for frame, at in list(_submitted(stage).items())[3:]:  # not while the link is unknown
        layers = _layers(stage, frame)
        if len(layers) < len(_expected(stage, frame)):
            continue
        base = next(layer for layer in layers if layer.what["layer"] == "base")
        first.append((base.at - at) / _seconds([base]))
        last = max(layer.at for layer in layers)
        whole.append((last - at) / (_seconds(layers) - _credit(stage, at)))
    return {
        "kbps": _SLOW,
        "pictures": len(first),
        "first_layer_over_serialisation": _quantiles(first),
        "whole_picture_over_serialisation_less_burst": _quantiles(whole),
    }


def falling_link(stage: Stage) -> dict[str, Any]:
    """From 62 to 6 kbit/s and back: how old is what arrives, and what becomes of the pictures."""
    stage.sender.kill()
    stage.network.limit(_PHASES[0][0])
    stage.sender = stage.start_sender(
        "--bytes", "2500", "--key-every", "1", "--deadline", str(_DEADLINE)
    )
    phases = []
    for kbps, seconds in _PHASES:
        stage.network.limit(kbps)
        since = time.time()
        time.sleep(seconds)
        phases.append(_phase(stage, kbps, since))
    time.sleep(_DEADLINE)
    ages = [float(event.what["since_capture"]) for event in stage.receiver.events
            if event.what["event"] == "layer" and "since_capture" in event.what]  # fmt: skip
    return {
        "deadline_seconds": _DEADLINE,
        "oldest_layer_on_arrival_seconds": round(max(ages), 2),
        "within_one_deadline": max(ages) <= _DEADLINE,
        "phases": phases,
    }


def _phase(stage: Stage, kbps: float, since: float) -> dict[str, Any]:
    coded = [event for event in stage.sender.events if event.what["event"] == "frame"
             and event.at >= since]  # fmt: skip
    sizes = [event.what["bytes"] for event in coded]
    ages = [float(event.what["since_capture"]) for event in stage.receiver.events
            if event.what["event"] == "layer" and event.what["layer"] == "base"
            and event.at >= since and "since_capture" in event.what]  # fmt: skip
    return {
        "kbps": kbps,
        "pictures": len(sizes),
        "bytes_median": statistics.median(sizes) if sizes else None,
        "bytes_of_last": sizes[-1] if sizes else None,
        "first_layer_age_median": round(statistics.median(ages), 2) if ages else None,
        "first_layer_age_most": round(max(ages), 2) if ages else None,
    }


def _submitted(stage: Stage) -> dict[str, float]:
    return {event.what["frame"]: event.at for event in list(stage.sender.events)
            if event.what["event"] == "frame"}  # fmt: skip


def _expected(stage: Stage, frame: str) -> dict[str, int]:
    return next(dict(event.what["layers"]) for event in stage.sender.events
                if event.what["event"] == "frame" and event.what["frame"] == frame)  # fmt: skip


def _layers(stage: Stage, frame: str) -> list[Event]:
    return [event for event in stage.receiver.events
            if event.what["event"] == "layer" and event.what["frame"] == frame]  # fmt: skip


def _seconds(layers: Iterable[Event]) -> float:
    """What the bytes of these layers take on the link, each in datagrams of its own."""
    payloads: list[int] = [layer.what["wire_bytes"] + _PUBLISH for layer in layers]
    packets = sum(payload + _HEADERS * math.ceil(payload / _SEGMENT) for payload in payloads)
    return packets * 8 / (_SLOW * 1000)


def _credit(stage: Stage, at: float) -> float:
    """Seconds' worth of bytes that the bucket lets through at once, as it was idle before."""
    arrived = [event.at for event in stage.receiver.events
               if event.what["event"] == "layer" and event.at < at]  # fmt: skip
    return min(_BURST * 8 / (_SLOW * 1000), at - max(arrived, default=0.0))


def _quantiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    return {"median": round(statistics.median(ordered), 3), "p95": round(p95, 3)}


LINKS: dict[str, Callable[[Stage], dict[str, Any]]] = {
    "tbf: 50 pictures at 20 kbit/s": slow_link,
    "tbf: 62 to 6 to 62 kbit/s": falling_link,
}
