"""Deltas over links that lose a fifth: every picture shown is the encoder's to the last integer."""

from itertools import pairwise

import pytest

from misc_lab.links.profiles import BurstLoss, Profile
from misc_lab.simulation.settings import Settings
from misc_lab.simulation.stream import Stream, send_stream
from misc_receiver.decode import BaseMissing, CoarseDecoded, FrameDecoder, LayerFailed
from misc_shared.codec.reader import digest_integers
from misc_shared.packs import Pack, load_pack
from misc_shared.session import LayerReceived


@pytest.fixture(scope="module")
def pack() -> Pack:
    """Open the embedded models."""
    return load_pack("nano")


def _send(pack: Pack, *, down_rate: float, count: int = 14, seed: int = 1) -> Stream:
    profile = Profile(
        name="bad",
        rate=20_000,
        down_rate=down_rate,
        delay=0.2,
        mtu=120,
        loss=BurstLoss(p=0.2, r=0.8),
        source="this test",
    )
    settings = Settings(
        source="pattern",
        profile=profile,
        max_bytes=400,
        fps=1.0,
        count=count,
        seed=seed,
        semantics="none",
        deadline=6.0,
    )
    return send_stream(settings, pack)


def _watch(stream: Stream, pack: Pack) -> tuple[list[CoarseDecoded], list[BaseMissing]]:
    """Decode layer by layer as they came, and compare each picture with what was sent."""
    sent = dict(zip(stream.exchange.submitted, stream.frames, strict=True))
    decoder = FrameDecoder(pack, threads=1)
    shown, missing = [], []
    for timed in stream.exchange.received_events:
        if not isinstance(timed.event, LayerReceived):
            continue
        for decoded in decoder.decode([timed.event]):
            assert not isinstance(decoded, LayerFailed)
            if isinstance(decoded, BaseMissing):
                missing.append(decoded)
            elif isinstance(decoded, CoarseDecoded):
                theirs = sent[decoded.frame].encoded.image.integers
                ours = digest_integers(theirs[: decoded.image.layers_used])
                assert decoded.image.integers_sha256 == ours
                shown.append(decoded)
    return shown, missing


@pytest.mark.parametrize("seed", [1, 2])
def test_with_a_return_channel_no_base_is_ever_missing(pack: Pack, seed: int) -> None:
    """Only what was confirmed serves as base, so losses cost repeats and nothing else."""
    stream = _send(pack, down_rate=20_000, seed=seed)
    assert stream.link.up.log
    assert any(one.encoded.delta for one in stream.frames)
    shown, missing = _watch(stream, pack)
    assert not missing
    assert any(one.delta for one in shown)
    assert len({one.frame for one in shown}) >= 12


def test_one_way_a_lost_key_costs_what_follows_and_no_more(pack: Pack) -> None:
    """Pictures without their base are not shown, or coarser; after the next key all is well."""
    stream = _send(pack, down_rate=0.0, count=20)
    keys = [number for number, one in enumerate(stream.frames) if not one.encoded.delta]
    assert keys[0] == 0
    assert max(later - earlier for earlier, later in pairwise(keys)) <= 8
    shown, missing = _watch(stream, pack)
    assert len({one.frame for one in shown} | {one.frame for one in missing}) >= 16
    assert len({one.frame for one in shown}) >= 10
