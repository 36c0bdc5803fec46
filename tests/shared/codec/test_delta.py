"""Deltas: exact at both ends, prefix by prefix, tiny for a still scene, safe against forgery."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from misc_shared.codec import Base, EncodedImage, ImageDecoder, ImageEncoder, Reference, is_delta
from misc_shared.codec.delta_coder import CodedLayer, DeltaCoder
from misc_shared.codec.layout import LATENT_CHANNELS, Header
from misc_shared.codec.models import open_entropy
from misc_shared.codec.reference import DELTA_HEADER_BYTES, DeltaHeader, joined_layers, rescale
from misc_shared.coding.symbols import SymbolReader, SymbolWriter
from misc_shared.errors import BitstreamError, MissingBaseError
from misc_shared.packs import load_pack

Picture = NDArray[np.uint8]
FRAME = 0xBEEF


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    """Open the embedded pack's encoder."""
    return ImageEncoder(load_pack().component("codec"), threads=1)


@pytest.fixture(scope="module")
def decoder() -> ImageDecoder:
    """Open the embedded pack's decoder."""
    return ImageDecoder(load_pack().component("codec"), threads=1)


@pytest.fixture(scope="module")
def photo() -> Picture:
    """Take a photograph that scikit-image ships, 320x256."""
    from skimage import data

    return np.asarray(data.astronaut()[:256, 96:416], dtype=np.uint8)


@pytest.fixture(scope="module")
def moved(photo: Picture) -> Picture:
    """Move a part of the photograph, as a passer-by would."""
    picture = photo.copy()
    picture[80:200, 40:140] = photo[60:180, 180:280]
    return picture


@pytest.fixture(scope="module")
def key(encoder: ImageEncoder, photo: Picture) -> EncodedImage:
    """Encode the photograph by itself."""
    return encoder.encode(photo, quality=16, scale_index=0)


@pytest.fixture(scope="module")
def delta(encoder: ImageEncoder, key: EncodedImage, moved: Picture) -> EncodedImage:
    """Encode the second picture against the first, each layer by itself."""
    encoded = encoder.encode_delta(moved, Base(key.reference, FRAME))
    assert encoded is not None
    return encoded


def _noisy(picture: Picture, seed: int, sigma: float = 2.0) -> Picture:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return (picture + noise).round().clip(0, 255).astype(np.uint8)


def _assert_same(read: list[NDArray[np.int64]], sent: tuple[NDArray[np.int64], ...]) -> None:
    for ours, theirs in zip(read, sent[: len(read)], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_prefix_gives_the_encoders_integers(
    decoder: ImageDecoder, key: EncodedImage, delta: EncodedImage, count: int
) -> None:
    """Each layer decodes on top of those before it."""
    found = decoder.read(delta.layers[:count], reference=key.reference)
    assert found.header == delta.reference.header
    assert len(found.integers) == count
    _assert_same(found.integers, delta.integers)


def test_a_delta_shows_the_new_picture(
    decoder: ImageDecoder,
    encoder: ImageEncoder,
    key: EncodedImage,
    delta: EncodedImage,
    moved: Picture,
) -> None:
    """It is as close to it as a picture that stands alone, for fewer bytes."""
    alone = encoder.encode(moved, quality=16, scale_index=0)
    shown = decoder.decode(delta.layers, reference=key.reference).pixels
    error = np.square(shown.astype(float) - moved).mean()
    best = np.square(decoder.decode(alone.layers).pixels.astype(float) - moved).mean()
    assert error < 1.1 * best
    assert delta.nbytes < 0.7 * alone.nbytes
    assert 0 < delta.changed < 0.9


def test_layers_can_share_a_stream(
    encoder: ImageEncoder,
    decoder: ImageDecoder,
    key: EncodedImage,
    delta: EncodedImage,
    moved: Picture,
) -> None:
    """Joined to the base layer they need no datagrams of their own."""
    for join, joined in ((0, 1), (len(delta.layers[0]) + len(delta.layers[1]), 2), (4000, 3)):
        one = encoder.encode_delta(moved, Base(key.reference, FRAME), join=join)
        assert one is not None
        assert joined_layers(one.layers[0]) == joined
        assert [bool(layer) for layer in one.layers] == [
            number == 0 or number >= joined for number in range(3)
        ]
        integers = decoder.read(one.layers, reference=key.reference).integers
        assert len(integers) == 3
        _assert_same(integers, delta.integers)


def test_a_still_scene_costs_its_header(
    encoder: ImageEncoder, key: EncodedImage, photo: Picture
) -> None:
    """Sensor noise of sigma 2 does not count as a change."""
    sizes = []
    for seed in range(4):
        still = encoder.encode_delta(_noisy(photo, seed), Base(key.reference, 0), join=100)
        assert still is not None
        sizes.append(still.nbytes)
    assert max(sizes) <= 0.05 * key.nbytes
    assert min(sizes) == DELTA_HEADER_BYTES


def test_errors_do_not_add_up(
    encoder: ImageEncoder, decoder: ImageDecoder, key: EncodedImage, photo: Picture
) -> None:
    """After ten deltas of a slowly brightening scene the picture is as near as one by itself."""
    reference = key.reference
    for number in range(1, 11):
        picture = (photo * (1 + 0.02 * number)).clip(0, 255).astype(np.uint8)
        one = encoder.encode_delta(picture, Base(reference, number), join=4000)
        assert one is not None
        reference = decoder.read(one.layers, reference=reference)
    alone = decoder.decode(encoder.encode(picture, quality=16, scale_index=0).layers).pixels
    error = np.square(decoder.render(reference).pixels.astype(float) - picture).mean()
    assert error < 1.15 * np.square(alone.astype(float) - picture).mean()


def test_layers_that_the_receiver_lacks_are_coded_anew(
    encoder: ImageEncoder, decoder: ImageDecoder, key: EncodedImage, moved: Picture
) -> None:
    """A base of one layer serves for the first; the others stand alone."""
    base = key.reference.first(1)
    one = encoder.encode_delta(moved, Base(base, FRAME), join=4000)
    assert one is not None
    assert DeltaHeader.unpack(one.layers[0]).base_layers == 1
    for count in (1, 2, 3):
        integers = decoder.read(one.layers[:count], reference=key.reference).integers
        _assert_same(integers, one.integers)


@pytest.mark.parametrize("quality", [9, 15, 17, 28])
def test_quality_may_change(
    encoder: ImageEncoder, decoder: ImageDecoder, key: EncodedImage, moved: Picture, quality: int
) -> None:
    """The base's integers are taken to the new quality, alike at both ends."""
    one = encoder.encode_delta(moved, Base(key.reference, FRAME), quality=quality, join=4000)
    assert one is not None
    assert one.quality == quality
    integers = decoder.read(one.layers, reference=key.reference).integers
    _assert_same(integers, one.integers)


def test_a_still_scene_gets_sharper_within_its_budget(
    encoder: ImageEncoder, decoder: ImageDecoder, photo: Picture
) -> None:
    """What change does not need goes to quality."""
    first = encoder.encode(photo, max_bytes=500)
    reference, quality = first.reference, first.quality
    for number in range(4):
        one = encoder.encode_delta(
            _noisy(photo, number), Base(reference, number), max_bytes=500, join=4000
        )
        assert one is not None
        assert one.nbytes <= 500
        assert one.quality >= quality
        reference, quality = one.reference, one.quality
    assert quality > first.quality
    sharper = decoder.render(reference).pixels.astype(float)
    earlier = decoder.decode(first.layers).pixels.astype(float)
    assert np.square(sharper - photo).mean() < np.square(earlier - photo).mean()


def test_what_does_not_fit_or_match_is_none(
    encoder: ImageEncoder, key: EncodedImage, photo: Picture, moved: Picture
) -> None:
    """Then the caller sends a picture that stands alone."""
    base = Base(key.reference, FRAME)
    assert encoder.encode_delta(photo[:200], base) is None
    assert encoder.encode_delta(moved, base, max_bytes=DELTA_HEADER_BYTES) is None


@given(
    quality=st.integers(0, 31),
    seed=st.integers(0, 1 << 30),
    spread=st.floats(0.1, 40),
    share=st.floats(0, 1),
    rows=st.integers(1, 3),
    columns=st.integers(1, 3),
)
@settings(max_examples=25, deadline=None)
def test_any_change_survives(
    *, quality: int, seed: int, spread: float, share: float, rows: int, columns: int
) -> None:
    """Whatever the base and the latents are, the decoder ends at the encoder's integers."""
    entropy, _ = open_entropy(load_pack().component("codec"))
    coder, rng = DeltaCoder(entropy), np.random.default_rng(seed)
    writer, layers, bases = SymbolWriter(), list[CodedLayer](), []
    for layer, channels in enumerate(LATENT_CHANNELS):
        shape = (channels, rows << layer, columns << layer)
        base = rng.normal(0, spread, shape).round().astype(np.int64)
        other = rng.normal(0, spread, shape)
        values = np.where(rng.random(shape) < share, other, base + rng.normal(0, 0.2, shape))
        coded, _ = coder.quantise(
            values.astype(np.float32), base, layers, layer=layer, quality=quality, dead_zone=0.1
        )
        coder.code(writer, base, layers, layer=layer, quality=quality, wanted=coded)
        layers.append(coded)
        bases.append(base)
    reader, read = SymbolReader(writer.finish()), list[CodedLayer]()
    for layer, base in enumerate(bases):
        read.append(coder.code(reader, base, read, layer=layer, quality=quality))
        np.testing.assert_array_equal(read[layer].integers, layers[layer].integers)
    reader.end()


def test_another_base_is_noticed(
    decoder: ImageDecoder, key: EncodedImage, delta: EncodedImage
) -> None:
    """One integer off, another size or nothing at all: a typed error instead of a wrong picture."""
    altered = tuple(part.copy() for part in key.integers)
    altered[0][5, 3, 2] += 1
    header = key.reference.header
    wider = Header(header.quality, header.scale_index, header.width + 1, header.height)
    for reference in (None, Reference(header, altered), Reference(wider, key.integers)):
        with pytest.raises(MissingBaseError, match="48879"):
            decoder.decode(delta.layers, reference=reference)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("join", [0, 4000])
def test_what_the_receiver_lacks_costs_only_what_builds_on_it(
    encoder: ImageEncoder,
    decoder: ImageDecoder,
    key: EncodedImage,
    moved: Picture,
    count: int,
    join: int,
) -> None:
    """Of a base without its finer layers, or with other ones, the coarser ones serve."""
    one = encoder.encode_delta(moved, Base(key.reference, FRAME), join=join)
    assert one is not None
    altered = tuple(part.copy() for part in key.integers)
    altered[count][5, 1, 2] += 1
    for reference in (key.reference.first(count), Reference(key.reference.header, altered)):
        integers = decoder.read(one.layers, reference=reference).integers
        assert len(integers) == count
        _assert_same(integers, one.integers)


def test_mutations_raise_only_typed_errors(
    decoder: ImageDecoder, encoder: ImageEncoder, key: EncodedImage, moved: Picture
) -> None:
    """Damaged deltas decode to some integers or raise a RemoteError, in bounded memory."""
    joined = encoder.encode_delta(moved, Base(key.reference, FRAME), join=4000)
    parted = encoder.encode_delta(moved, Base(key.reference, FRAME))
    assert joined is not None
    assert parted is not None
    rng = np.random.default_rng(7)
    refused = 0
    for turn in range(120):
        layers = [bytearray(layer) for layer in (joined, parted)[turn % 2].layers]
        victim = layers[int(rng.integers(3))] or layers[0]
        for _ in range(int(rng.integers(1, 4))):
            victim[int(rng.integers(len(victim)))] = int(rng.integers(256))
        if rng.random() < 0.3:
            del victim[int(rng.integers(1, len(victim))) :]
        try:
            decoder.read([bytes(layer) for layer in layers], reference=key.reference)
        except (BitstreamError, MissingBaseError):
            refused += 1
    assert refused > 10


def test_a_key_is_never_taken_for_a_delta() -> None:
    """The narrowest key has 15 where a delta has its version."""
    for width in (16, 17, 4096):
        assert not is_delta(Header(31, 7, width, 16).pack())
    delta = DeltaHeader(31, 0xFFFF, 3, b"\xff" * 4, 3, same_text=True, same_maps=True)
    assert is_delta(delta.pack())
    assert DeltaHeader.unpack(delta.pack()) == delta


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"\x06\0\x04", "expected a header of 9"),
        (b"\x06\0\x14" + bytes(6), "reserved"),
        (b"\x06\0\x05" + bytes(6), "reserved"),
        (b"\x00\0\x04" + bytes(6), "0 layers of the base"),
        (b"\x06\0\x00" + bytes(6), "0 joined"),
    ],
)
def test_refuses_malformed_headers(data: bytes, match: str) -> None:
    """Each wrong field is named."""
    with pytest.raises(BitstreamError, match=match):
        DeltaHeader.unpack(data)


def test_refuses_to_join_what_the_base_has_not(decoder: ImageDecoder, key: EncodedImage) -> None:
    """Layers that stand alone are never joined."""
    header = DeltaHeader(16, FRAME, 1, key.reference.digest(1), 2)
    with pytest.raises(BitstreamError, match="2 joined layers, expected at most 1"):
        decoder.read([header.pack()], reference=key.reference)


def test_refuses_trailing_bytes(
    decoder: ImageDecoder, key: EncodedImage, delta: EncodedImage
) -> None:
    """A stream with something after its end was not written by an encoder."""
    junk = delta.layers[0] + b"trailing junk"
    with pytest.raises(BitstreamError, match="after the layer's end"):
        decoder.read([junk], reference=key.reference)


def test_rescaling_there_and_back_keeps_what_it_can() -> None:
    """To a finer quality and back gives the same integers."""
    _, gains = open_entropy(load_pack().component("codec"))
    integers = tuple(np.arange(-8 * c, 8 * c).reshape(c, 4, 4) for c in LATENT_CHANNELS)
    finer = rescale(integers, gains, old=10, new=25)
    for ours, theirs in zip(rescale(finer, gains, old=25, new=10), integers, strict=True):
        np.testing.assert_array_equal(ours, theirs)
