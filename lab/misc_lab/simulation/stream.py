"""A source's pictures through both sessions over a simulated link."""

import time
from dataclasses import dataclass
from itertools import islice

from misc_lab.links import DuplexLink, open_link, read_trace
from misc_lab.simulation.exchange import Exchange, PlannedFrame, TimedFrame
from misc_lab.simulation.sessions import open_sessions
from misc_lab.simulation.settings import Settings
from misc_sender.adaptation import Adaptation
from misc_sender.budget import Budget
from misc_sender.encode import EncodedFrame, FrameEncoder
from misc_sender.references import LinkKind, ReferenceBook
from misc_sender.sources import Frame, SourceOptions, open_source
from misc_shared.packs import Pack
from misc_shared.session import (
    FrameDelivered,
    FrameDropped,
    FrameId,
    SenderSession,
)

__all__ = ["SentFrame", "Stream", "send_stream"]


@dataclass(frozen=True, eq=False)
class SentFrame:
    """A picture and what was made of it.

    Attributes:
        frame: As captured, at a virtual second.
        encoded: Its layers.
        encode_seconds: That coding took on this machine.
    """

    frame: Frame
    encoded: EncodedFrame
    encode_seconds: float


@dataclass(frozen=True, eq=False)
class Stream:
    """A finished exchange.

    Attributes:
        frames: What was sent, in order.
        exchange: What happened.
        link: Both directions, with their logs.
        sender: The sender's session, for its counters.
    """

    frames: list[SentFrame]
    exchange: Exchange
    link: DuplexLink
    sender: SenderSession


def send_stream(settings: Settings, pack: Pack) -> Stream:
    """Encode the source's pictures and carry them over the link.

    Raises:
        LocalError: The source, the pack, the trace or the budget is at fault.
    """
    trace = None if settings.trace is None else read_trace(settings.trace)
    link = open_link(
        settings.profile,
        seed=settings.seed,
        trace=trace,
        charge_overhead=settings.charge_overhead,
    )
    captured = _capture(settings)  # before the models: a wrong name is told at once
    encoder = FrameEncoder(
        pack,
        semantics=settings.semantics,
        budget=Budget(max_bytes=settings.max_bytes),
        mtu=settings.profile.mtu,
    )
    sender, receiver = open_sessions(
        settings.profile,
        packs=encoder.packs,
        one_way=link.down is None,
        seed=settings.seed,
        deadline=settings.deadline,
    )
    exchange = Exchange(sender=sender, receiver=receiver, link=link)
    camera = _Camera(settings, encoder, sender, exchange, one_way=link.down is None)
    horizon = settings.count / settings.fps + 2 * settings.deadline
    exchange.run([camera.plan(frame) for frame in captured], until=horizon)
    return Stream(camera.frames, exchange, link, sender)


class _Camera:
    """Codes each picture when it is captured, against what the receiver has by then."""

    def __init__(
        self,
        settings: Settings,
        encoder: FrameEncoder,
        sender: SenderSession,
        exchange: Exchange,
        *,
        one_way: bool,
    ) -> None:
        self.frames: list[SentFrame] = []
        self._settings = settings
        self._encoder = encoder
        self._sender = sender
        self._exchange = exchange
        self._events_seen = 0
        kind = LinkKind.LOSSY if one_way else LinkKind.CONFIRMED
        self._references = ReferenceBook(kind, key_every=settings.key_every)
        adapts = settings.adapt and not one_way
        self._adaptation = Adaptation(fps=settings.fps) if adapts else None

    def plan(self, frame: Frame) -> PlannedFrame:
        sent: list[SentFrame] = []

        def code() -> TimedFrame:
            sent.append(self._encode(frame))
            return _timed(sent[0], self._settings)

        def submitted(frame_id: FrameId) -> None:
            self._references.sent(frame_id, sent[0].encoded)
            self.frames.append(sent[0])
            if self._adaptation is not None:
                now = self._exchange.submitted[frame_id]
                self._adaptation.coded(sent[0].encoded.wire_bytes, now)

        return PlannedFrame(frame.captured_at, code, submitted, self._pause)

    def _pause(self, now: float) -> float:
        if self._adaptation is None:
            return 0.0
        self._adaptation.update(self._sender.link, now)
        return self._adaptation.pause(self._sender.link, now)

    def _encode(self, frame: Frame) -> SentFrame:
        self._catch_up()
        against = self._references.choose(self._sender.delivered)
        started = time.perf_counter()
        most = None
        if self._adaptation is not None:
            most = self._adaptation.limit(self._encoder.full_size(frame))
        encoded = self._encoder.encode(frame, against=against, most=most)
        return SentFrame(frame, encoded, time.perf_counter() - started)

    def _catch_up(self) -> None:
        """Take in what the sender's session has said since the last picture."""
        events = self._exchange.sent_events
        for timed in events[self._events_seen :]:
            match timed.event:
                case FrameDelivered(frame):
                    self._references.confirmed(frame)
                case FrameDropped(frame, _, delivered):
                    self._references.confirmed(frame, delivered)
        self._events_seen = len(events)


def _capture(settings: Settings) -> list[Frame]:
    """Take the pictures, at times that the frame rate alone decides."""
    source = open_source(settings.source, options=SourceOptions(fps=settings.fps, loop=True))
    try:
        taken = list(islice(source.frames(), settings.count))
    finally:
        source.close()
    return [
        Frame(pixels=frame.pixels, captured_at=number / settings.fps, path=frame.path)
        for number, frame in enumerate(taken)
    ]


def _timed(sent: SentFrame, settings: Settings) -> TimedFrame:
    captured_at = sent.frame.captured_at
    return TimedFrame(
        captured_at=captured_at,
        ready_at=captured_at + (sent.encode_seconds if settings.measured else 0.0),
        layers=sent.encoded.layers,
        deadline=captured_at + settings.deadline,
    )
