"""What a camera knows of a moment."""

import dataclasses
import time
from pathlib import Path

from misc_sender.spool import this_moment
from misc_sender.spool.database import open_database


def test_this_machine_knows_its_boot_and_the_time_since() -> None:
    """And what passes between two looks is the same on both clocks."""
    first = this_moment()
    time.sleep(0.05)
    second = this_moment()
    assert first.boot == second.boot != ""
    age = first.seconds_until(second)
    assert age is not None
    assert 0.05 <= age < 5.0
    assert first.true_wall(second) == first.wall
    assert abs(first.wall - time.time()) < 5.0


def test_a_moment_of_an_unknown_boot_is_like_no_other() -> None:
    """Its age is unknown where no time server was followed."""
    unknown = dataclasses.replace(this_moment(), boot="", synchronised=False)
    assert unknown.seconds_until(unknown) is None


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """SQLite's own setting: 2 is FULL, and the log is written ahead."""
    database, damaged = open_database(tmp_path / "spool" / "spool.sqlite3")
    assert not damaged
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
