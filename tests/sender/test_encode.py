"""Pictures become layers within their budget."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from misc_sender.budget import Budget, frame_bytes
from misc_sender.encode import FrameEncoder
from misc_sender.shares import SIDE_SHARE
from misc_sender.sources import Frame
from misc_shared.codec import ImageDecoder
from misc_shared.errors import ConfigError
from misc_shared.maps import decode_maps
from misc_shared.packs import Pack, load_pack
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

Pixels = NDArray[np.uint8]
MTU = 222
BEST_QUALITY = 31


@pytest.fixture(scope="module")
def pack() -> Pack:
    """Open the embedded models."""
    return load_pack("nano")


def _encoder(pack: Pack, *, semantics: str = "none", mtu: int = MTU, **budget: int) -> FrameEncoder:
    return FrameEncoder(pack, semantics=semantics, budget=Budget(**budget), mtu=mtu)


def _described(folder: Path, pixels: Pixels) -> Frame:
    """Give a frame whose file says what is in it."""
    path = folder / "photo.png"
    Image.fromarray(pixels).save(path)
    rows = ["00000000"] * 4 + ["01111110"] * 4
    says = {
        "items": [{"name": "astronaut", "detail": "orange, large, center", "map": rows}],
        "caption": "A woman in an orange suit smiles.",
    }
    path.with_name("photo.png.json").write_text(json.dumps(says))
    return Frame(pixels=pixels, captured_at=0.0, path=path)


@pytest.mark.parametrize("max_bytes", [80, 250, 1180])
def test_the_budget_holds_and_is_used(pack: Pack, photo: Pixels, max_bytes: int) -> None:
    """All bytes, framing included, stay within --bytes, and most are used if quality needs them."""
    frame = Frame(pixels=photo[:256, :256], captured_at=0.0)
    encoded = _encoder(pack, max_bytes=max_bytes).encode(frame)
    assert encoded.wire_bytes == frame_bytes(encoded.layers, mtu=MTU)
    assert encoded.wire_bytes <= max_bytes
    assert encoded.wire_bytes >= 0.5 * max_bytes or encoded.quality == BEST_QUALITY
    assert encoded.bpp == encoded.wire_bytes * 8 / 256 / 256


def test_what_goes_out_decodes(pack: Pack, small_photo: Pixels) -> None:
    """The layers are the codec's, and give a picture of the captured size."""
    encoded = _encoder(pack, max_bytes=600).encode(Frame(pixels=small_photo, captured_at=0.0))
    kinds = [LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2]
    layers = [encoded.layers[kind] for kind in kinds if kind in encoded.layers]
    decoded = ImageDecoder(pack.component("codec")).decode(layers)
    assert decoded.pixels.shape == small_photo.shape
    assert decoded.quality == encoded.quality


def test_text_and_maps_go_along_where_there_is_room(
    pack: Pack, photo: Pixels, tmp_path: Path
) -> None:
    """They arrive as written, and take no more than their share."""
    encoded = _encoder(pack, semantics="file", max_bytes=2400).encode(_described(tmp_path, photo))
    said = TextCoder(pack.component("text")).decode(encoded.layers[LayerKind.TEXT])
    assert said.items[0].name == "astronaut"
    assert said.caption == "A woman in an orange suit smiles."
    assert decode_maps(encoded.layers[LayerKind.MAPS])[0].sum() == 24
    side = len(encoded.layers[LayerKind.TEXT]) + len(encoded.layers[LayerKind.MAPS])
    assert side <= SIDE_SHARE * 2400
    assert encoded.wire_bytes <= 2400


def test_the_picture_comes_before_words(pack: Pack, photo: Pixels, tmp_path: Path) -> None:
    """With few bytes the words shrink, then go; the picture stays."""
    frame = _described(tmp_path, photo)
    sides = []
    for max_bytes in (1180, 120, 70):
        encoded = _encoder(pack, semantics="file", max_bytes=max_bytes).encode(frame)
        assert encoded.layers[LayerKind.BASE]
        assert encoded.wire_bytes <= max_bytes
        picture = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)
        sides.append(sum(len(d) for kind, d in encoded.layers.items() if kind not in picture))
    assert sides[0] >= sides[1] >= sides[2] == 0 < sides[0]
    assert encoded.semantics.items == ()


def test_a_reserve_is_kept_free(pack: Pack, small_photo: Pixels) -> None:
    """What a recording's greeting takes is not spent on the picture."""
    frame = Frame(pixels=small_photo, captured_at=0.0)
    encoder = _encoder(pack, max_bytes=300)
    assert encoder.encode(frame, reserve=100).wire_bytes <= 200


def test_quality_alone_decides_where_no_bytes_are_given(pack: Pack, small_photo: Pixels) -> None:
    """More quality, more bytes."""
    frame = Frame(pixels=small_photo, captured_at=0.0)
    coarse, fine = (_encoder(pack, quality=quality).encode(frame) for quality in (2, 28))
    assert (coarse.quality, fine.quality) == (2, 28)
    assert coarse.wire_bytes < fine.wire_bytes


def test_quality_is_a_ceiling_where_bytes_are_given(pack: Pack, small_photo: Pixels) -> None:
    """Bytes that the quality does not need are saved."""
    frame = Frame(pixels=small_photo, captured_at=0.0)
    encoded = _encoder(pack, quality=3, max_bytes=5000).encode(frame)
    assert encoded.quality == 3
    assert encoded.wire_bytes < 2500


def test_too_few_bytes_is_one_sentence(pack: Pack, photo: Pixels) -> None:
    """It says how to mend it."""
    frame = Frame(pixels=photo, captured_at=0.0)
    with pytest.raises(ConfigError, match=r"12 bytes per picture are too few for 512x512 pixels"):
        _encoder(pack, max_bytes=12).encode(frame)


def test_packs_name_what_the_receiver_needs(pack: Pack) -> None:
    """Without words the text model need not agree."""
    assert set(_encoder(pack, max_bytes=99).packs) == {"codec"}
    assert set(_encoder(pack, semantics="file", max_bytes=99).packs) == {"codec", "text"}
