"""Which picture serves as base: what the receiver has, and nothing else."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_sender.budget import Budget
from misc_sender.encode import EncodedFrame, FrameEncoder
from misc_sender.references import LinkKind, ReferenceBook
from misc_sender.sources import Frame
from misc_shared.packs import load_pack
from misc_shared.session import FrameId
from misc_shared.wire import LayerKind

DETAILS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)


def _id(tick: int) -> FrameId:
    return FrameId(epoch=3, tick=tick)


def _nothing(_: FrameId) -> tuple[LayerKind, ...]:
    return ()


@pytest.fixture(scope="module")
def encoder() -> FrameEncoder:
    """Encode at quality 12, without words."""
    return FrameEncoder(
        load_pack("nano"), semantics="none", budget=Budget(quality=12), mtu=1100, threads=1
    )


@pytest.fixture(scope="module")
def key(encoder: FrameEncoder, small_photo: NDArray[np.uint8]) -> EncodedFrame:
    """Encode a picture that stands alone."""
    return encoder.encode(Frame(pixels=small_photo, captured_at=0.0))


@pytest.fixture(scope="module")
def delta(encoder: FrameEncoder, key: EncodedFrame, small_photo: NDArray[np.uint8]) -> EncodedFrame:
    """Encode a picture a little darker, against the first."""
    book = ReferenceBook(LinkKind.LOSSLESS)
    book.sent(_id(0), key)
    darker = (small_photo * 0.9).astype(np.uint8)
    return encoder.encode(Frame(pixels=darker, captured_at=1.0), against=book.choose(_nothing))


def test_a_recording_leans_on_the_picture_before(key: EncodedFrame, delta: EncodedFrame) -> None:
    """All of it is known to arrive."""
    assert delta.delta
    assert not key.delta
    book = ReferenceBook(LinkKind.LOSSLESS)
    assert book.choose(_nothing) == []
    book.sent(_id(0), key)
    book.sent(_id(4), delta)
    assert [one.base.frame for one in book.choose(_nothing)] == [4, 0]
    assert len(book.choose(_nothing)[0].base.reference.integers) == 3


def test_only_what_was_confirmed_counts(key: EncodedFrame) -> None:
    """First nothing, then BASE alone, then more; what was settled and what is under way."""
    book = ReferenceBook(LinkKind.CONFIRMED)
    book.sent(_id(0), key)
    assert book.choose(_nothing) == []
    (one,) = book.choose(lambda _: {LayerKind.BASE, LayerKind.DETAIL2})
    assert len(one.base.reference.integers) == 1
    book.confirmed(_id(0), {LayerKind.DETAIL1})
    (one,) = book.choose(_nothing)
    assert len(one.base.reference.integers) == 3
    book.confirmed(_id(77))  # of a frame that is forgotten


def test_most_layers_come_first(key: EncodedFrame) -> None:
    """An older picture that is whole serves better than a newer one of which little came."""
    book = ReferenceBook(LinkKind.CONFIRMED)
    for tick in range(3):
        book.sent(_id(tick), key)
    book.confirmed(_id(1))
    book.confirmed(_id(2), {LayerKind.BASE})
    assert [one.base.frame for one in book.choose(_nothing)] == [1, 2]


def test_memory_is_bounded_and_keeps_a_base(key: EncodedFrame) -> None:
    """Of a hundred pictures eight are kept, the only confirmed one among them."""
    book = ReferenceBook(LinkKind.CONFIRMED)
    book.sent(_id(0), key)
    book.confirmed(_id(0))
    for tick in range(1, 100):
        book.sent(_id(tick), key)
    assert [one.base.frame for one in book.choose(_nothing)] == [0]
    assert len(book.choose(lambda _: DETAILS)) == 8


def test_after_a_refresh_comes_a_picture_that_stands_alone(
    key: EncodedFrame, delta: EncodedFrame
) -> None:
    """And a delta that was being made meanwhile is no base."""
    book = ReferenceBook(LinkKind.CONFIRMED)
    book.sent(_id(0), key)
    book.confirmed(_id(0))
    book.refresh()
    assert book.choose(_nothing) == []
    book.sent(_id(1), delta)
    book.confirmed(_id(1))
    assert book.choose(_nothing) == []
    book.sent(_id(2), key)
    book.confirmed(_id(2))
    assert [one.base.frame for one in book.choose(_nothing)] == [2]


def test_where_losses_go_unnoticed_only_keys_serve(key: EncodedFrame, delta: EncodedFrame) -> None:
    """And every eighth picture is one."""
    book = ReferenceBook(LinkKind.LOSSY)
    book.sent(_id(0), key)
    for tick in range(1, 8):
        assert [one.base.frame for one in book.choose(_nothing)] == [0]
        book.sent(_id(tick), delta)
    assert book.choose(_nothing) == []


def test_keys_as_often_as_asked(key: EncodedFrame) -> None:
    """With 1 there are no others."""
    book = ReferenceBook(LinkKind.LOSSLESS, key_every=1)
    book.sent(_id(0), key)
    assert book.choose(_nothing) == []


def test_unrelated_pictures_stand_alone(encoder: FrameEncoder, key: EncodedFrame) -> None:
    """A scene cut costs no more than a key."""
    import skimage.data

    book = ReferenceBook(LinkKind.LOSSLESS)
    book.sent(_id(0), key)
    other = Frame(pixels=skimage.data.coffee()[100:196, 200:328], captured_at=1.0)
    cut = encoder.encode(other, against=book.choose(_nothing))
    alone = encoder.encode(other)
    assert cut.wire_bytes <= alone.wire_bytes
    another_size = dataclasses.replace(other, pixels=other.pixels[:64])
    assert not encoder.encode(another_size, against=book.choose(_nothing)).delta


@pytest.mark.parametrize("max_bytes", [120, 300, 700])
def test_the_budget_holds_for_deltas(small_photo: NDArray[np.uint8], max_bytes: int) -> None:
    """Also where they have room to sharpen the picture; a still one gets ever better."""
    encoder = FrameEncoder(
        load_pack("nano"), semantics="none", budget=Budget(max_bytes=max_bytes), mtu=120, threads=1
    )
    book, noise = ReferenceBook(LinkKind.LOSSLESS), np.random.default_rng(0)
    qualities = []
    for tick in range(5):
        noisy = (small_photo + noise.normal(0, 2, small_photo.shape)).clip(0, 255)
        frame = Frame(pixels=noisy.astype(np.uint8), captured_at=float(tick))
        encoded = encoder.encode(frame, against=book.choose(_nothing))
        book.sent(_id(tick), encoded)
        assert encoded.wire_bytes <= max_bytes
        qualities.append(encoded.quality)
    assert qualities == sorted(qualities)
