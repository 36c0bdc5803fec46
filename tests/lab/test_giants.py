"""Hostile names with the largest pictures beside cameras."""

from misc_lab.fleet.giants import GiantsSettings, run_giants
from misc_lab.fleet.virtual_time import run_in_virtual_time


def test_giants_starve_nobody_and_fill_no_memory() -> None:
    """Cameras are shown though pictures of 50 MB come all the time, and few of these are kept."""
    memory = 200 << 20
    settings = GiantsSettings(seconds=8.0, cameras=3, every=2.0, giants=6, memory=memory)
    measured = run_in_virtual_time(run_giants(settings), computing=True)
    assert measured["fewest"] >= 2
    assert measured["giants_shown"] > 0
    assert measured["decoded_pictures_mb"] <= memory / 1e6
