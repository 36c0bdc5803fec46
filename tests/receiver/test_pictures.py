"""Picture files: whole or not at all, and marked where something was invented."""

import fcntl
import logging
import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.sinks.pictures import PictureFolder
from misc_receiver.sinks.retention import Retention
from misc_shared.errors import LocalError


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def picture(number: int, pixels: NDArray[np.uint8], *, stream: str = "a") -> ShownPicture:
    """The coarse picture of a frame."""
    return ShownPicture(
        stream=stream, frame=f"0007-{number:06}", kind="coarse", pixels=pixels, generated=False
    )


def frames(folder: Path) -> list[int]:
    """The frames that have a file, in order."""
    return sorted(int(path.name.split("-")[-1].split(".")[0]) for path in folder.glob("*-0007-*"))


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
    path = PictureFolder(tmp_path).show(picture(3, small_photo, stream="porch"))
    assert path == tmp_path / "porch-0007-000003.coarse.png"


@pytest.mark.parametrize(("kind", "suffix"), [("jpeg", "jpg"), ("webp", "webp")])
def test_other_formats(
    tmp_path: Path, small_photo: NDArray[np.uint8], kind: str, suffix: str
) -> None:
    """JPEG and WebP take far less room, look the same, and say what they are."""
    label = {"DigitalSourceType": "compositeWithTrainedAlgorithmicMedia"}
    exact = PictureFolder(tmp_path).save(small_photo, stream="a", frame="f", kind="refined")
    path = PictureFolder(tmp_path, kind=kind).save(
        small_photo, stream="a", frame="f", kind="refined", label=label
    )
    assert path.name == f"a-f.refined.{suffix}"
    assert path.stat().st_size < exact.stat().st_size / 2
    assert b"compositeWithTrainedAlgorithmicMedia" in path.read_bytes()
    difference = np.asarray(Image.open(path).convert("RGB")).astype(int) - small_photo
    assert np.abs(difference).mean() < 5


def test_the_oldest_make_room(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """The folder stays within its bytes, those of an earlier run counted; others' files stay."""
    (tmp_path / "holiday.coarse.png").write_bytes(bytes(500_000))
    PictureFolder(tmp_path).show(picture(0, small_photo))
    each = -(-(tmp_path / "a-0007-000000.coarse.png").stat().st_size // 4096) * 4096
    folder = PictureFolder(tmp_path, retention=Retention(total_bytes=3 * each + 100))
    for number in range(1, 6):
        folder.show(picture(number, small_photo))
        assert folder.status().nbytes <= 3 * each + 100
    assert frames(tmp_path) == [3, 4, 5]
    assert folder.status().deleted == 3
    assert (tmp_path / "holiday.coarse.png").exists()


def test_a_flood_pushes_out_its_own_pictures(
    tmp_path: Path, small_photo: NDArray[np.uint8]
) -> None:
    """Whoever takes most room makes room."""
    folder = PictureFolder(tmp_path, retention=Retention(count=6))
    folder.show(picture(1, small_photo, stream="porch"))
    for number in range(20):
        folder.show(picture(number, small_photo, stream="flood"))
    assert len(list(tmp_path.iterdir())) == 6
    assert (tmp_path / "porch-0007-000001.coarse.png").exists()


def test_old_pictures_go_without_new_ones(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """By their age, of earlier runs too."""
    first = PictureFolder(tmp_path)
    for number, days in ((1, 9), (2, 3)):
        path = first.show(picture(number, small_photo))
        assert path is not None
        os.utime(path, (time.time() - days * 86_400,) * 2)
    folder = PictureFolder(tmp_path, retention=Retention(days=7))
    assert frames(tmp_path) == [2]
    assert folder.status().files == 1


def test_a_replaced_picture_counts_once(tmp_path: Path, small_photo: NDArray[np.uint8]) -> None:
    """Each sharper picture of a frame takes the place of the one before."""
    folder = PictureFolder(tmp_path)
    for _ in range(3):
        folder.show(picture(1, small_photo))
    assert folder.status().files == 1


def test_a_folder_that_is_taken_away(
    tmp_path: Path, small_photo: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence when it goes, one when it is back; no exception, no try at each picture."""
    clock = Clock()
    out = tmp_path / "out"
    folder = PictureFolder(out, clock=clock)
    shutil.rmtree(out)
    out.write_bytes(b"in the way")
    caplog.set_level(logging.WARNING)
    assert [folder.show(picture(number, small_photo)) for number in range(3)] == [None] * 3
    assert "Not a directory" in (folder.status().failure or "")
    out.unlink()
    assert folder.show(picture(3, small_photo)) is None  # not yet
    clock.now += 20
    assert folder.show(picture(4, small_photo)) is not None
    assert folder.status().failure is None
    assert folder.status().lost == {"failed": 4}
    assert len(caplog.messages) == 2
    assert "4 pictures were not kept" in caplog.messages[1]


def test_left_overs_of_a_killed_run_go(tmp_path: Path) -> None:
    """But not what is being written at this moment, nor what is not ours."""
    dead, alive, foreign = (
        tmp_path / name
        for name in ("a-0007-000001.coarse.png.tmp", "a-0007-000002.coarse.png.tmp", "notes.tmp")
    )
    for path in (dead, alive, foreign):
        path.write_bytes(b"half")
    with alive.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        PictureFolder(tmp_path)
        assert not dead.exists()
        assert alive.exists()
        assert foreign.exists()


def test_one_stream_cannot_write_without_end(
    tmp_path: Path, small_photo: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    """After what it may write at once it waits; others do not; it is told once."""
    clock = Clock()
    folder = PictureFolder(tmp_path, write_rate=10_000, clock=clock)
    noise = np.random.default_rng(1).integers(0, 255, (2048, 2048, 3), np.uint8)
    kept = [folder.show(picture(number, noise)) is not None for number in range(8)]
    assert kept == [True] * 6 + [False] * 2
    assert folder.show(picture(1, small_photo, stream="porch")) is not None
    assert folder.status().lost == {"limited": 2}
    assert sum("--write-rate" in message for message in caplog.messages) == 1
    clock.now += 3600
    assert folder.show(picture(9, small_photo)) is not None
