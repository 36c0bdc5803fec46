"""What a picture may cost, and what it does cost."""

import math

import pytest

from misc_sender.budget import Budget, frame_bytes, introduction_bytes
from misc_shared.errors import ConfigError
from misc_shared.session import HelloConfig, OutgoingFrame, SenderSession, SenderTiming
from misc_shared.wire import LayerKind

LAYERS = {
    LayerKind.BASE: bytes(90),
    LayerKind.TEXT: bytes(20),
    LayerKind.DETAIL1: bytes(300),
    LayerKind.MAPS: bytes(15),
    LayerKind.DETAIL2: bytes(2000),
}
HELLO = HelloConfig(stream="porch", packs={"codec": bytes(8)}, started=1.8e9, first=True)


@pytest.mark.parametrize("mtu", [64, 222, 1100])
@pytest.mark.parametrize("epoch", [0, 7, 300, 65_535])
def test_a_recording_of_one_frame_is_no_larger_than_foretold(mtu: int, epoch: int) -> None:
    """Greeting, frame and farewell together, byte for byte as a session sends them."""
    session = SenderSession(
        epoch=epoch,
        mtu=mtu,
        hello=HELLO,
        now=100.0,
        one_way=True,
        timing=SenderTiming(base_repeats=0),
    )
    session.submit(OutgoingFrame(100.5, LAYERS, math.inf), 101.0)
    session.close()
    sizes = []
    while (datagram := session.next_datagram(101.0)) is not None:
        sizes.append(len(datagram))
    foretold = frame_bytes(LAYERS, mtu=mtu) + introduction_bytes(HELLO, mtu=mtu)
    assert foretold - 4 * len(sizes) <= sum(sizes) <= foretold


def test_framing_is_counted() -> None:
    """Two layers in one datagram cost one header."""
    base = {LayerKind.BASE: bytes(50)}
    alone = frame_bytes(base, mtu=1100)
    assert 50 < alone <= 62
    both = frame_bytes(base | {LayerKind.TEXT: bytes(9), LayerKind.MAPS: bytes(9)}, mtu=1100)
    assert both - alone <= 18 + 13


def test_where_the_bytes_of_a_picture_come_from() -> None:
    """--bytes first, then --quality, then the link's rate, then 0.024 bits per pixel."""
    size = {"width": 768, "height": 512}
    assert Budget(max_bytes=500, quality=3, kbps=9, fps=1).for_picture(**size) == 500
    assert Budget(quality=3, kbps=9, fps=1).for_picture(**size) is None
    assert Budget(kbps=9, fps=0.5).for_picture(**size) == 2250
    assert Budget(kbps=9).for_picture(**size) == 1180
    assert Budget().for_picture(**size) == 1180


@pytest.mark.parametrize(
    "wrong", [{"max_bytes": 0}, {"quality": 32}, {"kbps": 0}, {"kbps": math.inf}]
)
def test_numbers_that_make_no_sense(wrong: dict[str, float]) -> None:
    """Each is one sentence."""
    with pytest.raises(ConfigError, match="give"):
        Budget(**wrong)
