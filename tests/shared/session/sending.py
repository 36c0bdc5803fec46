"""What the tests of the sender share: what it says, in short, and answers to it."""

from misc_shared.session import (
    SenderSession,
)
from misc_shared.wire import (
    KINDS,
    Ack,
    Data,
    FrameReport,
    Message,
    Pair,
    parse,
    write,
)

EPOCH = 0x1234


def drain(sender: SenderSession, now: float) -> list[Message]:
    """Everything that the sender wants to send now."""
    return [parse(datagram) for datagram in iter(lambda: sender.next_datagram(now), None)]


def names(messages: list[Message]) -> list[str]:
    """What the messages are, in short."""
    return [
        message.layer.name
        if isinstance(message, Data)
        else "+".join(layer.name for layer, _ in message.parts)
        if isinstance(message, Pair)
        else type(message).__name__
        for message in messages
    ]


def ack(
    *reports: FrameReport,
    status: int = 1,
    received: int = 0,
    delay: int = 0,
    receiver: int = 1,
) -> bytes:
    """An acknowledgement of these frames."""
    return write(Ack(KINDS[Ack], EPOCH, receiver, status, received, delay, reports))
