"""Join what several processes learned from one start, and let all go on from there.

    python -m training.join DIR DIR ...

Processes that train on cores of their own for some minutes and then go on from the mean of their
weights learn nearly as if they had shared every step, and need no network between them (local SGD:
Stich, ICLR 2019). Each counts by the steps that it took since the last join, so a process that had
to share its core is worth what it did. `training.refiner --run-minutes 6` is one such run, and so
is `training.codec --run-minutes 6`.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.loop import save_whole


def join(folders: list[Path]) -> dict[str, Any]:
    """Write the mean of all checkpoints into every folder; return it.

    Args:
        folders: each with one `*.pt`, all from the same start.

    Raises:
        FileNotFoundError: A folder has no checkpoint, or several.
    """
    paths = [_checkpoint(folder) for folder in folders]
    states = [torch.load(path, weights_only=True, map_location="cpu") for path in paths]
    begun = max(int(state.get("joined_step", 0)) for state in states)
    taken = [max(1, int(state["step"]) - begun) for state in states]
    shares = [one / sum(taken) for one in taken]
    mean: dict[str, Any] = _mean(states, shares)
    # What one process alone did is no measure of the schedule; the clock is.
    mean["step"] = mean["joined_step"] = begun + sum(taken)
    for clock in {"spent", "stage_spent"} & mean.keys():
        mean[clock] = max(float(state[clock]) for state in states)
    for path in paths:
        save_whole(mean, path)
    return mean


def _checkpoint(folder: Path) -> Path:
    found = list(folder.glob("*.pt"))
    if len(found) != 1:
        message = f"found {len(found)} checkpoints in {folder}, expected one"
        raise FileNotFoundError(message)
    return found[0]


def _mean(values: list[Any], shares: list[float]) -> Any:  # noqa: ANN401 - a state is a tree
    """Average the tensors of equal trees; everything else is taken from the first."""
    first = values[0]
    if isinstance(first, dict):
        return {key: _mean([value[key] for value in values], shares) for key in first}
    if isinstance(first, list):
        return [_mean(list(parts), shares) for parts in zip(*values, strict=True)]
    if isinstance(first, Tensor) and first.is_floating_point():
        weighted = [share * value for share, value in zip(shares, values, strict=True)]
        return torch.stack(weighted).sum(0)
    return first


def main() -> None:
    """Parse the command line and join."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", type=Path, nargs="+", help="folders of checkpoints")
    state = join(parser.parse_args().folders)
    print(f"{state['step']} steps by all, {state['spent'] / 60:.1f} min by the clock")


if __name__ == "__main__":
    main()
