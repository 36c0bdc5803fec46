"""A receiver of many streams whose disk goes and comes back, as real programs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.conftest import Broker

from misc_lab.fleet.disks import DiskSettings, run_disk_faults, small_disk


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a disk of a few megabytes."""
    mounting = small_disk(tmp_path_factory.mktemp("disk"))
    try:
        folder = mounting.__enter__()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a tmpfs can be mounted by root alone, where containers let it")
    yield folder
    mounting.__exit__(None, None, None)


async def test_a_folder_that_is_taken_away(broker: Broker, tmp_path: Path) -> None:
    """No stream ends, one sentence, `/healthz` says degraded, and pictures are written again."""
    settings = DiskSettings(
        port=broker.port, disk=tmp_path, streams=2, lasting=1.0, faults=("in the way",)
    )
    await _check(settings)


async def test_a_disk_that_is_full_and_then_read_only(broker: Broker, disk: Path) -> None:
    """The same, with a small disk of its own."""
    settings = DiskSettings(
        port=broker.port, disk=disk, streams=2, lasting=1.0, faults=("full", "read-only")
    )
    await _check(settings)


async def _check(settings: DiskSettings) -> None:
    measured = await run_disk_faults(settings)
    assert not measured["traceback"], measured["said"]
    for row in measured["faults"]:
        assert row["degraded"], row
        assert row["sentences"] == 1
        assert row["streams"] == settings.streams
        assert row["fewest_pictures_meanwhile"] > 0
        assert row["written_again"]
        assert row["healthy_again"]
