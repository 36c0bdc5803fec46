"""The session: what is sent next, repeated, acknowledged and given up, without any I/O.

Bytes and the time go in, events and datagrams come out. protocol.md describes both ends.
"""

from misc_shared.session.events import (
    DropReason,
    Event,
    FrameComplete,
    FrameDelivered,
    FrameDropped,
    FrameExpired,
    FrameSent,
    FrameStarted,
    HelloAcknowledged,
    LayerReceived,
    PeerHello,
    ReceiverReport,
    RefreshRequested,
    Refused,
    Stale,
    StreamEnded,
)
from misc_shared.session.link_state import LinkState
from misc_shared.session.options import (
    HelloConfig,
    ReceiverLimits,
    ReceiverTiming,
    SenderLimits,
    SenderTiming,
)
from misc_shared.session.outgoing import OutgoingFrame
from misc_shared.session.receiver import ReceiverCounters, ReceiverSession
from misc_shared.session.sender import SenderCounters, SenderSession
from misc_shared.session.ticks import TICKS_PER_SECOND, FrameId

__all__ = [
    "TICKS_PER_SECOND",
    "DropReason",
    "Event",
    "FrameComplete",
    "FrameDelivered",
    "FrameDropped",
    "FrameExpired",
    "FrameId",
    "FrameSent",
    "FrameStarted",
    "HelloAcknowledged",
    "HelloConfig",
    "LayerReceived",
    "LinkState",
    "OutgoingFrame",
    "PeerHello",
    "ReceiverCounters",
    "ReceiverLimits",
    "ReceiverReport",
    "ReceiverSession",
    "ReceiverTiming",
    "RefreshRequested",
    "Refused",
    "SenderCounters",
    "SenderLimits",
    "SenderSession",
    "SenderTiming",
    "Stale",
    "StreamEnded",
]
