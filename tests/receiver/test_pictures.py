"""Picture files: whole or not at all, and marked where something was invented."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.errors import LocalError


def test_names_and_pixels(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """STREAM-FRAME.KIND.png in a folder that is made; the pixels are exact."""
    folder = PictureFolder(tmp_path / "made" / "here")
    path = folder.save(small_photo, stream="porch", frame="0007-000012", kind="coarse")
    assert path == tmp_path / "made" / "here" / "porch-0007-000012.coarse.png"
    assert np.array_equal(np.asarray(Image.open(path)), small_photo)


def test_the_label_is_in_the_file(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """Any PNG reader can tell a refined picture."""
    label = {"DigitalSourceType": "compositeWithTrainedAlgorithmicMedia", "Seed": "7"}
    path = PictureFolder(tmp_path).save(
        small_photo, stream="a", frame="f", kind="refined", label=label
    )
    with Image.open(path) as image:
        image.load()
        assert label.items() <= image.text.items()


def test_a_reader_never_sees_half_a_picture(tmp_path: Path) -> None:
    """While a picture is replaced again and again, every read gives a whole one."""
    folder = PictureFolder(tmp_path)
    noise = np.random.default_rng(1).integers(0, 255, (256, 256, 3), np.uint8)
    path = folder.save(noise, stream="a", frame="f", kind="coarse")
    done = threading.Event()

    def replace() -> None:
        for _ in range(10):
            folder.save(noise, stream="a", frame="f", kind="coarse")
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    while not done.is_set():
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), noise)
    writer.join()
    assert [file.name for file in tmp_path.iterdir()] == ["a-f.coarse.png"]


def test_a_place_that_cannot_be_written(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """One sentence each for the folder and the file."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LocalError, match="cannot make the folder"):
        PictureFolder(tmp_path / "file")
    folder = PictureFolder(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(LocalError, match=r"cannot write .*coarse\.png: No such file"):
        folder.save(small_photo, stream="a", frame="f", kind="coarse")


def test_as_a_sink(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """What is shown is saved under its stream's name."""
    picture = ShownPicture(
        stream="porch", frame="f", kind="coarse", pixels=small_photo, generated=False
    )
    assert PictureFolder(tmp_path).show(picture) == tmp_path / "porch-f.coarse.png"
