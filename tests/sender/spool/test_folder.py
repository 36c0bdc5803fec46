"""What a spool keeps, loses and survives."""

from pathlib import Path

import pytest

from misc_sender.spool import Spool, SpoolLimits
from misc_shared.errors import ConfigError
from misc_shared.wire import LayerKind

LAYERS = {
    LayerKind.BASE: b"b" * 100,
    LayerKind.TEXT: b"t" * 20,
    LayerKind.DETAIL1: b"d" * 300,
    LayerKind.DETAIL2: b"e" * 600,
}


def spool(folder: Path, *, total_bytes: int = 1 << 20, seconds: float = 3600.0) -> Spool:
    """One with these bounds."""
    return Spool(folder / "spool", SpoolLimits(total_bytes=total_bytes, seconds=seconds))


def test_it_gives_the_oldest_first_and_outlives_the_program(tmp_path: Path) -> None:
    """Whatever the order in which they came."""
    first = spool(tmp_path)
    for captured in (1002.5, 1001.25, 1003.0):
        first.add(captured, LAYERS)
    again = spool(tmp_path)
    assert len(again) == 3
    assert again.nbytes == first.nbytes
    found = []
    while (frame := again.oldest(1010.0)) is not None:
        assert frame.layers == LAYERS
        found.append(frame.captured)
        again.remove(frame.path)
    assert found == [1001.25, 1002.5, 1003.0]
    assert len(spool(tmp_path)) == 0


def test_of_a_long_outage_coarse_pictures_survive(tmp_path: Path) -> None:
    """The oldest lose their finest layer first, and no picture goes while one has detail."""
    one = spool(tmp_path, total_bytes=3000)
    for number in range(12):
        one.add(1000.0 + number, LAYERS)
        assert one.nbytes <= 3000
    assert len(one) == 12
    oldest = one.oldest(1010.0)
    assert oldest is not None
    assert oldest.captured == 1000.0
    assert LayerKind.BASE in oldest.layers
    assert LayerKind.DETAIL2 not in oldest.layers
    assert one.discarded == 0


def test_in_the_end_the_oldest_pictures_go(tmp_path: Path) -> None:
    """When nothing but first layers is left."""
    one = spool(tmp_path, total_bytes=1000)
    for number in range(30):
        one.add(1000.0 + number, LAYERS)
    assert one.nbytes <= 1000
    assert one.discarded == 30 - len(one)
    oldest = one.oldest(1040.0)
    assert oldest is not None
    assert oldest.captured == 1030.0 - len(one)


def test_what_is_too_old_is_worth_nothing(tmp_path: Path) -> None:
    """But a clock that was set back makes nothing old."""
    one = spool(tmp_path, seconds=60.0)
    one.add(1000.0, LAYERS)
    one.add(1050.0, LAYERS)
    assert one.oldest(500.0) is not None
    newer = one.oldest(1061.0)
    assert newer is not None
    assert newer.captured == 1050.0
    assert one.discarded == 1


@pytest.mark.parametrize("damage", [b"", b"junk", b"\x93\x01\xcb"])
def test_a_damaged_file_costs_one_count(tmp_path: Path, damage: bytes) -> None:
    """And so does a bit that turned over."""
    one = spool(tmp_path)
    one.add(1000.0, LAYERS)
    one.add(1001.0, LAYERS)
    victim, other = sorted((tmp_path / "spool").iterdir())
    victim.write_bytes(damage)
    data = bytearray(other.read_bytes())
    one.add(1002.0, LAYERS)
    data[40] ^= 1
    other.write_bytes(data)
    again = spool(tmp_path)
    frame = again.oldest(1010.0)
    assert frame is not None
    assert frame.captured == 1002.0
    assert again.corrupt == 2
    assert len(again) == 1


def test_what_a_crash_left_half_written_is_swept_away(tmp_path: Path) -> None:
    """Files of others stay."""
    spool(tmp_path)
    half = tmp_path / "spool" / "000000001000000.spool.part"
    half.write_bytes(b"half")
    (tmp_path / "spool" / "notes.txt").write_text("mine")
    assert len(spool(tmp_path)) == 0
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Before the first picture."""
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot use .* as spool"):
        spool(tmp_path)
