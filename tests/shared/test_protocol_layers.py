"""protocol.md, Layer payloads: its examples are what the text and map coders read and write."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from misc_shared.codec import DeltaHeader, Reference, is_delta
from misc_shared.codec.layout import LATENT_CHANNELS, Header
from misc_shared.codec.texture import pack_texture, unpack_texture
from misc_shared.errors import BitstreamError
from misc_shared.maps import decode_maps, encode_maps
from misc_shared.packs import load_pack
from misc_shared.semantics import Item, Semantics
from misc_shared.text import TextCoder

_TEXT = (Path(__file__).parents[2] / "protocol.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[list[str]]:
    """The lines of each block of a kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", _TEXT, re.MULTILINE | re.DOTALL)
    return [body.splitlines() for body in found]


def test_no_example_has_vanished() -> None:
    """A renamed fence would otherwise take its examples out of the tests in silence."""
    assert len(blocks("text-layer")) == 3
    assert len(blocks("maps-layer")) == 3
    assert len(blocks("delta-header")) == 2
    assert len(blocks("texture")) == 1
    assert len(blocks("refused-delta")) == 2
    assert len(blocks("text-delta")) == 1
    assert len(blocks("maps-delta")) == 1


@pytest.mark.parametrize("lines", blocks("text-layer"))
def test_text_layer_reads_and_writes_as_the_text_says(lines: list[str]) -> None:
    """With the embedded pack; counting its tables anew changes the n-gram examples."""
    coder = TextCoder(load_pack("nano").component("text"))
    said = json.loads(lines[1])
    semantics = Semantics(tuple(Item(*item) for item in said["items"]), said["caption"])
    assert coder.encode(semantics).hex(" ") == lines[0]
    assert coder.decode(bytes.fromhex(lines[0])) == semantics


@pytest.mark.parametrize("lines", blocks("maps-layer"))
def test_maps_layer_reads_and_writes_as_the_text_says(lines: list[str]) -> None:
    """The chances are part of the format, so these never change."""
    maps = [np.array([[cell == "1" for cell in row] for row in line.split()]) for line in lines[1:]]
    assert encode_maps(maps).hex(" ") == lines[0]
    assert np.array_equal(decode_maps(bytes.fromhex(lines[0])), maps)


@pytest.mark.parametrize("lines", blocks("delta-header"))
def test_delta_header_reads_and_writes_as_the_text_says(lines: list[str]) -> None:
    """And the digest is that of the base which the text describes."""
    header = Header(quality=16, scale_index=3, width=200, height=150)
    zeros = [np.zeros((c, *header.grid(k)), np.int64) for k, c in enumerate(LATENT_CHANNELS)]
    delta = DeltaHeader.unpack(bytes.fromhex(lines[0]))
    assert is_delta(bytes.fromhex(lines[0]))
    assert delta.pack().hex(" ") == lines[0]
    names = ("quality", "base", "base_layers", "joined", "same_text", "same_maps")
    assert " ".join(f"{name}={getattr(delta, name)}" for name in names) == lines[1]
    assert Reference(header, tuple(zeros)).digest(delta.base_layers) == delta.digest


@pytest.mark.parametrize("lines", blocks("texture"))
def test_texture_reads_and_writes_as_the_text_says(lines: list[str]) -> None:
    """Levels are far enough apart that two decimals name one."""
    written = bytes.fromhex(lines[0])
    said = np.array([float(contrast) for contrast in lines[1].split()], np.float32)
    np.testing.assert_allclose(2 ** unpack_texture(written), said, atol=0.005)
    assert pack_texture(np.log2(said)) == written


@pytest.mark.parametrize("lines", blocks("refused-delta"))
def test_malformed_delta_header_is_refused(lines: list[str]) -> None:
    """In the words of the text."""
    with pytest.raises(BitstreamError, match=lines[1]):
        DeltaHeader.unpack(bytes.fromhex(lines[0]))


@pytest.mark.parametrize("lines", blocks("text-delta"))
def test_text_delta_reads_and_writes_as_the_text_says(lines: list[str]) -> None:
    """Against the second whole example."""
    coder = TextCoder(load_pack("nano").component("text"))
    base = coder.decode(bytes.fromhex(blocks("text-layer")[1][0]))
    said = json.loads(lines[1])
    semantics = Semantics(tuple(Item(*item) for item in said["items"]), said["caption"])
    assert coder.encode(semantics, base).hex(" ") == lines[0]
    assert coder.decode(bytes.fromhex(lines[0]), base) == semantics


@pytest.mark.parametrize("lines", blocks("maps-delta"))
def test_maps_delta_reads_and_writes_as_the_text_says(lines: list[str]) -> None:
    """Against the second whole example."""
    base = decode_maps(bytes.fromhex(blocks("maps-layer")[1][0]))
    maps = [np.array([[cell == "1" for cell in row] for row in line.split()]) for line in lines[1:]]
    assert encode_maps(maps, base).hex(" ") == lines[0]
    assert np.array_equal(decode_maps(bytes.fromhex(lines[0]), base=base), maps)
