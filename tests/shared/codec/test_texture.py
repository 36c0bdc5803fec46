"""The two bytes that tell how much fine texture a picture has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from misc_shared.codec import Base, ImageDecoder, ImageEncoder
from misc_shared.codec.texture import TEXTURE_BYTES, contrasts, pack_texture, unpack_texture
from misc_shared.errors import BitstreamError
from misc_shared.packs import load_pack

STEP = 0.4


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    """Give the embedded codec's encoder."""
    return ImageEncoder(load_pack("nano").component("codec"), threads=1)


@pytest.fixture(scope="module")
def decoder() -> ImageDecoder:
    """Give the embedded codec's decoder."""
    return ImageDecoder(load_pack("nano").component("codec"), threads=1)


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    """Give a photograph of fur."""
    import skimage.data

    picture: NDArray[np.uint8] = skimage.data.chelsea()
    return picture


def _grey(plane: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.repeat(plane.round().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_contrasts_are_what_the_protocol_says() -> None:
    """Computed anew, in the words of protocol.md, on a picture with an odd side."""
    rng = np.random.default_rng(0)
    luma = np.rint(rng.uniform(0, 255, (41, 60)))
    half = luma[:40].reshape(20, 2, 30, 2).mean((1, 3))
    expected: list[float] = []
    for plane in (luma, half):
        around = [np.roll(plane, move, axis) for axis in (0, 1) for move in (1, -1)]
        off = (plane - np.mean(around, axis=0))[1:-1, 1:-1]
        expected += [np.abs(off).mean(), np.sqrt(np.square(off).mean())]
    np.testing.assert_allclose(2 ** contrasts(_grey(luma)), expected, rtol=1e-4)


def test_noise_is_seen_where_it_is() -> None:
    """Fine noise is more at full size than at half; blocks of two are not; nothing is least."""
    rng = np.random.default_rng(0)
    fine = rng.normal(128, 20, (64, 64))
    blocks = rng.normal(128, 20, (32, 32)).repeat(2, axis=0).repeat(2, axis=1)
    first, second = contrasts(_grey(fine)), contrasts(_grey(blocks))
    assert first[0] > first[2] + 0.5
    assert second[2] > second[0]
    assert pack_texture(contrasts(_grey(np.full((16, 16), 90.0)))) == bytes(TEXTURE_BYTES)


def test_a_few_edges_are_not_texture() -> None:
    """Mean and root mean square are far apart where most of a picture is smooth."""
    edge = np.zeros((64, 64))
    edge[:, 32:] = 200
    rng = np.random.default_rng(0)
    spread = [
        found[1] - found[0]
        for found in map(contrasts, (_grey(edge), _grey(rng.normal(128, 9, (64, 64)))))
    ]
    assert spread[0] > spread[1] + 1


@given(st.lists(st.floats(-2, 4), min_size=4, max_size=4))
def test_packing_keeps_half_a_level(found: list[float]) -> None:
    """Within the range, nothing strays by more."""
    values = np.array(found, np.float32)
    read = unpack_texture(pack_texture(values))
    np.testing.assert_array_less(np.abs(read - values), STEP / 2 + 1e-4)


@given(st.binary(min_size=TEXTURE_BYTES, max_size=TEXTURE_BYTES))
def test_every_two_bytes_are_a_texture(data: bytes) -> None:
    """So a receiver has nothing to refuse."""
    assert pack_texture(unpack_texture(data)) == data


def test_a_key_tells_its_texture_with_the_first_detail(
    encoder: ImageEncoder, decoder: ImageDecoder, photo: NDArray[np.uint8]
) -> None:
    """The captured picture's, not the decoded one's, which has lost most of it."""
    key = encoder.encode(photo, max_bytes=1200)
    assert key.nbytes <= 1200
    assert decoder.decode(key.layers[:1]).texture is None
    for count in (2, 3):
        shown = decoder.decode(key.layers[:count])
        assert shown.texture is not None
        np.testing.assert_array_less(np.abs(shown.texture - contrasts(photo)), STEP / 2 + 1e-4)
        assert contrasts(shown.pixels)[0] < shown.texture[0]


def test_a_delta_has_the_texture_of_its_key(
    encoder: ImageEncoder, decoder: ImageDecoder, photo: NDArray[np.uint8]
) -> None:
    """It holds none itself, and one against a picture of which only the base came has none."""
    key = encoder.encode(photo, quality=8, scale_index=3)
    delta = encoder.encode_delta(np.roll(photo, 9, 0), Base(key.reference, 5))
    assert delta is not None
    known = decoder.read(key.layers)
    assert decoder.read(delta.layers, reference=known).texture == known.texture != b""
    bare = decoder.read(key.layers[:1])
    assert decoder.decode(delta.layers, reference=bare).texture is None


@pytest.mark.parametrize("count", [1, 2])
def test_a_detail_layer_cut_within_its_texture_is_refused(
    encoder: ImageEncoder, decoder: ImageDecoder, photo: NDArray[np.uint8], count: int
) -> None:
    """A stream has at least a byte."""
    key = encoder.encode(photo, quality=8, scale_index=3)
    with pytest.raises(BitstreamError, match=f"found {count} bytes, expected more than 2"):
        decoder.read([key.layers[0], key.layers[1][:count]])
