"""The JSON next to a picture."""

import json
from pathlib import Path

import numpy as np
import pytest

from misc_sender.semantics import FileSemantics
from misc_sender.semantics.sidecar import format_sidecar, parse_sidecar
from misc_shared.errors import ConfigError, SourceError
from misc_shared.semantics import Item, Semantics

PICTURE = np.zeros((16, 16, 3), np.uint8)


def describe(folder: Path, content: bytes) -> Semantics:
    """Read `content` as the semantics of photo.png."""
    (folder / "photo.png.json").write_bytes(content)
    return FileSemantics().describe(PICTURE, path=folder / "photo.png")


def test_items_and_caption_are_read(tmp_path: Path) -> None:
    """Rows of digits and rows of numbers mean the same; detail and map may be left out."""
    content = {
        "items": [
            {"name": "dog", "detail": "brown, large, center", "map": ["00", "01"]},
            {"name": "grass", "map": [[1, 1], [1, 0]]},
            {"name": "sky"},
        ],
        "caption": "A dog runs through the grass.",
    }
    found = describe(tmp_path, json.dumps(content).encode())
    assert found == Semantics(
        (
            Item("dog", "brown, large, center", np.array([[False, False], [False, True]])),
            Item("grass", "", np.array([[True, True], [True, False]])),
            Item("sky"),
        ),
        "A dog runs through the grass.",
    )


@pytest.mark.parametrize(
    "semantics",
    [
        Semantics(),
        Semantics((Item("dog", "brown", np.eye(8, 5, dtype=np.bool_)), Item("grass")), "a dog"),
    ],
)
def test_what_is_formatted_is_parsed_to_the_same(semantics: Semantics) -> None:
    """Maps keep their shape."""
    assert parse_sidecar(format_sidecar(semantics), Path("photo.png.json")) == semantics


def test_an_empty_object_says_nothing(tmp_path: Path) -> None:
    """Everything may be left out."""
    assert describe(tmp_path, b"{}") == Semantics()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "truncated"),
        (b"\xff{}", "malformed"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"captoin": "A dog."}', "unknown field `captoin`"),
        (b'{"caption": 3}', "Expected `str`, got `int` - at `$.caption`"),
        (b'{"items": [{}]}', "missing required field `name`"),
        (b'{"items": [{"name": ""}]}', "length >= 1"),
        (b'{"items": [{"name": "a", "map": []}]}', "length >= 1"),
        (b'{"items": [{"name": "a", "map": ["0x"]}]}', "matching regex"),
        (b'{"items": [{"name": "a", "map": [[0, 2]]}]}', "<= 1"),
        (b'{"items": [{"name": "a", "map": ["01", "0"]}]}', "rows of [1, 2] cells"),
        (json.dumps({"items": [{"name": "a"}] * 9}).encode(), "length <= 8"),
        (b'{"caption": "' + b"a" * 4001 + b'"}', "length <= 4000"),
        (b'{"items": [{"name": "a", "map": ["' + b"0" * 65 + b'"]}]}', "length <= 64"),
        (b" " * (1 << 20) + b"{}", "larger than the limit"),
        (b'{"items": ' + b"[" * 100_000, "photo.png.json"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    """The error says which file and what is wrong in it."""
    with pytest.raises(SourceError) as caught:
        describe(tmp_path, content)
    assert "photo.png.json" in str(caught.value)
    assert complaint in str(caught.value)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """It offers the backends that need no file."""
    with pytest.raises(SourceError, match=r"photo\.png\.json does not open .*--semantics nano"):
        FileSemantics().describe(PICTURE, path=tmp_path / "photo.png")


def test_a_camera_has_no_file_next_to_it() -> None:
    """A source without files can't have sidecar files."""
    with pytest.raises(ConfigError, match="no picture files; choose --semantics nano or none"):
        FileSemantics().describe(PICTURE)
