"""Checkpoints of several processes, joined by the steps that each took."""

from pathlib import Path

import pytest
import torch
from training.join import join


def _checkpoint(folder: Path, value: float, *, step: int, joined_step: int = 0) -> Path:
    folder.mkdir()
    state = {
        "network": {"weight": torch.full((2,), value), "count": torch.tensor(3)},
        "optimiser": {"state": {0: {"exp_avg": torch.full((2,), value)}}, "groups": [{"lr": 0.1}]},
        "step": step,
        "spent": 10.0 * value,
        "joined_step": joined_step,
    }
    torch.save(state, folder / "refiner.pt")
    return folder


def test_weights_are_averaged_by_the_steps_taken(tmp_path: Path) -> None:
    """Moments too; steps add up, time does not."""
    one = _checkpoint(tmp_path / "one", 1.0, step=130, joined_step=100)
    two = _checkpoint(tmp_path / "two", 5.0, step=110, joined_step=100)
    state = join([one, two])
    # 30 steps towards 1 and 10 towards 5.
    torch.testing.assert_close(state["network"]["weight"], torch.full((2,), 2.0))
    moment = state["optimiser"]["state"][0]["exp_avg"]
    torch.testing.assert_close(moment, torch.full((2,), 2.0))
    assert (state["step"], state["joined_step"], state["spent"]) == (140, 140, 50.0)


def test_all_go_on_from_the_same_place(tmp_path: Path) -> None:
    """Every folder holds the mean, counters are left whole."""
    folders = [
        _checkpoint(tmp_path / name, value, step=7)
        for name, value in (("one", 1.0), ("two", 2.0), ("three", 3.0))
    ]
    join(folders)
    states = [torch.load(folder / "refiner.pt", weights_only=True) for folder in folders]
    for state in states:
        torch.testing.assert_close(state["network"]["weight"], torch.full((2,), 2.0))
        assert state["network"]["count"] == 3
        assert state["step"] == 21


def test_a_folder_with_several_checkpoints_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    """Which of them was meant, only their owner knows."""
    one = _checkpoint(tmp_path / "one", 1.0, step=7)
    two = _checkpoint(tmp_path / "two", 2.0, step=7)
    (two / "codec.pt").write_bytes((two / "refiner.pt").read_bytes())
    before = (one / "refiner.pt").read_bytes()
    with pytest.raises(FileNotFoundError, match="found 2 checkpoints"):
        join([one, two])
    assert (one / "refiner.pt").read_bytes() == before
