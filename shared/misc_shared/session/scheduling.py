"""Which chunk goes next. protocol.md, Priorities."""

from collections.abc import Iterator

from misc_shared.session.options import SenderLimits
from misc_shared.session.outgoing import FrameInFlight, OutgoingPiece
from misc_shared.session.states import Piece
from misc_shared.wire import MAX_PAIR, LayerKind

__all__ = ["FrameQueue", "partner_of"]


class FrameQueue:
    """The frames of a sender that wait or are in flight: few, bounded in number and bytes.

    Args:
        limits: The bounds; the oldest frames make room for a new one.
    """

    def __init__(self, limits: SenderLimits) -> None:
        self._limits = limits
        self._frames: dict[int, FrameInFlight] = {}
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[FrameInFlight]:
        """The frames, newest first."""
        return reversed(list(self._frames.values()))

    def find(self, frame_id: int) -> FrameInFlight | None:
        """The frame with this 16-bit id."""
        return self._frames.get(frame_id)

    def add(self, frame: FrameInFlight) -> list[FrameInFlight]:
        """Take in a frame, newer than all others.

        Returns:
            The frames that had to make room.
        """
        pushed_out = []
        while self._frames and self._has_no_room_for(frame):
            pushed_out.append(self.remove(next(iter(self._frames.values()))))
        self._frames[frame.id.on_wire] = frame
        self.nbytes += frame.nbytes
        return pushed_out

    def remove(self, frame: FrameInFlight) -> FrameInFlight:
        """Forget a frame."""
        del self._frames[frame.id.on_wire]
        self.nbytes -= frame.nbytes
        return frame

    def most_urgent(self) -> tuple[FrameInFlight, OutgoingPiece] | None:
        """The chunk to send next: the newest frame's BASE, older BASEs, then the rest likewise."""
        best: tuple[FrameInFlight, OutgoingPiece] | None = None
        for frame in self:
            piece = frame.first_queued()
            if piece is None:
                continue
            if piece.layer is LayerKind.BASE:
                return frame, piece
            best = best or (frame, piece)
        return best

    def _has_no_room_for(self, frame: FrameInFlight) -> bool:
        too_many = len(self._frames) >= self._limits.frames
        too_large = self.nbytes + frame.nbytes > self._limits.total_bytes
        return too_many or too_large or frame.id.on_wire in self._frames


def partner_of(piece: OutgoingPiece, frame: FrameInFlight, *, room: int) -> OutgoingPiece | None:
    """A second small layer that can share the datagram of `piece`. protocol.md, Pairs.

    Never for BASE: what makes the first picture waits for nothing.
    """
    if piece.layer is LayerKind.BASE or not piece.whole:
        return None
    rest = min(room, MAX_PAIR) - 1 - len(piece.payload)
    for other in frame.pieces:
        fits = other.whole and other.layer > piece.layer and len(other.payload) <= rest
        if fits and other.state is Piece.QUEUED:
            return other
    return None
