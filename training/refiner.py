"""Train the nano refiner on our own codec's decodes.

    python -m training.refiner --data DIR --teachers DIR --cache DIR --work DIR --minutes 30

Few-step form: the network estimates the original at the places of the bridge where 1 to 4 steps
stand. Half of the batches start at the coarse end, as every refinement does; most others stand
where the network's own first estimate leads, because that is what it meets in use; a few stand on
the true bridge. Every estimate is judged as a picture: pixel error, SqFD, SqTD and agreement with
the coarse picture. Resumes from the checkpoint in --work; the learning rate follows the share of
--minutes spent.
"""

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from misc_receiver.refine.network import NanoNetwork
from training.refiner_batches import Batch, Batches
from training.refiner_losses import RefinerLoss

AT_START, ON_POLICY = 0.5, 0.4
STEP_COUNTS = (2, 2, 3, 4)
WARM_UP = 60


class Trainer:
    """Holds the network, its moving average, the optimiser and where the clock stands."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.rng = np.random.default_rng(int(time.time()))
        self.batches = Batches(args.data, args.cache, window=args.window, count=args.batch)
        self.loss = RefinerLoss(args.teachers, pixel=args.pixel, texture=args.texture)
        self.network = self._first_network()
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=args.rate, weight_decay=1e-4, fused=True
        )
        self.step, self.spent = 0, 0.0
        args.work.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._resume()

    @property
    def _path(self) -> Path:
        return Path(self.args.work) / "refiner.pt"

    def _first_network(self) -> NanoNetwork:
        """Start from --warm, or from a network that gives the coarse picture back."""
        if self.args.warm is not None:
            return NanoNetwork.from_pretrained(
                self.args.warm, torch_dtype=torch.float32, low_cpu_mem_usage=False
            ).train()
        network = NanoNetwork()
        network.feature_scale.copy_(self.batches.feature_scale())
        torch.nn.init.zeros_(network.unet.conv_out.weight)
        torch.nn.init.zeros_(network.unet.conv_out.bias)
        return network.train()

    def _resume(self) -> None:
        state = torch.load(self._path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent = state["step"], state["spent"]

    def save(self) -> None:
        """Write the checkpoint so that a cut never leaves half of one."""
        parts = ("network", "average", "optimiser")
        state = {name: getattr(self, name).state_dict() for name in parts}
        partial = self._path.with_suffix(".part")
        torch.save({**state, "step": self.step, "spent": self.spent}, partial)
        partial.replace(self._path)

    def _set_rate(self) -> None:
        done = min(1.0, self.spent / (self.args.minutes * 60))
        fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))
        for group in self.optimiser.param_groups:
            group["lr"] = self.args.rate * fall * min(1.0, (self.step + 1) / WARM_UP)

    def place(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Choose where on the bridge the network stands: samples, and sigmas [N]."""
        coarse = batch.guidance.coarse.detach()
        start = coarse + self.network.noise_spread * torch.randn_like(coarse)
        whole = torch.ones(len(coarse))
        kind = self.rng.random()
        if kind < AT_START:
            return start, whole
        steps = int(self.rng.choice(STEP_COUNTS))
        sigma = 1 - int(self.rng.integers(1, steps)) / steps
        end = batch.original
        if kind < AT_START + ON_POLICY:
            with torch.no_grad():
                end = self.network(start, whole, batch.guidance)
        return sigma * start + (1 - sigma) * end, sigma * whole

    def train_step(self) -> dict[str, float]:
        """Take one optimiser step on one batch."""
        self._set_rate()
        batch = self.batches.draw(self.network, self.rng)
        sample, sigma = self.place(batch)
        estimate = self.network(sample, sigma, batch.guidance)
        pictures = (
            F.pixel_shuffle(planes, self.network.factor) / 2 + 0.5
            for planes in (estimate, batch.original, batch.guidance.coarse)
        )
        total, parts = self.loss(*pictures)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._average()
        return {"loss": float(total.detach()), **parts}

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(0.996, self.step / (self.step + 20))
        for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)


def run(args: argparse.Namespace) -> None:
    """Train until --minutes are spent over all runs, or this run's --run-minutes."""
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    trainer = Trainer(args)
    began = saved = mark = time.time()
    window: list[dict[str, float]] = []
    while trainer.spent < args.minutes * 60 and time.time() - began < args.run_minutes * 60:
        window.append(trainer.train_step())
        now = time.time()
        trainer.spent += now - mark
        mark = now
        if trainer.step % 20 == 0:
            means = {name: float(np.mean([row[name] for row in window])) for name in window[0]}
            report = [f"{name} {value:.4f}" for name, value in means.items()]
            print(trainer.step, f"{trainer.spent / 60:.1f} min", *report, flush=True)
            window = []
        if now - saved > args.save_seconds:
            trainer.save()
            saved = now
    trainer.save()


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of captions and labels")
    parser.add_argument("--teachers", type=Path, required=True, help="folder of sqfd.py")
    parser.add_argument("--cache", type=Path, required=True, help="from training.refiner_cache")
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--warm", type=Path, help="refiner folder of a pack to start from")
    parser.add_argument("--minutes", type=float, default=30, help="training time over all runs")
    parser.add_argument(
        "--run-minutes", type=float, default=1e9, help="stop this run after so long"
    )
    parser.add_argument("--save-seconds", type=float, default=120)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--window", type=int, default=192, help="edge of a training window")
    parser.add_argument("--rate", type=float, default=6e-4, help="peak learning rate")
    parser.add_argument("--pixel", type=float, default=60.0, help="weight of the squared error")
    parser.add_argument("--texture", type=float, default=3.0, help="weight of SqTD beside SqFD")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
