"""What came of each frame, read off the events of an exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from misc_lab.links import Fate, Passage, SimulatedLink
from misc_lab.simulation.exchange import TimedEvent
from misc_shared.session import FrameDelivered, FrameDropped, FrameId, FrameSent, LayerReceived
from misc_shared.wire import LayerKind

__all__ = ["Arrival", "FrameTimeline", "LinkUse", "frame_timelines", "link_use"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A layer that came whole.

    Attributes:
        at: Virtual seconds.
        event: What the receiver's session said.
        bytes_until: All bytes handed to the link from the frame's submission up to and including
            the datagram that completed the layer.
    """

    at: float
    event: LayerReceived
    bytes_until: int


@dataclass(frozen=True, slots=True)
class FrameTimeline:
    """One frame's way.

    Attributes:
        arrivals: Layers in the order in which they came.
        outcome: "delivered", "sent" on a link that confirms nothing, or why it was given up.
    """

    arrivals: Mapping[LayerKind, Arrival]
    outcome: str


@dataclass(frozen=True, slots=True)
class LinkUse:
    """One direction of the link over the whole run.

    Attributes:
        datagrams: Handed to it.
        bytes: Theirs.
        lost: Datagrams lost on air.
        dropped: Datagrams for which the queue had no room.
        busy_seconds: Time with something on air or waiting.
    """

    datagrams: int
    bytes: int
    lost: int
    dropped: int
    busy_seconds: float


def frame_timelines(
    ids: Mapping[FrameId, float],
    *,
    sent: Sequence[TimedEvent],
    received: Sequence[TimedEvent],
    log: Sequence[Passage],
) -> list[FrameTimeline]:
    """Sort what happened by frame.

    Args:
        ids: Frame -> second at which it was submitted, in order.
        sent: What the sender's session said.
        received: What the receiver's session said.
        log: The up-link's passages.
    """
    arrivals: dict[FrameId, dict[LayerKind, Arrival]] = {frame: {} for frame in ids}
    for timed in received:
        event = timed.event
        if isinstance(event, LayerReceived) and event.frame in arrivals:
            until = _bytes_until(log, submitted=ids[event.frame], arrived=timed.at)
            arrival = Arrival(timed.at, event, until)
            arrivals[event.frame].setdefault(event.layer, arrival)
    outcomes = _outcomes(sent)
    return [FrameTimeline(arrivals[frame], outcomes.get(frame, "under way")) for frame in ids]


def link_use(link: SimulatedLink) -> LinkUse:
    """Add up a link's log."""
    return LinkUse(
        datagrams=len(link.log),
        bytes=sum(passage.size for passage in link.log),
        lost=sum(passage.fate is Fate.LOST for passage in link.log),
        dropped=sum(passage.fate is Fate.QUEUE_FULL for passage in link.log),
        busy_seconds=_busy_seconds(link.log),
    )


def _bytes_until(log: Sequence[Passage], *, submitted: float, arrived: float) -> int:
    bringing = max(passage.number for passage in log if passage.arrived == arrived)
    return sum(
        passage.size for passage in log if passage.number <= bringing and passage.sent >= submitted
    )


def _outcomes(sent: Sequence[TimedEvent]) -> dict[FrameId, str]:
    outcomes: dict[FrameId, str] = {}
    for timed in sent:
        match timed.event:
            case FrameDelivered(frame):
                outcomes[frame] = "delivered"
            case FrameSent(frame):
                outcomes[frame] = "sent"
            case FrameDropped():
                outcomes[timed.event.frame] = f"given up: {timed.event.reason.value}"
    return outcomes


def _busy_seconds(log: Sequence[Passage]) -> float:
    """Length of the union of [handed over, last bit on its way]."""
    busy, end = 0.0, 0.0
    for passage in log:
        if passage.departed is not None:
            busy += max(0.0, passage.departed - max(passage.sent, end))
            end = max(end, passage.departed)
    return busy
