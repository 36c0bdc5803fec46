"""Packs are what their cards say, or a sentence tells what is wrong."""

from pathlib import Path

import pytest

from misc_shared.errors import PackError
from misc_shared.packs import CARD_NAME, Component, load_pack, write_card

FIELDS = {
    "component": "codec",
    "data": [],
    "steps": 1,
    "hardware": "none",
    "metrics": {},
    "licence": "Apache-2.0",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a pack of one component of one file."""
    made = tmp_path / "codec"
    made.mkdir()
    (made / "weights.bin").write_bytes(b"weights")
    write_card(made, fields=FIELDS)
    return made


def _open(folder: Path) -> Component:
    return load_pack(folder.parent).component(folder.name)


def test_opens_what_write_card_wrote(folder: Path) -> None:
    """A component has its files, its card and a digest of eight bytes."""
    component = _open(folder)
    assert component.file("weights.bin").read_bytes() == b"weights"
    assert component.card["licence"] == "Apache-2.0"
    assert len(component.digest) == 8


def test_digest_follows_the_weights(folder: Path) -> None:
    """Other weights have another digest, another card text has not."""
    before = _open(folder).digest
    write_card(folder, fields={**FIELDS, "hardware": "another"})
    assert _open(folder).digest == before
    (folder / "weights.bin").write_bytes(b"other weights")
    write_card(folder, fields=FIELDS)
    assert _open(folder).digest != before


def test_refuses_altered_weights(folder: Path) -> None:
    """A file that differs from its hash is never used."""
    (folder / "weights.bin").write_bytes(b"weightz")
    with pytest.raises(PackError, match="is damaged"):
        _open(folder)


def test_names_a_missing_file(folder: Path) -> None:
    """A file that is gone, or that the card never listed, is named."""
    with pytest.raises(PackError, match=r"no file 'other\.bin'"):
        _open(folder).file("other.bin")
    (folder / "weights.bin").unlink()
    with pytest.raises(PackError, match="does not read"):
        _open(folder)


@pytest.mark.parametrize("card", ["not json", "[]", "{}", '{"files": 3}'])
def test_refuses_a_malformed_card(folder: Path, card: str) -> None:
    """A card that is no card is one sentence."""
    (folder / CARD_NAME).write_text(card)
    with pytest.raises(PackError, match=r"card|reads? as"):
        _open(folder)


def test_names_a_missing_pack_and_component(tmp_path: Path) -> None:
    """What is missing is named with where it was looked for."""
    with pytest.raises(PackError, match="no model pack at"):
        load_pack(tmp_path / "nowhere")
    assert not load_pack(tmp_path).has("codec")
    with pytest.raises(PackError, match="component is missing"):
        load_pack(tmp_path).component("codec")


@pytest.mark.parametrize("name", ["codec", "text", "semantics", "refiner"])
def test_embedded_pack_is_whole(name: str) -> None:
    """The pack inside the package has every component, with an honest card."""
    card = load_pack().component(name).card
    assert card["metrics"]
    assert card["steps"]
    assert card["licence"].startswith("Apache-2.0")
