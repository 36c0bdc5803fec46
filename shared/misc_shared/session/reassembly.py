"""Chunks become layers again, in bounded memory. protocol.md, Reassembly."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from misc_shared.errors import LimitError, ProtocolError
from misc_shared.session.options import ReceiverLimits
from misc_shared.session.parity import missing_chunk
from misc_shared.session.ticks import FrameId
from misc_shared.wire import NOT_WANTED, WHOLE, FrameReport, LayerKind

__all__ = ["IncomingFrame", "IncomingParity", "IncomingPiece", "Reassembler"]

_FORGOTTEN = 256
"""Frames of which is still known what came: a sender that repeats one wants to hear the truth."""


@dataclass(frozen=True, slots=True)
class IncomingPiece:
    """A chunk of a layer as it arrived.

    Attributes:
        layer: The layer that it belongs to.
        chunk: Its index there.
        last: Whether the layer ends with it.
        payload: Its bytes.
        wire_bytes: Bytes of the link that it took.
    """

    layer: LayerKind
    chunk: int
    last: bool
    payload: bytes
    wire_bytes: int


@dataclass(frozen=True, slots=True)
class IncomingParity:
    """A layer's parity as it arrived.

    Attributes:
        layer: The layer that it protects.
        nbytes: Bytes of that layer.
        payload: Its bytes.
        wire_bytes: Bytes of the link that it took.
    """

    layer: LayerKind
    nbytes: int
    payload: bytes
    wire_bytes: int

    @property
    def count(self) -> int:
        """Of the layer's chunks."""
        return -(-self.nbytes // len(self.payload))


@dataclass(slots=True)
class _Layer:
    """A layer that is not whole yet."""

    chunks: dict[int, bytes] = field(default_factory=dict)
    parity: IncomingParity | None = None
    count: int | None = None
    nbytes: int = 0
    wire_bytes: int = 0

    @property
    def bitmap(self) -> int:
        return sum(1 << chunk for chunk in self.chunks)

    def has(self, piece: IncomingPiece | IncomingParity) -> bool:
        """Whether it brings nothing new.

        Raises:
            ProtocolError: it contradicts what came before.
        """
        if isinstance(piece, IncomingParity):
            if self.count not in (None, piece.count):
                raise ProtocolError(
                    f"a parity of {piece.count} chunks of {piece.layer.name} contradicts another "
                    f"datagram: expected {self.count}"
                )
            missing_chunk(self.chunks, piece.payload, nbytes=piece.nbytes)
            return self.parity is not None
        self._check(piece)
        if self.parity is not None:
            chunks = self.chunks | {piece.chunk: piece.payload}
            missing_chunk(chunks, self.parity.payload, nbytes=self.parity.nbytes)
        return piece.chunk in self.chunks

    def _check(self, piece: IncomingPiece) -> None:
        beyond_end = self.count is not None and piece.chunk >= self.count
        other_end = piece.last and self.count not in (None, piece.chunk + 1)
        before_known = piece.last and any(chunk > piece.chunk for chunk in self.chunks)
        lost_end = self.count == piece.chunk + 1 and not piece.last
        if beyond_end or other_end or before_known or lost_end:
            raise ProtocolError(
                f"chunk {piece.chunk} of {piece.layer.name} contradicts another one: expected "
                f"{'an unknown number of' if self.count is None else self.count} chunks"
            )

    def add(self, piece: IncomingPiece | IncomingParity) -> None:
        """Keep what is new, and what follows from it."""
        self.nbytes += len(piece.payload)
        self.wire_bytes += piece.wire_bytes
        if isinstance(piece, IncomingParity):
            self.parity = piece
            self.count = piece.count
        else:
            self.chunks[piece.chunk] = piece.payload
            self.count = piece.chunk + 1 if piece.last else self.count
        if self.parity is not None:
            found = missing_chunk(self.chunks, self.parity.payload, nbytes=self.parity.nbytes)
            self.chunks.update([found] if found is not None else [])

    def join(self) -> bytes | None:
        """All bytes, once they are there."""
        if len(self.chunks) != self.count:
            return None
        return b"".join(self.chunks[index] for index in range(self.count))


@dataclass(slots=True, eq=False)
class IncomingFrame:
    """What has come of one frame.

    Attributes:
        id: Its name.
        layers: The layers that it has.
        news_at: When a datagram last brought something new of it.
        received: The layers that are whole.
        closed: The layers of which no more is wanted: whole ones and those above the limit.
    """

    id: FrameId
    layers: frozenset[LayerKind]
    news_at: float
    received: set[LayerKind] = field(default_factory=set)
    closed: set[LayerKind] = field(default_factory=set)
    _open: dict[LayerKind, _Layer] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether no more is wanted of any layer."""
        return self.closed >= self.layers

    @property
    def complete(self) -> bool:
        """Whether all layers are whole."""
        return self.received >= self.layers

    @property
    def nbytes(self) -> int:
        """Payload bytes of the layers that are not whole."""
        return sum(layer.nbytes for layer in self._open.values())

    @property
    def report(self) -> FrameReport:
        """What an acknowledgement says of it."""
        numbers = {layer: assembly.bitmap for layer, assembly in self._open.items()}
        numbers.update(dict.fromkeys(self.closed, NOT_WANTED))
        numbers.update(dict.fromkeys(self.received, WHOLE))
        return FrameReport(self.id.on_wire, *(numbers.get(layer, 0) for layer in LayerKind))

    def has(self, piece: IncomingPiece | IncomingParity) -> bool:
        """Whether a chunk or a parity brings nothing new.

        Raises:
            ProtocolError: it contradicts what came before.
        """
        if piece.layer in self.closed:
            return True
        assembly = self._open.get(piece.layer)
        return assembly is not None and assembly.has(piece)

    def add(self, piece: IncomingPiece | IncomingParity, *, limit: int) -> tuple[bytes, int] | None:
        """Keep a new chunk or parity.

        Returns:
            The layer's bytes and what they took on the link, if it is whole now.

        Raises:
            LimitError: the layer grows above `limit` bytes; it is given up.
        """
        assembly = self._open.setdefault(piece.layer, _Layer())
        if assembly.nbytes + len(piece.payload) > limit:
            self._close(piece.layer)
            raise LimitError(
                f"layer {piece.layer.name} of frame {self.id} is larger than {limit} bytes"
            )
        assembly.add(piece)
        data = assembly.join()
        if data is None:
            return None
        self.received.add(piece.layer)
        self._close(piece.layer)
        return data, assembly.wire_bytes

    def close(self) -> None:
        """Want no more of it, and free what is not whole."""
        for layer in self.layers:
            self._close(layer)

    def _close(self, layer: LayerKind) -> None:
        self.closed.add(layer)
        self._open.pop(layer, None)


class Reassembler:
    """The frames of one epoch that are remembered: few, bounded in number and bytes.

    Args:
        limits: The bounds; the oldest frames make room.
    """

    def __init__(self, limits: ReceiverLimits) -> None:
        self._limits = limits
        self._frames: dict[int, IncomingFrame] = {}
        self._forgotten: OrderedDict[int, frozenset[LayerKind]] = OrderedDict()
        self._floor = -1

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[IncomingFrame]:
        return iter(list(self._frames.values()))

    @property
    def nbytes(self) -> int:
        """Payload bytes of all layers that are not whole."""
        return sum(frame.nbytes for frame in self._frames.values())

    @property
    def newest(self) -> int:
        """The newest frame's tick; 0 before the first."""
        return max(self._frames, default=max(0, self._floor))

    def find(self, tick: int) -> IncomingFrame | None:
        """The frame of this tick, if it is remembered."""
        return self._frames.get(tick)

    def is_past(self, tick: int) -> bool:
        """Whether a frame is not remembered and too old to begin."""
        if tick in self._frames:
            return False
        full = len(self._frames) >= self._limits.frames
        return tick <= self._floor or (full and tick < min(self._frames))

    def open(
        self, frame_id: FrameId, layers: frozenset[LayerKind], now: float
    ) -> tuple[IncomingFrame, list[IncomingFrame]]:
        """Begin a frame.

        Returns:
            The frame, and those that were forgotten for it.
        """
        frame = IncomingFrame(id=frame_id, layers=layers, news_at=now)
        self._frames[frame_id.tick] = frame
        forgotten = []
        while len(self._frames) > self._limits.frames:
            forgotten.append(self._forget(min(self._frames)))
        return frame, forgotten

    def give_up_oldest(self) -> IncomingFrame | None:
        """Give up the oldest unfinished frame that holds bytes; None if there is none."""
        for tick in sorted(self._frames):
            frame = self._frames[tick]
            if not frame.settled and frame.nbytes:
                frame.close()
                return frame
        return None

    def make_room(self, nbytes: int, *, keep: IncomingFrame) -> list[IncomingFrame]:
        """Give up the oldest unfinished frames until `nbytes` more fit.

        Args:
            nbytes: Bytes to come, and those that other runs hold.
            keep: The frame that they are for.

        Returns:
            The frames that were given up; `keep` is never among them.

        Raises:
            LimitError: even then they do not fit.
        """
        closed: list[IncomingFrame] = []
        for tick in sorted(self._frames):
            if self.nbytes + nbytes <= self._limits.total_bytes:
                return closed
            frame = self._frames[tick]
            if frame is not keep and not frame.settled:
                frame.close()
                closed.append(frame)
        if self.nbytes + nbytes > self._limits.total_bytes:
            raise LimitError(
                f"frame {keep.id} needs more than {self._limits.total_bytes} bytes of memory"
            )
        return closed

    def report(self, ticks: Iterable[int]) -> list[FrameReport]:
        """What an acknowledgement says of these frames, remembered or not."""
        found = ((tick, self._frames.get(tick)) for tick in ticks)
        return [frame.report if frame else self._late_report(tick) for tick, frame in found]

    def _late_report(self, tick: int) -> FrameReport:
        had = self._forgotten.get(tick, frozenset())
        numbers = (WHOLE if layer in had else NOT_WANTED for layer in LayerKind)
        return FrameReport(tick & 0xFFFF, *numbers)

    def _forget(self, tick: int) -> IncomingFrame:
        self._floor = max(self._floor, tick)
        frame = self._frames.pop(tick)
        self._forgotten[tick] = frozenset(frame.received)
        while len(self._forgotten) > _FORGOTTEN:
            self._forgotten.popitem(last=False)
        return frame
