"""What the tests of the receiver share: datagrams of a sender, and what comes of them."""

from tests.shared.session.virtual_link import PACKS

from misc_shared.session import (
    Event,
    LayerReceived,
    ReceiverSession,
)
from misc_shared.session.profiles import profile_digest
from misc_shared.wire import (
    KINDS,
    Data,
    Hello,
    LayerKind,
    Message,
    PackId,
    ShortHello,
    data_kind,
    parse,
    write,
)

BASE, TEXT, DETAIL1, MAPS, DETAIL2 = LayerKind


def data(
    layer: LayerKind = BASE,
    payload: bytes = b"base",
    *,
    chunk: int = 0,
    last: bool = True,
    frame: int = 8,
    epoch: int = 7,
    layers: tuple[LayerKind, ...] = (BASE,),
) -> bytes:
    """A datagram with one chunk; by default a whole BASE, the only layer of its frame."""
    kind = data_kind(layer, {*layers, layer})
    return write(Data(kind, epoch, frame, chunk << 1 | last, payload))


def short_hello(
    packs: dict[str, bytes] = PACKS, *, epoch: int = 7, started: int = 1000, tick: int = 8
) -> bytes:
    """A sender's first HELLO."""
    profile = profile_digest(packs)
    return write(ShortHello(KINDS[ShortHello], 1, 1, epoch, started, tick, profile))


def full_hello(
    packs: dict[str, bytes] = PACKS,
    *,
    epoch: int = 7,
    started: int = 1000,
    layer_limit: int = 1000,
) -> bytes:
    """A sender's HELLO after it was asked."""
    ids = tuple(PackId(name, digest) for name, digest in packs.items())
    head = (KINDS[Hello], 1, 1, epoch, started, 8)
    return write(Hello(*head, "camera", ids, 31, 222, layer_limit))


def answers(receiver: ReceiverSession, now: float) -> list[Message]:
    """Everything that the receiver wants to say now."""
    return [parse(datagram) for datagram in iter(lambda: receiver.next_datagram(now), None)]


def layers_of(events: list[Event]) -> list[tuple[LayerKind, bytes]]:
    """The layers that came whole."""
    return [(event.layer, event.data) for event in events if isinstance(event, LayerReceived)]
