"""Average the weights of trainers that run side by side, through one file.

On a machine whose cores are shared with other work, threads of one process wait for the slowest
at every barrier. Independent processes do not: each trains on its own crops and now and then
moves to the middle between itself and what the others left in the file (elastic averaging,
Zhang, Choromanska and LeCun, 2015, with a moving rate of one half).
"""

import fcntl
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["meet"]


@torch.no_grad()
def meet(parameters: Iterable[Tensor], path: Path) -> None:
    """Move `parameters`, in place, and the file at `path` to the middle between both.

    A file that is missing, or of another shape, is replaced by these parameters.
    """
    kept = list(parameters)
    own = torch.cat([value.reshape(-1) for value in kept])
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        stored = file.read()
        if len(stored) == own.numel() * 4:
            theirs = torch.frombuffer(bytearray(stored), dtype=torch.float32)
            own = (own + theirs) / 2
        file.truncate(0)
        file.write(own.numpy().tobytes())
    for value, part in zip(kept, own.split([value.numel() for value in kept]), strict=True):
        value.copy_(part.view_as(value))
