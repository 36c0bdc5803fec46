"""Layers become pictures and words, whatever is missing or damaged."""

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_receiver.decode import CoarseDecoded, FrameDecoder, LayerFailed, TextDecoded
from misc_shared.codec import ImageEncoder
from misc_shared.maps import encode_maps
from misc_shared.packs import load_pack
from misc_shared.semantics import Item, Semantics
from misc_shared.session import FrameId, LayerReceived
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

FRAME = FrameId(epoch=7, tick=100)
WHERE = np.eye(8, dtype=bool)
SAID = Semantics(items=(Item("dog", "brown, large, center"),), caption="A dog runs.")


@pytest.fixture(scope="module")
def layers(small_photo: NDArray[np.uint8]) -> dict[LayerKind, bytes]:
    """Encode a picture of 96x128 with words and a map."""
    pack = load_pack("nano")
    image = ImageEncoder(pack.component("codec"), threads=1).encode(small_photo, quality=16)
    assert all(image.layers)
    return {
        LayerKind.BASE: image.layers[0],
        LayerKind.TEXT: TextCoder(pack.component("text")).encode(SAID),
        LayerKind.DETAIL1: image.layers[1],
        LayerKind.MAPS: encode_maps([WHERE]),
        LayerKind.DETAIL2: image.layers[2],
    }


@pytest.fixture
def decoder() -> FrameDecoder:
    """Open the embedded models."""
    return FrameDecoder(load_pack("nano"), threads=1)


def _got(layer: LayerKind, data: bytes, *, frame: FrameId = FRAME) -> LayerReceived:
    return LayerReceived(
        frame=frame,
        captured_at=frame.tick / 8,
        captured_unix=None,
        layer=layer,
        data=data,
        wire_bytes=len(data) + 9,
    )


def test_each_layer_makes_the_picture_sharper(
    decoder: FrameDecoder, layers: dict[LayerKind, bytes], small_photo: NDArray[np.uint8]
) -> None:
    """One at a time: one picture each, of the captured size."""
    used = []
    for kind in (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2):
        (decoded,) = decoder.decode([_got(kind, layers[kind])])
        assert isinstance(decoded, CoarseDecoded)
        assert decoded.image.pixels.shape == small_photo.shape
        used.append(decoded.image.layers_used)
    assert used == [1, 2, 3]


def test_what_comes_together_is_decoded_once_and_the_words_first(
    decoder: FrameDecoder, layers: dict[LayerKind, bytes]
) -> None:
    """Text takes no time, so it does not wait for the picture."""
    decoded = list(decoder.decode([_got(kind, data) for kind, data in layers.items()]))
    assert [type(one) for one in decoded] == [TextDecoded, TextDecoded, CoarseDecoded]
    assert decoded[0].semantics == SAID
    assert np.array_equal(decoded[1].semantics.items[0].map, WHERE)
    assert decoded[2].image.layers_used == 3


def test_maps_before_text(decoder: FrameDecoder, layers: dict[LayerKind, bytes]) -> None:
    """Maps wait for the words that they belong to."""
    assert list(decoder.decode([_got(LayerKind.MAPS, layers[LayerKind.MAPS])])) == []
    (decoded,) = decoder.decode([_got(LayerKind.TEXT, layers[LayerKind.TEXT])])
    assert np.array_equal(decoded.semantics.items[0].map, WHERE)


def test_detail_before_base(decoder: FrameDecoder, layers: dict[LayerKind, bytes]) -> None:
    """A layer waits for those below it, whatever the order of arrival."""
    late = [LayerKind.DETAIL2, LayerKind.DETAIL1]
    assert list(decoder.decode([_got(kind, layers[kind]) for kind in late])) == []
    (decoded,) = decoder.decode([_got(LayerKind.BASE, layers[LayerKind.BASE])])
    assert decoded.image.layers_used == 3


def test_a_bad_detail_costs_only_itself(
    decoder: FrameDecoder, layers: dict[LayerKind, bytes]
) -> None:
    """One counter, one report, and the picture without it."""
    received = [
        _got(LayerKind.BASE, layers[LayerKind.BASE]),
        _got(LayerKind.DETAIL1, bytes(5000)),
        _got(LayerKind.DETAIL2, layers[LayerKind.DETAIL2]),
        _got(LayerKind.TEXT, layers[LayerKind.TEXT]),
    ]
    decoded = list(decoder.decode(received))
    assert [type(one) for one in decoded] == [TextDecoded, LayerFailed, CoarseDecoded]
    assert decoded[1].layer is LayerKind.DETAIL1
    assert decoded[2].image.layers_used == 1
    assert decoder.failures == 1


def test_a_bad_base_loses_no_words(decoder: FrameDecoder, layers: dict[LayerKind, bytes]) -> None:
    """And the next frame is not harmed."""
    received = [_got(LayerKind.BASE, b"\xff" * 9), _got(LayerKind.TEXT, layers[LayerKind.TEXT])]
    decoded = list(decoder.decode(received))
    assert [type(one) for one in decoded] == [TextDecoded, LayerFailed]
    following = FrameId(epoch=7, tick=101)
    (decoded,) = decoder.decode([_got(LayerKind.BASE, layers[LayerKind.BASE], frame=following)])
    assert isinstance(decoded, CoarseDecoded)


@pytest.mark.parametrize("layer", [LayerKind.TEXT, LayerKind.MAPS])
def test_bad_words_and_maps_are_counted(decoder: FrameDecoder, layer: LayerKind) -> None:
    """Garbage is one report each."""
    (decoded,) = decoder.decode([_got(layer, b"\xff" * 200)])
    assert isinstance(decoded, LayerFailed)
    assert decoder.failures == 1


def test_few_frames_are_remembered(decoder: FrameDecoder, layers: dict[LayerKind, bytes]) -> None:
    """Of a hundred frames eight are kept; a straggler of an old one is not taken up again."""
    frames = [FrameId(epoch=7, tick=tick) for tick in range(100)]
    for frame in frames:
        list(decoder.decode([_got(LayerKind.DETAIL1, layers[LayerKind.DETAIL1], frame=frame)]))
    kept = [frame for frame in frames if decoder.contents(frame) is not None]
    assert kept == frames[-8:]
    straggler = _got(LayerKind.BASE, layers[LayerKind.BASE], frame=frames[3])
    assert list(decoder.decode([straggler])) == []


def test_a_new_run_of_the_sender_is_not_taken_for_old(
    decoder: FrameDecoder, layers: dict[LayerKind, bytes]
) -> None:
    """Ticks begin again with an epoch."""
    for tick in range(1000, 1010):
        frame = FrameId(epoch=7, tick=tick)
        list(decoder.decode([_got(LayerKind.DETAIL1, layers[LayerKind.DETAIL1], frame=frame)]))
    restarted = _got(LayerKind.BASE, layers[LayerKind.BASE], frame=FrameId(epoch=8, tick=1))
    assert len(list(decoder.decode([restarted]))) == 1


def test_the_seed_is_in_the_bytes(decoder: FrameDecoder, layers: dict[LayerKind, bytes]) -> None:
    """Two receivers refine a frame alike, and two frames differently."""
    other = FrameDecoder(load_pack("nano"), threads=1)
    for one in (decoder, other):
        list(one.decode([_got(LayerKind.BASE, layers[LayerKind.BASE])]))
    ours, theirs = decoder.contents(FRAME), other.contents(FRAME)
    assert ours is not None
    assert theirs is not None
    assert ours.seed == theirs.seed != 0
