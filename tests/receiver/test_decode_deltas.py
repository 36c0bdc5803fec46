"""Deltas at the receiver: in any order, without their base, and what they leave out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_receiver.decode import BaseMissing, CoarseDecoded, FrameDecoder, LayerFailed, TextDecoded
from misc_receiver.picture_memory import Kept
from misc_receiver.references import Known, References
from misc_shared.codec import Base, DeltaHeader, EncodedImage, ImageEncoder
from misc_shared.maps import encode_maps
from misc_shared.packs import load_pack
from misc_shared.semantics import Item, Semantics
from misc_shared.session import FrameId, LayerReceived
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

FIRST, SECOND, THIRD = (FrameId(epoch=7, tick=tick) for tick in (70_000, 70_008, 70_016))
WHERE = np.eye(8, dtype=bool)
SAID = Semantics(items=(Item("dog", "brown, large, center"),), caption="A dog runs.")
KINDS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    """Open the embedded codec."""
    return ImageEncoder(load_pack("nano").component("codec"), threads=1)


@pytest.fixture(scope="module")
def text() -> TextCoder:
    """Open the embedded text model."""
    return TextCoder(load_pack("nano").component("text"))


@pytest.fixture(scope="module")
def key(encoder: ImageEncoder, small_photo: NDArray[np.uint8]) -> EncodedImage:
    """Encode a picture of 96x128."""
    return encoder.encode(small_photo, quality=16)


@pytest.fixture(scope="module")
def darker(small_photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the picture, changed all over."""
    return (small_photo * 0.8).astype(np.uint8)


@pytest.fixture
def decoder() -> FrameDecoder:
    """Open the embedded models."""
    return FrameDecoder(load_pack("nano"), threads=1)


def _got(frame: FrameId, layer: LayerKind, data: bytes) -> LayerReceived:
    return LayerReceived(frame, frame.tick / 8, None, layer, data, len(data) + 11)


def _image(frame: FrameId, image: EncodedImage) -> list[LayerReceived]:
    pairs = zip(KINDS, image.layers, strict=True)
    return [_got(frame, kind, data) for kind, data in pairs if data]


def _delta(
    encoder: ImageEncoder, picture: NDArray[np.uint8], base: Base, join: int = 0
) -> EncodedImage:
    image = encoder.encode_delta(picture, base, join=join)
    assert image is not None
    return image


@pytest.mark.parametrize("join", [0, 5000])
def test_a_delta_becomes_a_picture(
    decoder: FrameDecoder,
    encoder: ImageEncoder,
    key: EncodedImage,
    darker: NDArray[np.uint8],
    join: int,
) -> None:
    """Whether its layers come joined or each by itself."""
    list(decoder.decode(_image(FIRST, key)))
    delta = _delta(encoder, darker, Base(key.reference, FIRST.on_wire), join)
    decoded = [one for event in _image(SECOND, delta) for one in decoder.decode([event])]
    assert all(isinstance(one, CoarseDecoded) and one.delta for one in decoded)
    assert [one.image.layers_used for one in decoded] == ([3] if join else [1, 2, 3])
    error = np.square(decoded[-1].image.pixels.astype(float) - darker).mean()
    assert error < 0.5 * np.square(darker - darker.mean()).mean()
    assert decoder.failures == decoder.missing_bases == 0


def test_without_its_base_nothing_is_shown_and_one_thing_said(
    decoder: FrameDecoder, encoder: ImageEncoder, key: EncodedImage, darker: NDArray[np.uint8]
) -> None:
    """Words of the same frame are not lost, and nothing counts as damaged."""
    delta = _delta(encoder, darker, Base(key.reference, FIRST.on_wire))
    decoded = [one for event in _image(SECOND, delta) for one in decoder.decode([event])]
    assert [type(one) for one in decoded] == [BaseMissing]
    assert str(FIRST.on_wire) in str(decoded[0].error)
    assert decoder.missing_bases == 1
    assert decoder.failures == 0


def test_a_base_that_comes_late_is_not_too_late(
    decoder: FrameDecoder, encoder: ImageEncoder, key: EncodedImage, darker: NDArray[np.uint8]
) -> None:
    """What waited for it is shown, and what waited for that."""
    second = _delta(encoder, darker, Base(key.reference, FIRST.on_wire), 5000)
    third = _delta(encoder, darker, Base(second.reference, SECOND.on_wire), 5000)
    for frame, image in ((THIRD, third), (SECOND, second)):
        assert [type(one) for one in decoder.decode(_image(frame, image))] == [BaseMissing]
    decoded = list(decoder.decode(_image(FIRST, key)))
    assert {one.frame for one in decoded} == {FIRST, SECOND, THIRD}
    assert all(isinstance(one, CoarseDecoded) for one in decoded)


def test_a_batch_may_hold_base_and_delta_in_any_order(
    decoder: FrameDecoder, encoder: ImageEncoder, key: EncodedImage, darker: NDArray[np.uint8]
) -> None:
    """The newest is shown first, though it is read last."""
    delta = _delta(encoder, darker, Base(key.reference, FIRST.on_wire), 5000)
    decoded = list(decoder.decode([*_image(SECOND, delta), *_image(FIRST, key)]))
    assert [(type(one), one.frame) for one in decoded] == [
        (CoarseDecoded, SECOND),
        (CoarseDecoded, FIRST),
    ]


def test_a_base_of_another_run_is_none(
    decoder: FrameDecoder, encoder: ImageEncoder, key: EncodedImage, darker: NDArray[np.uint8]
) -> None:
    """Ids begin again with an epoch."""
    list(decoder.decode(_image(FIRST, key)))
    delta = _delta(encoder, darker, Base(key.reference, FIRST.on_wire), 5000)
    restarted = FrameId(epoch=8, tick=SECOND.tick)
    assert [type(one) for one in decoder.decode(_image(restarted, delta))] == [BaseMissing]


def test_words_and_maps_stay_or_change_one_by_one(
    decoder: FrameDecoder, encoder: ImageEncoder, key: EncodedImage, text: TextCoder
) -> None:
    """What the delta leaves out is the base's; what needs the base waits for it."""
    said = [_got(FIRST, LayerKind.TEXT, text.encode(SAID))]
    said.append(_got(FIRST, LayerKind.MAPS, encode_maps([WHERE])))
    list(decoder.decode([*_image(FIRST, key), *said]))
    picture = decoder.contents(FIRST).coarse.pixels
    base = Base(key.reference, FIRST.on_wire, same_text=True, same_maps=True)
    decoded = list(decoder.decode(_image(SECOND, _delta(encoder, picture, base, 5000))))
    assert [type(one) for one in decoded] == [CoarseDecoded, TextDecoded]
    assert decoded[1].semantics.caption == "A dog runs."
    assert np.array_equal(decoded[1].semantics.items[0].map, WHERE)

    sleeps = Semantics(SAID.items, "犬が走る。")
    changed = text.encode(sleeps, SAID)
    assert text.needs_base(changed)
    assert list(decoder.decode([_got(THIRD, LayerKind.TEXT, changed)])) == []
    base = Base(key.reference, FIRST.on_wire, same_maps=True)
    decoded = list(decoder.decode(_image(THIRD, _delta(encoder, picture, base, 5000))))
    (words,) = (one for one in decoded if isinstance(one, TextDecoded))
    assert words.semantics.caption == sleeps.caption
    assert np.array_equal(words.semantics.items[0].map, WHERE)


def test_words_that_need_a_base_do_not_go_with_a_key(
    decoder: FrameDecoder, key: EncodedImage, text: TextCoder
) -> None:
    """They are damaged, and cost only themselves."""
    changed = text.encode(SAID, SAID)
    assert text.needs_base(changed)
    decoded = list(decoder.decode([_got(FIRST, LayerKind.TEXT, changed), *_image(FIRST, key)]))
    assert [type(one) for one in decoded] == [LayerFailed, CoarseDecoded]


def test_a_damaged_delta_costs_only_itself(
    decoder: FrameDecoder, encoder: ImageEncoder, key: EncodedImage, darker: NDArray[np.uint8]
) -> None:
    """One report; the same base serves the next."""
    list(decoder.decode(_image(FIRST, key)))
    delta = _delta(encoder, darker, Base(key.reference, FIRST.on_wire), 5000)
    bad = _got(SECOND, LayerKind.BASE, delta.layers[0] + b"junk that is too long")
    assert [type(one) for one in decoder.decode([bad])] == [LayerFailed]
    assert [type(one) for one in decoder.decode(_image(THIRD, delta))] == [CoarseDecoded]


def test_few_bases_are_kept_and_those_in_use_longest(key: EncodedImage) -> None:
    """A key that every delta names outlasts any number of them."""
    references, base = References(), key.reference
    header = DeltaHeader(16, FIRST.on_wire, 3, base.digest(3), 3)
    references.keep(FIRST, Known(Kept(base)))
    for tick in range(200):
        references.keep(FrameId(epoch=7, tick=80_000 + tick), Known(Kept(key.reference)))
        assert references.find(7, header).picture is base
    assert len(references) == 16
