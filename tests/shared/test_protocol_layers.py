"""protocol.md, Layer payloads: its examples are what the text and map coders read and write."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

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
