"""Train the image codec: `python -m training.codec --data DIR --teachers DIR --work DIR`.

Loss at the displayed size: 100 MSE + SqFD + 1.5 (1 - MS-SSIM) + lambda(t) x coded bits per coded
pixel. Each step codes crops at one working scale (displayed size / coded size), because at these
rates most pictures are coded smaller than they are shown. Layers 1 and 2 are dropped at random so
that every prefix decodes. A second stage (--stage synthesis) goes on with the receiver's half
alone, on integers as the encoder really sends them. Resumes from the newest checkpoint in --work;
the learning rate follows the share of --minutes spent.
"""

import argparse
import copy
import importlib.util
import math
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_msssim import ms_ssim
from torch import Tensor

from training.codec_model import Codec
from training.data import PhotoStore

CODED_SIDE = 192
PERCEPTUAL_SIDE = 192
DEAD_ZONE = 0.1
SCALES, SCALE_SHARES = (1.0, 1.5, 2.0), (0.25, 0.45, 0.30)
LAMBDA_COARSE, LAMBDA_FINE = 20.0, 1.2


def load_by_path(path: Path) -> ModuleType:
    """Import a python file that is not on the module path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rate_weight(quality: Tensor) -> Tensor:
    """Lambda per coded bit per coded pixel: geometric from coarse to fine."""
    return LAMBDA_COARSE * (LAMBDA_FINE / LAMBDA_COARSE) ** quality


def batch(store: PhotoStore, rng: np.random.Generator, count: int, scale: float) -> Tensor:
    """Random crops at displayed size, float [N, 3, S, S] in [0, 1]."""
    side = round(CODED_SIDE * scale)
    crops = np.stack([store.crop(rng, side) for _ in range(count)])
    return torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255


def resize(picture: Tensor, side: int) -> Tensor:
    """Bicubic with antialiasing, as Pillow does it at both ends of the link."""
    if picture.shape[-1] == side:
        return picture
    return F.interpolate(picture, size=(side, side), mode="bicubic", antialias=True)


def round_through(values: Tensor) -> Tensor:
    """Round, with the gradient of the identity."""
    return values + (values.round() - values).detach()


def feature_distance(net: torch.nn.Module, shown: Tensor, picture: Tensor) -> Tensor:
    """SqFD per picture [N], as the teacher defines it but without full-size normalised copies.

    |u/|u| - v/|v||^2 = 2 - 2 u.v / (|u| |v|), which is three sums instead of six large temporaries.
    """
    with torch.no_grad():
        targets = net(picture)
    total = torch.zeros(len(shown))
    for found, target in zip(net(shown), targets, strict=True):
        product = (found * target).sum(1)
        lengths = (found.square().sum(1) * target.square().sum(1) + 1e-12).sqrt()
        total = total + (2 - 2 * product / lengths).mean((1, 2))
    return total / len(targets)


class Trainer:
    """Holds the model, its moving average, the optimiser and where the clock stands."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.rng = np.random.default_rng(int(time.time()))
        self.store = PhotoStore(sorted(args.data.glob("photos-*.tar")), args.work / "photos")
        teacher = load_by_path(args.teachers / "sqfd.py")
        self.net = teacher.SqueezeNet().to(memory_format=torch.channels_last)
        self.model = Codec().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        learning = self.model if args.stage == "joint" else self.model.synthesis
        self.model.requires_grad_(False)
        learning.requires_grad_(True)
        self.optimiser = torch.optim.AdamW(
            learning.parameters(), lr=args.rate, weight_decay=1e-4, fused=True
        )
        # The whole training, and this stage of it.
        self.step, self.spent, self.stage_step, self.stage_spent = 0, 0.0, 0, 0.0
        if self._path.exists():
            self._resume()

    @property
    def _path(self) -> Path:
        return Path(self.args.work) / "codec.pt"

    def _resume(self) -> None:
        state = torch.load(self._path, weights_only=True)
        self.average.load_state_dict(state["average"])
        self.step, self.spent = state["step"], state["spent"]
        if state["stage"] == self.args.stage:
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.stage_step, self.stage_spent = state["stage_step"], state["stage_spent"]
        else:  # a new stage starts from the average, which is what will be shipped
            self.model.load_state_dict(state["average"])

    def save(self) -> None:
        """Write the checkpoint so that a cut never leaves half of one."""
        state = {
            name: getattr(self, name).state_dict() for name in ("model", "average", "optimiser")
        }
        partial = self._path.with_suffix(".part")
        clock = {
            name: getattr(self, name) for name in ("step", "spent", "stage_step", "stage_spent")
        }
        torch.save({**state, **clock, "stage": self.args.stage}, partial)
        partial.replace(self._path)

    def _schedule(self) -> tuple[float, float]:
        """Learning rate, and the factor on lambda: low first, so that latents carry something."""
        done = min(1.0, self.stage_spent / (self.args.minutes * 60))
        rate = (
            self.args.rate
            * min(1.0, (self.stage_step + 1) / 200)
            * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        )
        return rate, min(1.0, 0.25 + 3.0 * done)

    def loss(self, picture: Tensor, lambda_factor: float) -> tuple[Tensor, dict[str, float]]:
        """Give the training loss of one batch of crops and its parts."""
        count = picture.shape[0]
        quality = torch.rand(count)
        coded = resize(picture, CODED_SIDE)
        gains = self.model.gains(
            torch.clamp(1 - (quality[:, None] * 7 - torch.arange(8)).abs(), min=0)
        )
        scaled = [
            y * g
            for y, g in zip(
                self.model.analysis(coded.to(memory_format=torch.channels_last)), gains, strict=True
            )
        ]
        integers = [self._quantise(y) for y in scaled]
        noisy = [y + torch.rand_like(y) - 0.5 for y in scaled]
        draw = torch.rand(count)
        present = torch.stack([draw > 0.06, draw > 0.18], 1).float()
        shown = resize(self.model.decode(integers, quality, present), picture.shape[-1])
        bits = self.model.bits(
            [z.detach() if self.step < 300 else z for z in integers], noisy, quality
        )
        counted = [bits[0], bits[1] * present[:, 0], bits[2] * present[:, 1]]
        bpp = sum(counted) / CODED_SIDE**2
        error = (shown - picture).square().mean((1, 2, 3))
        far, unlike = self._perceptual(shown, picture)
        # Layers nobody sent still need an entropy model: their bits count a little.
        spare = sum(bits) / CODED_SIDE**2
        total = (
            100 * error
            + far
            + 1.5 * unlike
            + rate_weight(quality) * lambda_factor * (bpp + 0.02 * spare)
        ).mean()
        full = present[:, 1] > 0
        parts = {
            "loss": total,
            "mse": error[full].mean(),
            "sqfd": far[full].mean(),
            "unlike": unlike[full].mean(),
            "bpp": bpp[full].mean(),
            "l0": bits[0].mean() / CODED_SIDE**2,
            "l1": bits[1].mean() / CODED_SIDE**2,
        }
        return total, {name: float(value.detach()) for name, value in parts.items()}

    def _quantise(self, scaled: Tensor) -> Tensor:
        if self.args.stage == "joint":
            return round_through(scaled)
        return scaled.sign() * (scaled.abs() + 0.5 - DEAD_ZONE).floor()

    def _perceptual(self, shown: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        """SqFD and 1 - MS-SSIM, each [N], of one window: they cost more than the networks."""
        side = picture.shape[-1]
        if side > PERCEPTUAL_SIDE:
            top, left = self.rng.integers(side - PERCEPTUAL_SIDE + 1, size=2)
            window = (..., slice(top, top + PERCEPTUAL_SIDE), slice(left, left + PERCEPTUAL_SIDE))
            shown, picture = shown[window], picture[window]
        clipped = shown.clamp(0, 1) if self.step > 500 else shown
        far = feature_distance(
            self.net, clipped.contiguous(memory_format=torch.channels_last), picture
        )
        return far, 1 - ms_ssim(clipped, picture, data_range=1.0, size_average=False)

    def train_step(self) -> dict[str, float]:
        """Take one optimiser step on one batch."""
        rate, lambda_factor = self._schedule()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        scale = float(self.rng.choice(SCALES, p=SCALE_SHARES))
        picture = batch(self.store, self.rng, self.args.batch, scale)
        total, parts = self.loss(picture, lambda_factor)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        learning = [p for p in self.model.parameters() if p.requires_grad]
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        self.optimiser.step()
        self.step += 1
        self.stage_step += 1
        decay = min(0.9985, self.stage_step / (self.stage_step + 20))
        with torch.no_grad():
            for kept, new in zip(self.average.parameters(), self.model.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)
        return parts


def run(args: argparse.Namespace) -> None:
    """Train until --minutes are spent over all runs, or this run's --run-minutes."""
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    trainer = Trainer(args)
    began = saved = mark = time.time()
    window: list[dict[str, float]] = []
    while trainer.stage_spent < args.minutes * 60 and time.time() - began < args.run_minutes * 60:
        window.append(trainer.train_step())
        now = time.time()
        trainer.spent += now - mark
        trainer.stage_spent += now - mark
        mark = now
        if trainer.step % 50 == 0:
            means = {name: float(np.nanmean([row[name] for row in window])) for name in window[0]}
            print(
                trainer.step,
                f"{trainer.spent / 60:.1f} min",
                *[f"{k} {v:.4f}" for k, v in means.items()],
                flush=True,
            )
            window = []
        if now - saved > args.save_seconds:
            trainer.save()
            saved = now
    trainer.save()


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of photos-*.tar")
    parser.add_argument(
        "--teachers", type=Path, required=True, help="folder of sqfd.py and its weights"
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the cache and checkpoints"
    )
    parser.add_argument(
        "--minutes", type=float, default=120, help="this stage's time over all runs"
    )
    parser.add_argument(
        "--stage",
        choices=("joint", "synthesis"),
        default="joint",
        help="all networks, or the synthesis alone while what is sent stays as it is",
    )
    parser.add_argument(
        "--run-minutes", type=float, default=1e9, help="stop this run after so long"
    )
    parser.add_argument("--save-seconds", type=float, default=120)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
