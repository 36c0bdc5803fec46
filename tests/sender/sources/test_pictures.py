"""Picture files: whatever they hold arrives upright, opaque and RGB, or is one sentence."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from misc_sender.sources import SourceOptions, open_source
from misc_shared.errors import ConfigError, SourceError

_UPPER_LEFT_RED = np.zeros((32, 48, 3), np.uint8)
_UPPER_LEFT_RED[:8, :8] = (255, 0, 0)


def _only_frame(path: Path, **options: object) -> np.ndarray:
    frames = list(open_source(str(path), options=SourceOptions(**options)).frames())
    assert len(frames) == 1
    assert frames[0].path == path
    return frames[0].pixels


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tiff", ".ppm"])
def test_lossless_formats_arrive_exactly(tmp_path: Path, suffix: str) -> None:
    """Pixels are those of the file."""
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(_UPPER_LEFT_RED).save(path, lossless=True)
    assert np.array_equal(_only_frame(path), _UPPER_LEFT_RED)


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    """A picture that the camera stored on its side arrives upright."""
    path = tmp_path / "turned.jpg"
    image = Image.fromarray(_UPPER_LEFT_RED)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to view"
    image.save(path, exif=exif, quality=95)
    pixels = _only_frame(path)
    assert pixels.shape == (48, 32, 3)
    assert pixels[4, 28].argmax() == 0
    assert pixels[4, 28, 0] > 200


def test_transparency_becomes_white(tmp_path: Path) -> None:
    """Alpha is flattened; half-transparent black is gray."""
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, 8:, 3] = 128
    path = tmp_path / "layer.png"
    Image.fromarray(rgba).save(path)
    pixels = _only_frame(path)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert abs(int(pixels[0, 12, 0]) - 127) <= 1


def test_a_transparent_palette_becomes_white(tmp_path: Path) -> None:
    """The one transparent colour of a GIF is no exception."""
    path = tmp_path / "icon.gif"
    image = Image.new("P", (16, 16), 0)
    image.putpalette([10, 20, 30] * 256)
    image.save(path, transparency=0)
    assert _only_frame(path)[3, 3].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", "YCbCr"])
def test_other_colour_modes(tmp_path: Path, mode: str) -> None:
    """Bitmaps, gray and print colours become RGB."""
    path = tmp_path / "photo.tiff"
    Image.new("RGB", (20, 16), (255, 255, 255)).convert(mode).save(path)
    pixels = _only_frame(path)
    assert pixels.shape == (16, 20, 3)
    assert pixels.min() >= 254


def test_sixteen_bit_gray_keeps_its_range(tmp_path: Path) -> None:
    """Middle gray of 16 bits is middle gray of 8, not white."""
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((16, 16), 0x8080, np.uint16)).save(path)
    assert np.unique(_only_frame(path)).tolist() == [0x80]


def test_the_largest_and_the_smallest(tmp_path: Path) -> None:
    """Sizes that cannot be sent are named, with the option that mends the large ones."""
    wide, tiny = tmp_path / "wide.png", tmp_path / "tiny.png"
    Image.new("RGB", (4097, 20)).save(wide)
    Image.new("RGB", (200, 15)).save(tiny)
    with pytest.raises(SourceError, match=r"4097x20 pixels, at most 4096.*--max-side 4096"):
        _only_frame(wide)
    with pytest.raises(SourceError, match=r"200x15 pixels, at least 16"):
        _only_frame(tiny)


def test_max_side_shrinks_and_keeps_the_shape(tmp_path: Path) -> None:
    """The longer side becomes what was asked, and small pictures stay as they are."""
    path = tmp_path / "large.jpg"
    Image.new("RGB", (1200, 800), (10, 200, 30)).save(path)
    assert _only_frame(path, max_side=300).shape == (200, 300, 3)
    assert _only_frame(path, max_side=2000).shape == (800, 1200, 3)


def test_a_decompression_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    """A header that claims gigapixels costs nothing."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data + b"\x00\x00\x10\x00IDAT" + bytes(4096))
    with pytest.raises(SourceError, match="more than 100 million pixels"):
        _only_frame(path)


def test_damaged_files_are_one_sentence(tmp_path: Path) -> None:
    """Cut-off files and files of another kind are named."""
    whole = tmp_path / "whole.png"
    Image.effect_noise((64, 64), 50).save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:1500])
    text = tmp_path / "text.jpg"
    text.write_text("this is no picture")
    for path in (cut, text):
        with pytest.raises(SourceError, match="is no picture that can be read"):
            _only_frame(path)


def test_a_folder_in_the_order_of_names(tmp_path: Path) -> None:
    """Pictures only, sorted, spaced by --fps."""
    for name in ("b.png", "a.jpg", "c.PNG"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    frames = list(open_source(str(tmp_path), options=SourceOptions(fps=4)).frames())
    assert [frame.path.name for frame in frames] == ["a.jpg", "b.png", "c.PNG"]
    assert [frame.captured_at for frame in frames] == [0.0, 0.25, 0.5]


def test_loop_begins_again(tmp_path: Path) -> None:
    """With loop, the first picture follows the last."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    frames = open_source(str(tmp_path), options=SourceOptions(loop=True)).frames()
    assert [next(frames).path.name for _ in range(5)] == ["a.png", "b.png"] * 2 + ["a.png"]


def test_what_is_not_there(tmp_path: Path) -> None:
    """Missing files and empty folders say so."""
    with pytest.raises(SourceError, match="there is no source"):
        open_source(str(tmp_path / "none.png"))
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": 1000}, {"max_side": 8}])
def test_options_out_of_range(options: dict[str, int]) -> None:
    """Numbers that make no sense are refused before anything is opened."""
    with pytest.raises(ConfigError, match="expected"):
        SourceOptions(**options)
