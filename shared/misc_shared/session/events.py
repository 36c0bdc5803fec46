"""What a session tells its owner: frozen, typed events. protocol.md, Events."""

import enum
from dataclasses import dataclass

from misc_shared.errors import PackMismatchError, ProtocolError, RemoteError
from misc_shared.session.ticks import FrameId
from misc_shared.wire import LayerKind, Reason

__all__ = [
    "DropReason",
    "Event",
    "FrameComplete",
    "FrameDelivered",
    "FrameDropped",
    "FrameExpired",
    "FrameSent",
    "FrameStarted",
    "HelloAcknowledged",
    "LayerReceived",
    "PeerHello",
    "ReceiverReport",
    "RefreshRequested",
    "Refused",
    "Stale",
    "StreamEnded",
]


class DropReason(enum.Enum):
    """Why a sender gave a frame up."""

    DEADLINE = "deadline passed"
    OVERTAKEN = "newer frames filled the window"
    OUTDATED = "the link was away, and newer frames are there"
    RECEIVER = "the receiver wants no more of it"
    STOPPED = "the sender was stopped"


@dataclass(frozen=True, slots=True)
class FrameDelivered:
    """Sender: every layer of a frame was acknowledged."""

    frame: FrameId


@dataclass(frozen=True, slots=True)
class FrameSent:
    """Sender, one-way: a frame and its repeats were handed to the link; nobody will confirm it."""

    frame: FrameId


@dataclass(frozen=True, slots=True)
class FrameDropped:
    """Sender: a frame was given up.

    Attributes:
        frame: Which one.
        reason: Why.
        delivered: Layers that the receiver confirmed in full; one-way, those that went out.
        unsent: Layers of which at least one chunk never went out.
    """

    frame: FrameId
    reason: DropReason
    delivered: frozenset[LayerKind]
    unsent: frozenset[LayerKind]


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """Sender: an acknowledgement came.

    Attributes:
        received: Bytes of this epoch that the receiver has got so far, modulo 2**32.
        queue_depth: Frames that wait for its decoder.
        round_trip: The smoothed round trip in seconds; None before the first measurement.
    """

    received: int
    queue_depth: int
    round_trip: float | None


@dataclass(frozen=True, slots=True)
class HelloAcknowledged:
    """Sender: the receiver knows who we are and holds the same models."""


@dataclass(frozen=True, slots=True)
class RefreshRequested:
    """Sender: the receiver needs a picture that stands alone.

    Attributes:
        newest: Capture tick, modulo 2**16, of the newest frame that it knows.
    """

    newest: int


@dataclass(frozen=True, slots=True)
class PeerHello:
    """Receiver: the sender introduced itself, and its models are ours.

    Attributes:
        epoch: The sender's run.
        started: Unix time of the epoch's start.
        stream: The stream's name; None after a short HELLO.
    """

    epoch: int
    started: float
    stream: str | None


@dataclass(frozen=True, slots=True)
class FrameStarted:
    """Receiver: the first datagram of a frame came.

    Attributes:
        frame: Which one.
        captured_at: Capture time in seconds since the epoch's start, in steps of 1/8 s.
        captured_unix: The same as Unix time; None before HELLO.
        layers: The layers that the frame has.
    """

    frame: FrameId
    captured_at: float
    captured_unix: float | None
    layers: frozenset[LayerKind]


@dataclass(frozen=True, slots=True)
class LayerReceived:
    """Receiver: a layer is whole.

    Attributes:
        frame: The frame that it belongs to.
        captured_at: Capture time in seconds since the epoch's start, in steps of 1/8 s.
        captured_unix: The same as Unix time; None before HELLO.
        layer: Which one.
        data: Its bytes as the sender submitted them.
        wire_bytes: Bytes of the datagrams that brought it, framing and repeats included; of a
            datagram with two layers, the larger share of the framing counts for the first.
    """

    frame: FrameId
    captured_at: float
    captured_unix: float | None
    layer: LayerKind
    data: bytes
    wire_bytes: int


@dataclass(frozen=True, slots=True)
class FrameComplete:
    """Receiver: all layers of a frame have come; it will not get better."""

    frame: FrameId


@dataclass(frozen=True, slots=True)
class FrameExpired:
    """Receiver: a frame will get no more layers.

    Attributes:
        frame: Which one.
        received: Layers that came whole.
        missing: Layers that did not.
    """

    frame: FrameId
    received: frozenset[LayerKind]
    missing: frozenset[LayerKind]


@dataclass(frozen=True, slots=True)
class Stale:
    """Receiver: nothing has come for a while; what is shown is old.

    Attributes:
        since: When the last datagram came, on the caller's clock.
    """

    since: float


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """Receiver: the sender has finished.

    Attributes:
        epoch: The sender's run.
    """

    epoch: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Either end: a sender and a receiver cannot work together.

    A receiver takes nothing more of this run. A sender goes on: another receiver may understand it.

    Attributes:
        reason: What does not agree.
        detail: What was found and what was expected.
    """

    reason: Reason
    detail: str

    def error(self) -> RemoteError:
        """The error to raise where a refusal ends the run."""
        if self.reason is Reason.PACKS:
            return PackMismatchError(self.detail)
        return ProtocolError(self.detail)


Event = (
    FrameComplete
    | FrameDelivered
    | FrameDropped
    | FrameExpired
    | FrameSent
    | FrameStarted
    | HelloAcknowledged
    | LayerReceived
    | PeerHello
    | ReceiverReport
    | RefreshRequested
    | Refused
    | Stale
    | StreamEnded
)
"""Everything that `receive` and `tick` return."""
