"""A frame on its way out: cut into pieces that fit the link. protocol.md, Chunks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from misc_shared.errors import ConfigError, ProtocolError
from misc_shared.session.delivery import Departure
from misc_shared.session.parity import parity_of, protected_room
from misc_shared.session.states import PIECE, Piece, PieceTrigger, advance
from misc_shared.session.ticks import FrameId
from misc_shared.wire import (
    MAX_CHUNKS,
    NOT_WANTED,
    PRIORITY,
    WHOLE,
    Data,
    Family,
    FrameReport,
    LayerKind,
    Pair,
    Parity,
    data_kind,
    write,
)

__all__ = ["FrameInFlight", "OutgoingFrame", "OutgoingPiece", "split_frame", "write_pieces"]


@dataclass(frozen=True, slots=True)
class OutgoingFrame:
    """One captured picture, encoded.

    Attributes:
        captured_at: When it was captured, in seconds on the session's clock.
        layers: Its layers; BASE has to be there, empty ones are not sent.
        deadline: When it is worth nothing any more, on the same clock.
    """

    captured_at: float
    layers: Mapping[LayerKind, bytes]
    deadline: float


_PROTECTED = LayerKind.DETAIL1
"""The layer that gets a parity: the first picture goes twice, what follows is refinement."""


@dataclass(slots=True, eq=False)
class OutgoingPiece:
    """A chunk of a layer or the parity of its chunks, and what became of it.

    Attributes:
        layer: The layer that it belongs to.
        chunk: Its index there; a parity's is one that no ACK can name.
        last: Whether the layer ends with it.
        payload: Its bytes.
        protects: Bytes of the layer if it is a parity, otherwise 0.
        state: Where it is.
        departures: What was known each time, the first one first.
    """

    layer: LayerKind
    chunk: int
    last: bool
    payload: bytes
    protects: int = 0
    state: Piece = Piece.QUEUED
    departures: list[Departure] = field(default_factory=list)

    @property
    def sends(self) -> int:
        """How often it went out."""
        return len(self.departures)

    @property
    def departure(self) -> Departure | None:
        """What was known when it last went out; None before the first time."""
        return self.departures[-1] if self.departures else None

    @property
    def sent_at(self) -> float:
        """When it last went out; minus infinity before the first time."""
        return float("-inf") if self.departure is None else self.departure.at

    @property
    def order(self) -> int:
        """Its number among all datagrams sent, the last time; -1 before the first."""
        return -1 if self.departure is None else self.departure.number

    @property
    def whole(self) -> bool:
        """Whether it is all of its layer."""
        return self.chunk == 0 and self.last

    def on(self, trigger: PieceTrigger) -> None:
        """Change state."""
        self.state = advance(PIECE, self.state, trigger)

    def lose(self) -> None:
        """Take it for lost: a chunk goes again, a parity does not."""
        self.on(PieceTrigger.SETTLE if self.protects else PieceTrigger.LOSE)

    def reopen(self) -> None:
        """It was confirmed, but not by the receiver that answers now."""
        self.on(PieceTrigger.REOPEN)
        if self.sends == 0:
            self.on(PieceTrigger.LOSE)

    def send(self, departure: Departure) -> None:
        """Note that it was handed to the link."""
        self.on(PieceTrigger.SEND)
        self.departures.append(departure)


@dataclass(slots=True, eq=False)
class FrameInFlight:
    """A frame that waits or is not confirmed yet.

    Attributes:
        id: Its name.
        deadline: When to give it up.
        layers: The layers that it has.
        pieces: Its chunks, and parities, in the order of priority.
        receiver: Whose answers the states of the chunks rest on, as in `Ack`; None before any.
        given_up: Layers that this receiver has not got and does not want.
    """

    id: FrameId
    deadline: float
    layers: frozenset[LayerKind]
    pieces: tuple[OutgoingPiece, ...]
    receiver: int | None = None
    given_up: set[LayerKind] = field(default_factory=set)

    @property
    def nbytes(self) -> int:
        """Payload bytes."""
        return sum(len(piece.payload) for piece in self.pieces)

    @property
    def settled(self) -> bool:
        """Whether nothing of it is to be sent or waited for."""
        return all(piece.state is Piece.DONE for piece in self.pieces)

    @property
    def unsent(self) -> frozenset[LayerKind]:
        """Layers of which a chunk never went out."""
        return frozenset(piece.layer for piece in self._chunks if piece.sends == 0)

    @property
    def delivered(self) -> frozenset[LayerKind]:
        """Layers that the receiver has; one-way, those that went out."""
        open_layers = {piece.layer for piece in self._chunks if piece.state is not Piece.DONE}
        return self.layers - open_layers - self.unsent - self.given_up

    @property
    def _chunks(self) -> list[OutgoingPiece]:
        return [piece for piece in self.pieces if not piece.protects]

    def first_queued(self) -> OutgoingPiece | None:
        """The most urgent chunk that waits for the link."""
        return next((piece for piece in self.pieces if piece.state is Piece.QUEUED), None)

    def waits_for_parity(self, piece: OutgoingPiece) -> bool:
        """Whether a parity that may yet arrive makes the repeat of a chunk needless."""
        layer = [other for other in self.pieces if other.layer is piece.layer]
        coming = any(other.protects and other.state is not Piece.DONE for other in layer)
        open_chunks = sum(not other.protects and other.state is not Piece.DONE for other in layer)
        return coming and open_chunks == 1 and not piece.protects

    def release_at(self, gap: float) -> float | None:
        """When a parity that is held back should go: `gap` seconds after all that it protects.

        None if there is none, or something of it never went.
        """
        held = next((piece for piece in self.pieces if piece.state is Piece.HELD), None)
        if held is None or held.layer in self.unsent:
            return None
        return gap + max(piece.sent_at for piece in self._chunks if piece.layer is held.layer)

    def release(self) -> None:
        """Let go what was held back."""
        for piece in self.pieces:
            if piece.state is Piece.HELD:
                piece.on(PieceTrigger.RELEASE)

    def confirmed_by(self, report: FrameReport) -> list[OutgoingPiece]:
        """The chunks that a report says arrived or are not wanted; changes nothing.

        Raises:
            ProtocolError: it names a chunk that was never sent.
        """
        numbers = report.by_layer
        confirmed = [piece for piece in self.pieces if _has(numbers[piece.layer], piece.chunk)]
        never_sent = any(
            piece.sends == 0 and numbers[piece.layer] != NOT_WANTED and not piece.protects
            for piece in confirmed
        )
        named = sum(number.bit_count() for number in numbers.values() if number >= 0)
        found = sum(1 for piece in confirmed if numbers[piece.layer] >= 0)
        if never_sent or named != found:
            raise ProtocolError(
                f"an ACK confirms {named} chunks of frame {self.id}: expected only chunks "
                "that were sent"
            )
        return confirmed

    def answered_by(
        self, receiver: int, report: FrameReport, confirmed: Collection[OutgoingPiece]
    ) -> None:
        """Note whose report this is; what only another receiver confirmed is open again.

        A frame is delivered when one receiver has all of it. The time-out of each chunk decides
        whether it is repeated: the other one may have it all and only say so later.
        """
        if self.receiver not in (None, receiver):
            self.given_up.clear()
            for piece in self._chunks:
                if piece.state is Piece.DONE and piece not in confirmed:
                    piece.reopen()
        self.receiver = receiver
        for layer, number in report.by_layer.items():
            if number == NOT_WANTED and layer in self.layers:
                self.given_up.add(layer)
            elif number == WHOLE:
                self.given_up.discard(layer)


def write_pieces(
    frame: FrameInFlight, piece: OutgoingPiece, partner: OutgoingPiece | None = None
) -> bytes:
    """The datagram that carries a chunk or a parity, or with a partner two whole layers."""
    if partner is not None:
        pair = Pair.of(
            (piece.layer, piece.payload),
            (partner.layer, partner.payload),
            layers=frame.layers,
            epoch=frame.id.epoch,
            frame=frame.id.on_wire,
        )
        return write(pair)
    if piece.protects:
        parity = Parity(
            kind=data_kind(Family.PARITY, frame.layers),
            epoch=frame.id.epoch,
            frame=frame.id.on_wire,
            contents=piece.protects << 3 | piece.layer,
            payload=piece.payload,
        )
        return write(parity)
    data = Data(
        kind=data_kind(piece.layer, frame.layers),
        epoch=frame.id.epoch,
        frame=frame.id.on_wire,
        place=piece.chunk << 1 | piece.last,
        payload=piece.payload,
    )
    return write(data)


def _has(number: int, chunk: int) -> bool:
    return number < 0 or bool(number >> chunk & 1)


def split_frame(
    frame: OutgoingFrame, *, room: int, layer_limit: int, parity: bool = False
) -> tuple[OutgoingPiece, ...]:
    """Cut every layer into pieces of at most `room` bytes, in the order of priority.

    Args:
        frame: What to cut.
        room: Bytes that a chunk may have.
        layer_limit: Bytes that a layer may have.
        parity: Add one for the second layer, if it has several chunks; it is sent before DETAIL2.

    Raises:
        ConfigError: BASE is missing or empty, or a layer has more than `layer_limit` bytes.
    """
    if not frame.layers.get(LayerKind.BASE):
        raise ConfigError("a frame has no BASE layer: nothing else can be shown without it")
    pieces: list[OutgoingPiece] = []
    held: list[OutgoingPiece] = []
    for layer in PRIORITY:
        data = frame.layers.get(layer, b"")
        smaller = protected_room(len(data), room) if parity and layer is _PROTECTED else None
        if layer is LayerKind.DETAIL2:
            pieces += held
        chunks = _split_layer(layer, data, room=smaller or room, limit=layer_limit)
        pieces += chunks
        if smaller is not None:
            held = [_parity_piece(layer, chunks, room=smaller)]
    return tuple(pieces)


def _split_layer(layer: LayerKind, data: bytes, *, room: int, limit: int) -> list[OutgoingPiece]:
    if len(data) > limit:
        raise ConfigError(
            f"layer {layer.name} has {len(data)} bytes and this session carries at most "
            f"{limit} of one layer: encode with fewer bytes"
        )
    count = -(-len(data) // room)
    return [
        OutgoingPiece(
            layer=layer,
            chunk=index,
            last=index == count - 1,
            payload=data[index * room : (index + 1) * room],
        )
        for index in range(count)
    ]


def _parity_piece(layer: LayerKind, chunks: list[OutgoingPiece], *, room: int) -> OutgoingPiece:
    payloads = [piece.payload for piece in chunks]
    return OutgoingPiece(
        layer=layer,
        chunk=MAX_CHUNKS,
        last=False,
        payload=parity_of(payloads, room=room),
        protects=sum(map(len, payloads)),
        state=Piece.HELD,
    )
