"""The in-process link, and the waits between attempts to reach a peer."""

import asyncio

import pytest

from misc_shared.errors import ConfigError, TransportError
from misc_shared.transports import memory_pair, open_sender
from misc_shared.transports.backoff import Backoff


async def test_both_directions_in_order() -> None:
    """Each end gets what the other sent."""
    sender, receiver = memory_pair()
    for datagram in (b"one", b"two"):
        await sender.send(datagram)
    await receiver.send(b"back")
    assert [await receiver.receive(), await receiver.receive()] == [b"one", b"two"]
    assert await sender.receive() == b"back"


async def test_a_full_link_holds_the_sender_back() -> None:
    """At most 64 datagrams wait; taking one lets the next in."""
    sender, receiver = memory_pair()
    for _ in range(64):
        await sender.send(b"x")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sender.ready(), 0.05)
    await receiver.receive()
    await asyncio.wait_for(sender.ready(), 1)


async def test_closing_ends_the_stream() -> None:
    """What was sent before the end still arrives, then None, again and again."""
    sender, receiver = memory_pair()
    await sender.send(b"last")
    await sender.close()
    assert [await receiver.receive() for _ in range(3)] == [b"last", None, None]
    with pytest.raises(TransportError, match="closed"):
        await sender.ready()


async def test_too_large_is_refused() -> None:
    """The MTU holds in memory as on a link."""
    sender, _ = memory_pair(mtu=100)
    with pytest.raises(TransportError, match="101 bytes does not fit"):
        await sender.send(bytes(101))


async def test_an_mtu_no_session_can_use_is_refused() -> None:
    """The sentence says the range."""
    with pytest.raises(ConfigError, match="MTU of 10 bytes is not within 33 to 65535"):
        await open_sender("file:never-written.misc", mtu=10)


def test_backoff_doubles_up_to_its_limit_with_jitter() -> None:
    """Waits grow, stay below the limit, differ between clients, and start over after an answer."""
    backoff = Backoff(first=1.0, largest=8.0, seed=1)
    waits = [backoff.next() for _ in range(6)]
    for wait, limit in zip(waits, [1, 2, 4, 8, 8, 8], strict=True):
        assert limit / 2 <= wait <= limit
    assert waits != [Backoff(first=1.0, largest=8.0, seed=2).next() for _ in range(6)]
    backoff.reset()
    assert backoff.next() <= 1.0
