"""What every recipe's training loop does: watch the clock, report, save, resume."""

import argparse
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

__all__ = ["Trainer", "add_loop_arguments", "cosine", "follow", "save_whole", "train"]


class Trainer(Protocol):
    """One recipe at work."""

    step: int
    spent: float

    def train_step(self) -> dict[str, float]:
        """Take one optimiser step; give figures to report, nan for those it cannot tell."""
        ...

    def remaining(self) -> float:
        """Give the seconds of training that are left by the recipe."""
        ...

    def add_time(self, seconds: float) -> None:
        """Count time as spent."""
        ...

    def save(self) -> None:
        """Write the checkpoint."""
        ...


def add_loop_arguments(parser: argparse.ArgumentParser, *, minutes: float, batch: int) -> None:
    """Add the options that `train` and every recipe understand."""
    parser.add_argument("--minutes", type=float, default=minutes, help="time over all runs")
    parser.add_argument(
        "--run-minutes", type=float, default=1e9, help="stop this run after so long"
    )
    parser.add_argument("--save-seconds", type=float, default=120)
    parser.add_argument("--report-steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=batch)


def train(trainer: Trainer, args: argparse.Namespace) -> None:
    """Train until the recipe's time, or --run-minutes, is over; save now and then."""
    began = saved = mark = time.time()
    window: list[dict[str, float]] = []
    while trainer.remaining() > 0 and time.time() - began < args.run_minutes * 60:
        window.append(trainer.train_step())
        now = time.time()
        trainer.add_time(now - mark)
        mark = now
        if trainer.step % args.report_steps == 0:
            report = [
                f"{name} {np.nanmean([row[name] for row in window]):.4f}" for name in window[0]
            ]
            print(trainer.step, f"{trainer.spent / 60:.1f} min", *report, flush=True)
            window = []
        if now - saved > args.save_seconds:
            trainer.save()
            saved = now
    trainer.save()


def cosine(done: float, step: int, *, warm_up: int) -> float:
    """Give the factor on the peak learning rate: linear warm-up, then a cosine to 2 %.

    Args:
        done: Share of the training that is over, 0..1.
        step: Steps taken.
        warm_up: Steps of the warm-up.
    """
    fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return fall * min(1.0, (step + 1) / warm_up)


@torch.no_grad()
def follow(
    average: Iterable[Tensor], parameters: Iterable[Tensor], step: int, *, slowest: float
) -> None:
    """Move the average towards the parameters: fast at first, by 1 - `slowest` later."""
    share = 1 - min(slowest, step / (step + 20))
    for kept, new in zip(average, parameters, strict=True):
        kept.lerp_(new, share)


def save_whole(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint so that a cut never leaves half of one."""
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)
