"""`misc-bench semantics`: figures of pictures whose truth is known."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from misc_lab.cli_bench import app
from misc_lab.semantics.annotations import read_annotations
from misc_lab.semantics.bars import Bar
from misc_lab.semantics.labels import VOC_NOUNS
from misc_lab.semantics.naming import Naming, words
from misc_lab.semantics.scores import bleu4, cider
from misc_sender.semantics.vocabulary import load_vocabulary
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack

CAPTIONS = ("A dog runs on the grass .", "Two brown puppies play .")


@pytest.fixture(scope="module")
def naming() -> Naming:
    """Return what the embedded vocabulary knows of words."""
    component = load_pack("nano").component("semantics")
    return Naming(load_vocabulary(component.file("vocabulary.json")))


def test_spellings_and_implications_count(naming: Naming) -> None:
    """Puppies are dogs, a man is a person, and nobody sees the camera."""
    assert {"dog", "grass"} <= naming.named(CAPTIONS)
    assert "person" in naming.named(["A man looks at the camera."])
    assert "camera" not in naming.named(["A man looks at the camera."])
    assert "car" in naming.named([], ["car"])
    assert "xylophone" in naming.named(["A xylophone."])


def test_bleu_and_cider_of_what_people_said() -> None:
    """The very words score highest, other words nothing, silence nothing."""
    references = [[words(CAPTIONS[0])] * 5, [words(CAPTIONS[1] + " here")] * 5]
    same = [one[0] for one in references]
    assert bleu4(same, references) == pytest.approx(1.0)
    assert cider(same, references) == pytest.approx(10.0)
    other = [["x", "y", "z", "w", "v"]] * 2
    assert bleu4(other, references) == 0.0
    assert cider(other, references) == 0.0
    assert cider([same[0], []], references) == pytest.approx(5.0)


def test_a_bar_holds_on_its_own_side() -> None:
    """At least, at most, and not measured."""
    assert Bar("share", 0.7, 0.7, least=True).held
    assert not Bar("bytes", 12.1, 12, least=False).held
    assert Bar("bytes", None, 12, least=False).held is None


def make_folder(folder: Path) -> list[str]:
    """Write two pictures with what is said of them, and annotations; return options."""
    pictures = folder / "pictures"
    pictures.mkdir()
    dog = np.zeros((32, 32), np.uint8)
    dog[8:24, 8:24] = VOC_NOUNS.index("dog") + 1
    for name, item in (("one", "dog"), ("two", "cat")):
        Image.fromarray(np.full((96, 128, 3), 99, np.uint8)).save(pictures / f"{name}.png")
        rows = ["00000000"] * 2 + ["00111100"] * 4 + ["00000000"] * 2
        says = {"items": [{"name": item, "map": rows}], "caption": "A dog runs on the grass."}
        (pictures / f"{name}.png.json").write_text(json.dumps(says))
    names = ["flickr/one.webp", "flickr/two.webp"]
    captions = [json.dumps({"image": name, "captions": CAPTIONS}) for name in names]
    boxes = [json.dumps({"image": name, "boxes": [["car", 0.4, 0, 0, 1, 1]]}) for name in names]
    (folder / "captions.jsonl").write_text("\n".join(captions))
    (folder / "boxes.jsonl").write_text("\n".join(boxes))
    np.savez(folder / "masks.npz", names=np.array(names), masks=np.stack([dog, dog]))
    (folder / "example.txt").write_text("Dog, Grass.\nA brown dog.\n\nThe dog runs and runs.")
    return [
        "semantics", str(pictures), "--captions", str(folder / "captions.jsonl"),
        "--boxes", str(folder / "boxes.jsonl"), "--masks", str(folder / "masks.npz"),
        "--example", str(folder / "example.txt"), "--out", str(folder / "out"),
    ]  # fmt: skip


def test_known_words_get_known_figures(tmp_path: Path) -> None:
    """Of a dog and a cat on pictures of dogs, half is right."""
    result = CliRunner().invoke(app, [*make_folder(tmp_path), "--semantics", "file"])
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "semantics.json").read_text())
    values = {bar["name"]: bar["value"] for bar in found["bars"]}
    assert values["items that are right"] == 0.5
    assert values["right items a picture"] == 0.5
    assert values["BLEU-4"] == pytest.approx(1.0)
    assert 0 < values["text bytes"] < 30
    assert values["map IoU at 16 x 16"] is None
    assert [one["right"] for one in found["pictures"]] == [[True], [False]]


def test_the_embedded_network_is_measured(tmp_path: Path) -> None:
    """Every figure but the bytes of three maps is there; gray pictures fail most of them."""
    result = CliRunner().invoke(app, [*make_folder(tmp_path), "--count", "1", "--threads", "1"])
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "semantics.json").read_text())
    values = {bar["name"]: bar["value"] for bar in found["bars"]}
    assert values["map IoU at 16 x 16"] is not None
    assert values["milliseconds, 512 x 384"] > 0
    assert found["figures"]["pictures"] == 1


@pytest.mark.parametrize(
    "line", ["no json", "[1]", '{"image": 1, "captions": []}', '{"image": ""}']
)
def test_broken_annotations_are_told(tmp_path: Path, line: str) -> None:
    """The message names the file."""
    path = tmp_path / "captions.jsonl"
    path.write_text(line)
    with pytest.raises(ConfigError, match=r"captions\.jsonl"):
        read_annotations(path, None, None)


def test_missing_files_are_told(tmp_path: Path) -> None:
    """Annotations and pictures alike."""
    with pytest.raises(ConfigError, match="masks"):
        read_annotations(None, None, tmp_path / "no.npz")
    result = CliRunner().invoke(app, ["semantics", str(tmp_path)])
    assert result.exit_code == 2
