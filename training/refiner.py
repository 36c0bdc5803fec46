"""Train the nano refiner on our own codec's decodes.

    python -m training.refiner --data DIR --teachers DIR --cache DIR --work DIR --minutes 120

Few-step form: the network estimates the original at the places of the bridge where 1 to 4 steps
stand. Half of the batches start at the coarse end, as every refinement does; most others stand
where the network's own first estimate leads, because that is what it meets in use; a few stand on
the true bridge. Every estimate is judged as a picture: pixel error, SqFD, SqTD, agreement with
the coarse picture, the features of a second network, and the error of its 4x4 means. Resumes from
the checkpoint in --work; the learning rate follows the share of --minutes spent. Several processes
may share the work: training.join.
"""

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from misc_receiver.refine.network import NanoNetwork
from training.loop import add_loop_arguments, cosine, follow, save_whole, train
from training.refiner_batches import UNSAID, Batch, Batches
from training.refiner_losses import RefinerLoss

AT_START, ON_POLICY = 0.5, 0.4
STEP_COUNTS = (2, 2, 3, 4)
WARM_UP = 60
LAYERS = (3, 3, 2, 2)
JUDGES = ("pixel", "feature", "texture", "second", "low")


def train_only_words(network: NanoNetwork) -> None:
    """Leave trainable only what words and maps pass through.

    That is the word table and, of the two layers that read it, the columns that do. Where nothing
    was said these see zeros, so such a picture is refined as before, to the last bit.
    """
    network.requires_grad_(False)
    network.words.requires_grad_(True)
    channels = network.words.embedding_dim
    painted, caption = network.unet.conv_in.weight, network.unet.class_embedding.linear_1.weight
    for weight, columns in ((painted, slice(-channels, None)), (caption, slice(channels))):
        mask = torch.zeros_like(weight)
        mask[:, columns] = 1
        weight.requires_grad_(True)
        weight.register_hook(mask.mul)


class RefinerTrainer:
    """Holds the network, its moving average, the optimiser and where the clock stands."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.rng = np.random.default_rng(int(time.time()))
        self.batches = Batches(
            args.data,
            args.cache,
            window=args.window,
            count=args.batch,
            unsaid=0.0 if args.only_words else UNSAID,
        )
        weights = {name: getattr(args, name) for name in JUDGES}
        self.loss = RefinerLoss(args.teachers, **weights)
        self.network = self._first_network()
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        if args.only_words:
            train_only_words(self.network)
        trained = [one for one in self.network.parameters() if one.requires_grad]
        # Decay would reach the columns of a matrix whose gradient is masked.
        decay = 0.0 if args.only_words else 1e-4
        self.optimiser = torch.optim.AdamW(trained, lr=args.rate, weight_decay=decay, fused=True)
        # At the last join with other processes, if there was one (training.join).
        self.step, self.spent, self.joined_step = 0, 0.0, 0
        args.work.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._resume()

    @property
    def _path(self) -> Path:
        return Path(self.args.work) / "refiner.pt"

    def _first_network(self) -> NanoNetwork:
        """Start from --warm, or from a network that gives the coarse picture back.

        A checkpoint, whose weights follow, tells what the network was built of.
        """
        if self._path.exists():
            settings = torch.load(self._path, weights_only=True, mmap=True)["settings"]
            return NanoNetwork(**settings).train()
        if self.args.warm is not None:
            return NanoNetwork.from_pretrained(
                self.args.warm, torch_dtype=torch.float32, low_cpu_mem_usage=False
            ).train()
        network = NanoNetwork(layers_per_block=LAYERS, texture=True)
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
        self.joined_step = state.get("joined_step", 0)

    def save(self) -> None:
        """Write the checkpoint."""
        parts = ("network", "average", "optimiser")
        state = {name: getattr(self, name).state_dict() for name in parts}
        clock = {name: getattr(self, name) for name in ("step", "spent", "joined_step")}
        config = self.network.config.items()
        settings = {name: value for name, value in config if not name.startswith("_")}
        save_whole({**state, **clock, "settings": settings}, self._path)

    def remaining(self) -> float:
        """Give the seconds left."""
        return float(self.args.minutes * 60 - self.spent)

    def add_time(self, seconds: float) -> None:
        """Count time as spent."""
        self.spent += seconds

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
        done = self.spent / (self.args.minutes * 60)
        for group in self.optimiser.param_groups:
            group["lr"] = self.args.rate * cosine(done, self.step, warm_up=WARM_UP)
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
        follow(self.average.parameters(), self.network.parameters(), self.step, slowest=0.996)
        return {"loss": float(total.detach()), **parts}


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of captions and labels")
    parser.add_argument("--teachers", type=Path, required=True, help="folder of sqfd.py")
    parser.add_argument("--cache", type=Path, required=True, help="from training.refiner_cache")
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--warm", type=Path, help="refiner folder of a pack to start from")
    add_loop_arguments(parser, minutes=120, batch=1)
    parser.add_argument("--window", type=int, default=384, help="longest edge of a window")
    parser.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    parser.add_argument("--pixel", type=float, default=3.0, help="weight of the squared error")
    parser.add_argument("--feature", type=float, default=6.0, help="weight of SqFD")
    parser.add_argument("--texture", type=float, default=45.0, help="weight of SqTD")
    parser.add_argument("--second", type=float, default=10.0, help="weight of a second network")
    parser.add_argument("--low", type=float, default=200.0, help="weight of 4x4 means' error")
    parser.add_argument(
        "--only-words", action="store_true", help="train only what words and maps pass through"
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    train(RefinerTrainer(args), args)


if __name__ == "__main__":
    main()
