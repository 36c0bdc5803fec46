"""Layers of ours, and whole files of others, over one link by the same sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from misc_lab.links import Profile, open_link
from misc_lab.simulation.exchange import Exchange, TimedFrame
from misc_lab.simulation.sessions import open_sessions
from misc_lab.simulation.timeline import link_use
from misc_shared.session import LayerReceived
from misc_shared.wire import MAX_CHUNKS, PRIORITY, Data, LayerKind, Pair, parse, payload_room

__all__ = ["DEADLINE", "Carried", "carry", "layers_of_file", "parts_of_file"]

DEADLINE = 30 * 86_400.0
"""Seconds after which a picture is given up: late enough for every link."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of one picture's layers.

    Attributes:
        arrivals: Layer -> seconds after capture at which the receiver had all of it.
        datagrams: All that the receiver got, each with its second.
        bytes: Handed to the up-link: framing, greeting, repeats and farewell included.
        lost: Datagrams lost on air.
        repeats: Chunks sent again.
    """

    arrivals: Mapping[LayerKind, float]
    datagrams: Sequence[tuple[float, bytes]]
    bytes: int
    lost: int
    repeats: int


def carry(
    layers: Mapping[LayerKind, bytes],
    profile: Profile,
    *,
    packs: Mapping[str, bytes],
    seed: int,
    ready_at: float,
) -> Carried:
    """Send one picture over a link of its own; the same seed gives the same losses.

    Args:
        layers: What to send, BASE always among it.
        profile: The link.
        packs: Component name -> digest, for the greeting.
        seed: Of losses, jitter and the epoch.
        ready_at: Seconds after capture at which the layers are coded.
    """
    link = open_link(profile, seed=seed)
    sender, receiver = open_sessions(
        profile, packs=packs, one_way=link.down is None, seed=seed, deadline=DEADLINE
    )
    exchange = Exchange(sender=sender, receiver=receiver, link=link)
    exchange.run([TimedFrame(0.0, ready_at, layers, DEADLINE)], until=DEADLINE)
    arrivals: dict[LayerKind, float] = {}
    for timed in exchange.received_events:
        if isinstance(timed.event, LayerReceived):
            arrivals.setdefault(timed.event.layer, timed.at)
    use = link_use(link.up)
    return Carried(arrivals, exchange.arrived, use.bytes, use.lost, sender.counters.repeats)


def layers_of_file(data: bytes, *, mtu: int) -> dict[LayerKind, bytes] | None:
    """Cut a file into layers that go out in its own order.

    The first datagram is the BASE layer, as one-way links repeat that and nothing else; a layer
    holds 64 datagrams at most, so that a large file takes several.

    Returns:
        None for a file of more datagrams than all layers hold.
    """
    room = payload_room(mtu)
    cuts = [room + index * MAX_CHUNKS * room for index in range(len(PRIORITY))]
    if len(data) > cuts[-1]:
        return None
    parts = [data[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    return {layer: part for layer, part in zip(PRIORITY, parts, strict=True) if part}


def parts_of_file(carried: Carried, layers: Mapping[LayerKind, bytes]) -> list[tuple[float, int]]:
    """How much of a file was there when, counted from its start without a gap.

    Args:
        carried: What became of its layers.
        layers: As `layers_of_file` gave them.

    Returns:
        Seconds after capture and bytes, both growing.
    """
    starts = _starts(layers)
    spans = [
        (at, starts[layer] + start, starts[layer] + start + size)
        for at, datagram in carried.datagrams
        for layer, start, size in _pieces(datagram, layers)
    ]
    # A layer may be whole before all of its chunks came: by its parity.
    spans += [
        (at, starts[layer], starts[layer] + len(layers[layer]))
        for layer, at in carried.arrivals.items()
    ]
    there: dict[int, int] = {}
    parts: list[tuple[float, int]] = []
    whole = 0
    for at, start, end in sorted(spans):
        there[start] = max(end, there.get(start, 0))
        before = whole
        while whole in there:
            whole = there[whole]
        if whole > before:
            parts.append((at, whole))
    return parts


def _starts(layers: Mapping[LayerKind, bytes]) -> dict[LayerKind, int]:
    """Where in the file each layer begins."""
    starts, position = {}, 0
    for layer in PRIORITY:
        starts[layer] = position
        position += len(layers.get(layer, b""))
    return starts


def _pieces(datagram: bytes, layers: Mapping[LayerKind, bytes]) -> list[tuple[LayerKind, int, int]]:
    """Layer, first byte and number of bytes of what a datagram carries; empty if of no layer."""
    match parse(datagram):
        case Data() as data:
            size = len(data.payload)
            # All chunks are equal but the last, which may be shorter.
            start = len(layers[data.layer]) - size if data.last else data.chunk * size
            return [(data.layer, start, size)]
        case Pair() as pair:
            return [(layer, 0, len(payload)) for layer, payload in pair.parts]
        case _:
            return []
