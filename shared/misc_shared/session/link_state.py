"""What a sender knows of its link, and how much may be under way on it. protocol.md, Rate."""

from collections.abc import Iterable
from dataclasses import dataclass

from misc_shared.session.delivery import DeliveryRate
from misc_shared.session.outgoing import FrameInFlight
from misc_shared.session.round_trip import ACK_ALLOWANCE
from misc_shared.session.states import Piece

__all__ = ["LinkState", "Window"]

_FIRST_DATAGRAMS = 10
_LEAST_DATAGRAMS = 2
_GAIN = 2.0
"""BBR's: one share on its way there and one whose answers are on their way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """A sender's knowledge of its link at one moment.

    Attributes:
        rate: Bits a second of datagrams that arrive; None before the link was at its limit.
        limited_at: When the link was last at its limit, on the session's clock; None for never.
        loss: Share of bytes that get lost, in [0, 1].
        round_trip: Smoothed, in seconds; None before it was measured.
        answered_at: When the receiver was last heard; None for never.
        waiting: Payload bytes that wait for the link.
        unconfirmed: Payload bytes that were sent and not confirmed.
        queued: Bytes that wait in the link's own queue, as far as answers tell.
        queued_until: When they should be answered; after that they are lost, or the answer is.
    """

    rate: float | None
    limited_at: float | None
    loss: float
    round_trip: float | None
    answered_at: float | None
    waiting: int
    unconfirmed: int
    queued: int = 0
    queued_until: float = float("-inf")


class Window:
    """Bounds what is under way, so that no queue grows where nobody sees it: in a broker, a modem.

    Args:
        mtu: Bytes of the largest datagram.
        delivery: Knows the rate and the round trip.
    """

    def __init__(self, *, mtu: int, delivery: DeliveryRate) -> None:
        self._mtu = mtu
        self._delivery = delivery

    @property
    def open(self) -> bool:
        """Whether more may be sent than is under way."""
        return self._delivery.under_way < self._size()

    def _size(self) -> float:
        rate, round_trip = self._delivery.rate, self._delivery.shortest_round_trip
        if rate is None or round_trip is None:
            return _FIRST_DATAGRAMS * self._mtu
        on_its_way = rate / 8 * (round_trip + ACK_ALLOWANCE)
        return max(_LEAST_DATAGRAMS * self._mtu, _GAIN * on_its_way)


def bytes_in(frames: Iterable[FrameInFlight], state: Piece) -> int:
    """Payload bytes of the chunks in a state."""
    return sum(
        len(piece.payload) for frame in frames for piece in frame.pieces if piece.state is state
    )
