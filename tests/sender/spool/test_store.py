"""What a spool keeps, loses and survives."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.sender.spool.clocks import DAY, NOON, Clocks

from misc_sender.spool import Spool, SpoolLimits
from misc_shared.errors import ConfigError
from misc_shared.wire import LayerKind

LAYERS = {
    LayerKind.BASE: b"b" * 100,
    LayerKind.TEXT: b"t" * 20,
    LayerKind.DETAIL1: b"d" * 300,
    LayerKind.DETAIL2: b"e" * 600,
}
PACKS = {"codec": b"codec-01"}


def spool(
    folder: Path,
    clocks: Clocks | None = None,
    *,
    total_bytes: int = 1 << 20,
    seconds: float = DAY,
    stream: str = "garden",
) -> Spool:
    """One with these bounds."""
    limits = SpoolLimits(total_bytes=total_bytes, seconds=seconds)
    return Spool(folder / "spool", limits, stream=stream, packs=PACKS, clock=clocks or Clocks())


def captures(one: Spool) -> list[float]:
    """When the pictures that wait were captured, in the order in which they would be sent."""
    found = []
    while (frame := one.oldest()) is not None:
        found.append(frame.captured)
        one.remove(frame)
    return found


def test_it_gives_the_oldest_first_and_outlives_the_program(tmp_path: Path) -> None:
    """In the order in which they were captured, whatever the wall clock said."""
    clocks = Clocks()
    first = spool(tmp_path, clocks)
    for wall in (NOON + 50.5, NOON + 20.25, NOON + 60.0):
        clocks.passes(10.0)
        clocks.set_wall(wall, synchronised=False)
        assert first.add(clocks(), LAYERS) == wall
    first.close()
    clocks.boot("second", wall=NOON)
    again = spool(tmp_path, clocks)
    assert len(again) == 3
    assert again.nbytes == first.nbytes
    frame = again.oldest()
    assert frame is not None
    assert frame.layers == LAYERS
    assert frame.packs == PACKS
    assert captures(again) == [NOON + 50.5, NOON + 20.25, NOON + 60.0]
    assert not again.take_losses()
    again.close()
    assert len(spool(tmp_path)) == 0


def test_of_a_long_outage_coarse_pictures_survive(tmp_path: Path) -> None:
    """The oldest lose their finest layer first, and no picture goes while one has detail."""
    clocks = Clocks()
    one = spool(tmp_path, clocks, total_bytes=5000)
    for _ in range(12):
        one.add(clocks(), LAYERS)
        clocks.passes(1.0)
        assert one.nbytes <= 5000
    assert len(one) == 12
    oldest = one.oldest()
    assert oldest is not None
    assert oldest.captured == NOON
    assert LayerKind.BASE in oldest.layers
    assert LayerKind.DETAIL2 not in oldest.layers
    losses = one.take_losses()
    assert not losses.pictures
    assert losses.layers > 12


def test_in_the_end_the_oldest_pictures_go_and_are_counted(tmp_path: Path) -> None:
    """When nothing but first layers is left."""
    clocks = Clocks()
    one = spool(tmp_path, clocks, total_bytes=3000)
    for _ in range(30):
        one.add(clocks(), LAYERS)
        clocks.passes(1.0)
    assert one.nbytes <= 3000
    kept = len(one)
    assert one.take_losses().pictures == {"room": 30 - kept}
    assert not one.take_losses()
    assert captures(one) == [NOON + number for number in range(30 - kept, 30)]


def test_a_picture_that_made_room_while_it_was_sent_is_forgotten_once(tmp_path: Path) -> None:
    """What the spool says of itself stays true."""
    clocks = Clocks()
    one = spool(tmp_path, clocks, total_bytes=1000)
    one.add(clocks(), LAYERS)
    under_way = one.oldest()
    assert under_way is not None
    for _ in range(5):
        clocks.passes(1.0)
        one.add(clocks(), LAYERS)
    before = len(one), one.nbytes
    one.remove(under_way)
    assert (len(one), one.nbytes) == before
    one.close()
    again = spool(tmp_path, clocks)
    assert (len(again), again.nbytes) == before


def test_the_file_stays_near_its_bound(tmp_path: Path) -> None:
    """However long the outage: what is given up leaves its room to what comes."""
    clocks = Clocks()
    one = spool(tmp_path, clocks, total_bytes=200_000)
    for _ in range(600):
        one.add(clocks(), LAYERS)
        clocks.passes(1.0)
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) < 900_000


def test_what_is_too_old_is_worth_nothing_and_counted(tmp_path: Path) -> None:
    """By the time that passed, whatever was done to the wall clock."""
    clocks = Clocks()
    one = spool(tmp_path, clocks, seconds=60.0)
    one.add(clocks(), LAYERS)
    clocks.passes(50.0)
    one.add(clocks(), LAYERS)
    clocks.set_wall(NOON - 9 * DAY)
    clocks.passes(11.0)
    assert one.oldest() is not None
    assert len(one) == 1
    assert one.take_losses().pictures == {"age": 1}


def test_a_clock_that_is_put_right_takes_nothing_away(tmp_path: Path) -> None:
    """It was two days behind while pictures were kept: they stay, and get their true time."""
    clocks = Clocks()
    clocks.set_wall(NOON - 2 * DAY, synchronised=False)
    one = spool(tmp_path, clocks)
    one.add(clocks(), LAYERS)
    clocks.passes(30.0)
    clocks.set_wall(NOON + 30.0)
    assert captures(one) == [NOON]
    assert not one.take_losses()


@pytest.mark.parametrize(("synchronised", "waiting"), [(True, 0), (False, 1)])
def test_between_two_boots_only_a_right_clock_makes_old(
    tmp_path: Path, *, synchronised: bool, waiting: int
) -> None:
    """What a clock without a time server said is no reason to give a picture up."""
    clocks = Clocks(synchronised=synchronised)
    first = spool(tmp_path, clocks)
    first.add(clocks(), LAYERS)
    first.close()
    clocks.boot("second", wall=NOON + 2 * DAY, synchronised=True)
    again = spool(tmp_path, clocks)
    assert len(captures(again)) == waiting
    assert again.take_losses().pictures == ({} if waiting else {"age": 1})


def test_a_picture_keeps_its_time_once_it_was_tried(tmp_path: Path) -> None:
    """Its receiver knows it again by that."""
    clocks = Clocks()
    one = spool(tmp_path, clocks)
    one.add(clocks(), LAYERS)
    first = one.oldest()
    clocks.set_wall(NOON + DAY)
    again = one.oldest()
    assert first is not None
    assert again is not None
    assert first.tick == again.tick


def test_no_two_pictures_share_their_time(tmp_path: Path) -> None:
    """Not even where a camera without a clock boots at the same time again and again."""
    seen: set[int] = set()
    clocks = Clocks()
    for boot in range(4):
        clocks.boot(str(boot), wall=NOON)
        one = spool(tmp_path, clocks)
        for _ in range(3):
            one.add(clocks(), LAYERS)
        while (frame := one.oldest()) is not None:
            assert frame.tick not in seen
            seen.add(frame.tick)
            one.remove(frame)
        one.close()
    assert len(seen) == 12


def test_streams_that_share_a_folder_keep_apart(tmp_path: Path) -> None:
    """A picture is sent as what it was."""
    one = spool(tmp_path)
    one.add(Clocks()(), LAYERS)
    one.close()
    other = spool(tmp_path, stream="porch")
    assert other.oldest() is None
    assert len(other) == 0
    other.close()
    assert len(captures(spool(tmp_path))) == 1


def test_a_second_program_is_refused(tmp_path: Path) -> None:
    """One sentence, and the first goes on."""
    clocks = Clocks()
    one = spool(tmp_path, clocks)
    with pytest.raises(ConfigError, match="another program uses the spool"):
        spool(tmp_path, clocks)
    assert one.add(clocks(), LAYERS) is not None


@pytest.mark.parametrize("damage", ["no database", "pages", "empty"])
def test_a_damaged_file_costs_what_it_held_and_is_told(tmp_path: Path, damage: str) -> None:
    """The rest is kept, and new pictures too."""
    clocks = Clocks()
    one = spool(tmp_path, clocks)
    for _ in range(40):
        one.add(clocks(), LAYERS)
        clocks.passes(1.0)
    one.close()
    file = tmp_path / "spool" / "spool.sqlite3"
    data = bytearray(file.read_bytes())
    if damage == "no database":
        data[:100] = os.urandom(100)
    elif damage == "pages":
        data[len(data) // 2 : len(data) // 2 + 8192] = os.urandom(8192)
    else:
        data = bytearray(b"\0" * len(data))
    file.write_bytes(data)
    again = spool(tmp_path, clocks)
    again.add(clocks(), LAYERS)
    kept = len(captures(again))
    lost = again.take_losses().pictures
    assert lost["damage"] >= 1
    assert kept >= (2 if damage == "pages" else 1)
    assert (tmp_path / "spool" / "spool.sqlite3.damaged").exists()


def test_a_flipped_bit_costs_one_picture(tmp_path: Path) -> None:
    """SQLite does not notice it; we do."""
    clocks = Clocks()
    one = spool(tmp_path, clocks)
    for filling in (b"x", b"y"):
        one.add(clocks(), {LayerKind.BASE: filling * 200})
        clocks.passes(1.0)
    one.close()
    file = tmp_path / "spool" / "spool.sqlite3"
    data = file.read_bytes()
    assert data.count(b"x" * 200) == 1
    file.write_bytes(data.replace(b"x" * 200, b"x" * 120 + b"X" + b"x" * 79))
    again = spool(tmp_path, clocks)
    assert captures(again) == [NOON + 1]
    assert again.take_losses().pictures == {"damage": 1}


def test_a_full_disk_keeps_what_it_said_it_kept(tmp_path: Path) -> None:
    """A picture that did not fit is counted, and those before it are there."""
    script = """
import pathlib, resource, signal, sys
from tests.sender.spool.test_store import LAYERS, spool
from tests.sender.spool.clocks import Clocks
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
one, clocks = spool(pathlib.Path(sys.argv[1])), Clocks()
kept = 0
for _ in range(300):
    kept += one.add(clocks(), LAYERS) is not None
    clocks.passes(1.0)
losses = one.take_losses()
print(kept, losses.pictures.get("disk", 0), losses.detail, sep=";")
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    kept, failed, detail = done.stdout.strip().split(";")
    assert int(failed) > 0
    assert int(kept) + int(failed) == 300
    assert detail
    assert len(captures(spool(tmp_path))) == int(kept)


_WRITER = """
import itertools, pathlib, sys
from tests.sender.spool.test_store import LAYERS, spool
from tests.sender.spool.clocks import Clocks
one, clocks = spool(pathlib.Path(sys.argv[1])), Clocks()
clocks.boot(sys.argv[2], wall=float(sys.argv[3]))
for number in itertools.count():
    print(one.add(clocks(), LAYERS), flush=True)
    clocks.passes(1.0)
"""


def test_a_kill_loses_nothing_that_was_taken_in(tmp_path: Path) -> None:
    """At any moment, again and again."""
    told: list[float] = []
    for run in range(4):
        wall = NOON + 1000 * run
        command = [sys.executable, "-c", _WRITER, str(tmp_path), str(run), str(wall)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            told.append(float(writer.stdout.readline()))
            time.sleep(0.05 + 0.013 * run)
            writer.kill()
            told += [float(line) for line in writer.stdout if line.endswith("\n")]
    kept = captures(spool(tmp_path))
    assert set(told) <= set(kept)
    assert len(kept) - len(told) <= 4  # taken in, and killed before it was said
    assert kept == sorted(kept)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Before the first picture."""
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot use .* as spool"):
        spool(tmp_path)
