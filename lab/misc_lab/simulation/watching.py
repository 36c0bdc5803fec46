"""What a person at the receiver sees, and when."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from misc_lab.simulation.settings import Settings
from misc_lab.simulation.stream import SentFrame, Stream
from misc_lab.simulation.timeline import FrameTimeline, frame_timelines
from misc_receiver.decode import CoarseDecoded, Decoded, FrameContents, FrameDecoder, TextDecoded
from misc_receiver.refinery import Refinery, RefinerySettings, open_refinery
from misc_shared.packs import Pack
from misc_shared.semantics import Semantics

__all__ = ["Stage", "WatchedFrame", "watch_stream"]

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Stage:
    """Something that became visible.

    Attributes:
        kind: "text", "coarse" or "refined".
        at: Virtual seconds.
        bytes_until: All bytes that the link had been given for it, from the frame's first on.
        layers: Image layers in the picture, 1 to 3; 0 for text.
        pixels: The picture; None for text.
        label: What the picture's file says about itself.
    """

    kind: str
    at: float
    bytes_until: int
    layers: int = 0
    pixels: NDArray[np.uint8] | None = None
    label: dict[str, str] | None = None


@dataclass(frozen=True, eq=False)
class WatchedFrame:
    """One frame from capture to the last thing seen of it.

    Attributes:
        sent: The picture and its layers.
        timeline: When the layers came.
        stages: What was seen, in order of time.
        semantics: What the receiver knows of its content; None if no text came.
    """

    sent: SentFrame
    timeline: FrameTimeline
    stages: list[Stage]
    semantics: Semantics | None

    def first(self, kind: str) -> Stage | None:
        """The first stage of a kind."""
        return next((stage for stage in self.stages if stage.kind == kind), None)

    def last(self, kind: str) -> Stage | None:
        """The last stage of a kind."""
        return next((stage for stage in reversed(self.stages) if stage.kind == kind), None)


def watch_stream(stream: Stream, settings: Settings, pack: Pack) -> list[WatchedFrame]:
    """Decode each frame layer by layer as it came, then refine it once with all of them."""
    timelines = frame_timelines(
        stream.exchange.submitted,
        sent=stream.exchange.sent_events,
        received=stream.exchange.received_events,
        log=stream.link.up.log,
    )
    watcher = _Watcher(settings, pack)
    return [
        watcher.watch(sent, timeline)
        for sent, timeline in zip(stream.frames, timelines, strict=False)
    ]


class _Watcher:
    """The receiver's decoder and refiner, one thing at a time, on the virtual clock."""

    def __init__(self, settings: Settings, pack: Pack) -> None:
        self._measured = settings.measured
        self._decoder = FrameDecoder(pack)
        self._refinery: Refinery | None = None
        if settings.refine:
            self._refinery = open_refinery(pack, RefinerySettings())
        self._free_at = 0.0

    def watch(self, sent: SentFrame, timeline: FrameTimeline) -> WatchedFrame:
        stages: list[Stage] = []
        contents: FrameContents | None = None
        arrivals = sorted(timeline.arrivals.values(), key=lambda arrival: arrival.at)
        for arrival in arrivals:
            for decoded, at in self._timed(self._decoder.decode([arrival.event]), arrival.at):
                stages += _stage(decoded, at, arrival.bytes_until)
            contents = self._decoder.contents(arrival.event.frame)
        if contents is not None:
            last = arrivals[-1]
            stages += self._refine(contents, last.at, last.bytes_until)
            self._decoder.forget(contents.frame)
        return WatchedFrame(
            sent, timeline, stages, None if contents is None else contents.semantics
        )

    def _refine(self, contents: FrameContents, arrived: float, bytes_until: int) -> list[Stage]:
        if self._refinery is None or contents.coarse is None:
            return []
        for step, at in self._timed(self._refinery.refine(contents), arrived):
            if step.final and step.passed_guard:
                label = dict(self._refinery.label(contents, step))
                layers = contents.coarse.layers_used
                return [Stage("refined", at, bytes_until, layers, step.pixels, label)]
        return []  # what disagrees with what was received is not shown

    def _timed(self, work: Iterator[Result], arrived: float) -> Iterator[tuple[Result, float]]:
        """Results with the virtual second at which each is there."""
        now = max(arrived, self._free_at) if self._measured else arrived
        started = time.perf_counter()
        for result in work:
            if self._measured:
                now += time.perf_counter() - started
                self._free_at = now
            yield result, now
            started = time.perf_counter()


def _stage(decoded: Decoded, at: float, bytes_until: int) -> list[Stage]:
    match decoded:
        case TextDecoded():
            return [Stage("text", at, bytes_until)]
        case CoarseDecoded(image=image):
            return [Stage("coarse", at, bytes_until, image.layers_used, image.pixels)]
        case _:
            return []  # a layer that failed shows nothing
