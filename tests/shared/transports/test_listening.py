"""Which URLs mean one stream, and which all that come."""

import asyncio

import pytest

from misc_shared.errors import ConfigError
from misc_shared.transports import memory_pair
from misc_shared.transports.listening import expects_many, open_listener
from misc_shared.transports.single import SingleListener


@pytest.mark.parametrize(
    ("url", "many"),
    [
        ("mqtt://broker/misc/+", True),
        ("mqtts://me:pass@broker:8884/a/b/+", True),
        ("mqtt://broker/+", True),
        ("mqtt://broker/misc/porch", False),
        ("mqtt://broker", False),
        ("file:photo.misc", False),
        ("file:folder/+", False),
    ],
)
def test_a_plus_in_the_streams_place_means_all(url: str, many: bool) -> None:  # noqa: FBT001
    """And nothing else does."""
    assert expects_many(url) is many


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mqtt://broker/+/porch", "has a wildcard"),
        ("mqtt://broker/a+/+", "has a wildcard"),
        ("mqtt:///+", "names no broker"),
    ],
)
def test_wildcards_elsewhere(url: str, complaint: str) -> None:
    """One sentence."""
    with pytest.raises(ConfigError, match=complaint):
        expects_many(url)


def test_all_streams_have_no_one_name() -> None:
    """--stream and the wildcard contradict each other."""
    with pytest.raises(ConfigError, match="all streams and --stream says 'porch'"):
        expects_many("mqtt://broker/misc/+", stream="porch")


async def test_no_streams_at_all_make_no_sense() -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match="0 streams at a time"):
        await open_listener("mqtt://localhost:1/misc/+", limit=0)


async def test_a_single_transport_is_given_once() -> None:
    """Then no more will come; nobody's transport is closed with the listener."""
    near, far = memory_pair()
    listener = SingleListener(far)
    taken = await listener.accept()
    assert taken is far
    assert await listener.accept() is None
    await listener.close()
    await near.send(b"x")
    assert await asyncio.wait_for(far.receive(), 5) == b"x"
