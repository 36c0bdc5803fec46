"""Pictures survive the codec: any prefix of layers, any size, any budget, and only typed errors."""

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_shared.codec import EncodedImage, ImageDecoder, ImageEncoder
from misc_shared.codec.layout import Header
from misc_shared.errors import BitstreamError, ConfigError
from misc_shared.packs import load_pack

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    """Open the embedded pack's encoder."""
    return ImageEncoder(load_pack().component("codec"))


@pytest.fixture(scope="module")
def decoder() -> ImageDecoder:
    """Open the embedded pack's decoder."""
    return ImageDecoder(load_pack().component("codec"))


@pytest.fixture(scope="module")
def photo() -> Picture:
    """Take a photograph that scikit-image ships, 512x384."""
    from skimage import data

    return np.asarray(data.astronaut()[:384, :512], dtype=np.uint8)


@pytest.fixture(scope="module")
def encoded(encoder: ImageEncoder, photo: Picture) -> EncodedImage:
    """Encode the photograph at a middling budget."""
    return encoder.encode(photo, max_bytes=900)


def _error(a: Picture, b: Picture) -> float:
    return float(np.square(a.astype(np.float64) - b).mean())


def test_each_layer_sharpens(decoder: ImageDecoder, encoded: EncodedImage, photo: Picture) -> None:
    """Every prefix decodes at the captured size, each closer to the original."""
    errors = []
    for count in (1, 2, 3):
        decoded = decoder.decode(encoded.layers[:count])
        assert decoded.layers_used == count
        assert decoded.pixels.shape == photo.shape
        errors.append(_error(decoded.pixels, photo))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.5 * np.square(photo - photo.mean()).mean()


def test_integers_arrive_exactly(decoder: ImageDecoder, encoded: EncodedImage) -> None:
    """The decoder reads the very integers that the encoder chose."""
    integers = decoder.read(encoded.layers).integers
    for sent, read in zip(encoded.integers, integers, strict=True):
        np.testing.assert_array_equal(sent, read)


@pytest.mark.parametrize("budget", [150, 300, 700, 1500, 2200])
def test_stays_within_the_budget_and_uses_it(
    encoder: ImageEncoder, photo: Picture, budget: int
) -> None:
    """Never a byte over, and no more than a sixth left lying."""
    encoded = encoder.encode(photo, max_bytes=budget)
    assert budget * 0.83 <= encoded.nbytes <= budget


def test_more_quality_costs_more_and_shows_more(
    encoder: ImageEncoder, decoder: ImageDecoder, photo: Picture
) -> None:
    """Quality orders both bytes and error at one working size."""
    made = [encoder.encode(photo, quality=quality, scale_index=2) for quality in (2, 12, 22, 31)]
    sizes = [one.nbytes for one in made]
    errors = [_error(decoder.decode(one.layers).pixels, photo) for one in made]
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize(
    ("height", "width"), [(16, 16), (17, 33), (64, 200), (333, 77), (720, 1280)]
)
def test_any_size(encoder: ImageEncoder, decoder: ImageDecoder, height: int, width: int) -> None:
    """Odd, tiny and wide pictures come back at their own size."""
    rows = np.linspace(0, 255, height)[:, None, None]
    columns = np.linspace(0, 255, width)[None, :, None]
    picture = (0.5 * rows + 0.5 * columns + np.zeros(3)).astype(np.uint8)
    decoded = decoder.decode(encoder.encode(picture, quality=20).layers)
    assert decoded.pixels.shape == picture.shape
    assert _error(decoded.pixels, picture) < 500


def test_tiny_budget_drops_layers_then_says_what_it_needs(
    encoder: ImageEncoder, decoder: ImageDecoder, photo: Picture
) -> None:
    """The base alone is sent where there is room for nothing else; less is a clear error."""
    large = np.tile(photo, (4, 4, 1))
    smallest = encoder.encode(large, max_bytes=60)
    assert smallest.nbytes <= 60
    decoder.decode(smallest.layers)
    with pytest.raises(ConfigError, match="expected at least"):
        encoder.encode(photo, max_bytes=4)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((8, 64, 3), np.uint8),
    ],
    ids=["gray", "float", "small"],
)
def test_refuses_what_is_not_a_picture(encoder: ImageEncoder, picture: Picture) -> None:
    """A wrong array is named with what was expected."""
    with pytest.raises(ConfigError, match="expected"):
        encoder.encode(picture)


def test_refuses_an_unknown_quality(encoder: ImageEncoder, photo: Picture) -> None:
    """Quality has a range, and the message tells it."""
    with pytest.raises(ConfigError, match=r"0\.\.31"):
        encoder.encode(photo, quality=32)


@pytest.mark.parametrize("layers", [[], [b""], [b"\0"] * 4, [b"\0\0\0"], [b"\0\0\0\0"]])
def test_refuses_malformed_layers(decoder: ImageDecoder, layers: list[bytes]) -> None:
    """Too few, too many, cut and impossible layers are typed errors."""
    with pytest.raises(BitstreamError, match="expected"):
        decoder.decode(layers)


def test_refuses_a_picture_of_too_many_cells(decoder: ImageDecoder) -> None:
    """A header cannot make the decoder spend gigabytes."""
    with pytest.raises(BitstreamError, match="cells"):
        decoder.decode([Header(0, 0, 4096, 4096).pack()])


def test_refuses_trailing_bytes(decoder: ImageDecoder, encoded: EncodedImage) -> None:
    """A layer with something after its end was not written by an encoder."""
    with pytest.raises(BitstreamError, match="after its end"):
        decoder.decode([encoded.layers[0] + b"trailing junk"])


def test_mutations_raise_only_typed_errors(decoder: ImageDecoder, encoded: EncodedImage) -> None:
    """Cut, flipped and random layers either decode to some integers or raise BitstreamError."""
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(150):
        layers = [bytearray(layer) for layer in encoded.layers]
        victim = layers[int(rng.integers(3))]
        for _ in range(int(rng.integers(1, 4))):
            victim[int(rng.integers(len(victim)))] = int(rng.integers(256))
        if rng.random() < 0.3:
            del victim[int(rng.integers(len(victim))) :]
        try:
            decoder.read([bytes(layer) for layer in layers])
        except BitstreamError:
            refused += 1
    assert refused > 10
