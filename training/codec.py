"""Train the image codec, one stage of it; `training.codec_recipe` runs them all.

Loss at the displayed size: MSE, SqFD, 1 - MS-SSIM and SqTD, weighted by --weights; at the coded
size the error of mean colours (--areas) and of what repeats with the grid of pixels (--locked);
+ lambda(t) x coded bits per coded pixel. Without the last two it once bent to SqFD alone: walls
turned blue and a hatch lay over them. With too much of them, or of MSE, all texture goes, and
ST-LPIPS tells: watch both ends (`training.codec_eval`). Each step codes crops at one working scale
(displayed size / coded size), because at these rates most pictures are coded smaller than they are
shown. Layers 1 and 2 are dropped at random so that every prefix decodes. Stages "joint" and
"revived" (after training.codec_revive) train everything; "synthesis" goes on with the receiver's
half alone, on integers as the encoder really sends them. Resumes from the newest checkpoint in
--work; the learning rate follows the share of --minutes spent.
"""

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.codec_losses import Perceptual, area_error, locked_error, random_view
from training.codec_model import Codec, anchor_weights
from training.data import PhotoStore, ahead
from training.loop import add_loop_arguments, cosine, follow, save_whole, train
from training.splits import is_for_training

STAGES = ("joint", "revived", "synthesis")
CODED_SIDE = 192
DEAD_ZONE = 0.1
SCALES, SCALE_SHARES = (1.0, 1.25, 1.5, 2.0), (0.4, 0.3, 0.2, 0.1)
# On a CPU MS-SSIM takes as long as half of the networks: one step in so many has it, times as much.
STRUCTURE_EVERY = 4
LAMBDA_COARSE, LAMBDA_FINE = 60.0, 2.2
EVEN_SHARE = 0.35
# Around 0.4 of t lie .01 to .05 bits per pixel, at which pictures are sent.
USUAL = 0.8
# Quantiser steps are few numbers that have far to go.
GAIN_RATE = 10.0
# Before this many steps pictures are so far off that a clamp would leave no gradient, and latents
# so far that their likelihood would pull them to nothing.
UNCLAMPED_STEPS, FREE_LATENT_STEPS = 500, 300


def rate_weight(quality: Tensor) -> Tensor:
    """Lambda per coded bit per coded pixel: geometric from coarse to fine."""
    return LAMBDA_COARSE * (LAMBDA_FINE / LAMBDA_COARSE) ** quality


def resize(picture: Tensor, side: int) -> Tensor:
    """Bicubic with antialiasing, as Pillow does it at both ends of the link."""
    if picture.shape[-1] == side:
        return picture
    return F.interpolate(picture, size=(side, side), mode="bicubic", antialias=True)


def round_through(values: Tensor) -> Tensor:
    """Round, with the gradient of the identity."""
    return values + (values.round() - values).detach()


class CodecTrainer:
    """Holds the model, its moving average, the optimiser and where the clock stands."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.device = torch.device(args.device)
        self.rng = np.random.default_rng(int(time.time()))
        self.store = PhotoStore(
            sorted(args.data.glob("photos-*.tar")), args.work / "photos", keep=is_for_training
        )
        # On a CPU a thread that cuts crops would only take the core from the networks.
        self.batches = ahead(self._crops, depth=0 if self.device.type == "cpu" else 8)
        self.half = self.device.type == "cuda" or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
        self.perceptual = Perceptual(args.teachers, half=self.half).to(self.device)
        self.model = Codec().to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        learning = self.model.synthesis if args.stage == "synthesis" else self.model
        self.model.requires_grad_(False)
        learning.requires_grad_(True)
        self.optimiser = self._new_optimiser()
        # The whole training, and this stage of it.
        self.step, self.spent, self.stage_step, self.stage_spent = 0, 0.0, 0, 0.0
        self.joined_step = 0  # when training.join last had it
        if self._path.exists():
            self._resume()

    def _new_optimiser(self) -> torch.optim.Optimizer:
        learning = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        gains = [value for name, value in learning.items() if name.startswith("log_gains")]
        networks = [value for name, value in learning.items() if not name.startswith("log_gains")]
        groups: list[dict[str, object]] = [{"params": networks, "factor": 1.0}]
        if gains:
            groups.append({"params": gains, "factor": GAIN_RATE, "weight_decay": 0.0})
        return torch.optim.AdamW(groups, lr=self.args.rate, weight_decay=1e-4, fused=True)

    @property
    def _path(self) -> Path:
        return Path(self.args.work) / "codec.pt"

    def _resume(self) -> None:
        state = torch.load(self._path, weights_only=True, map_location=self.device)
        self.average.load_state_dict(state["average"])
        self.step, self.spent = state["step"], state["spent"]
        self.joined_step = state.get("joined_step", 0)
        if state["stage"] == self.args.stage and state["optimiser"]:
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.stage_step, self.stage_spent = state["stage_step"], state["stage_spent"]
        else:  # a new stage starts from the average, which is what will be shipped
            self.model.load_state_dict(state["average"])

    def save(self) -> None:
        """Write the checkpoint."""
        parts = ("model", "average", "optimiser")
        clock = ("step", "spent", "stage_step", "stage_spent", "joined_step")
        state = {name: getattr(self, name).state_dict() for name in parts}
        state |= {name: getattr(self, name) for name in clock}
        save_whole({**state, "stage": self.args.stage}, self._path)

    def remaining(self) -> float:
        """Give the seconds left of this stage."""
        return float(self.args.minutes * 60 - self.stage_spent)

    def add_time(self, seconds: float) -> None:
        """Count time as spent on this stage."""
        self.spent += seconds
        self.stage_spent += seconds

    def _crops(self) -> Tensor:
        """Random crops at displayed size for one working scale, uint8 [N, S, S, 3]."""
        scale = float(self.rng.choice(SCALES, p=SCALE_SHARES))
        side = round(CODED_SIDE * scale)
        return torch.from_numpy(
            np.stack([self.store.crop(self.rng, side) for _ in range(self.args.batch)])
        )

    def _schedule(self) -> tuple[float, float]:
        """Learning rate, and the factor on lambda: low first, so that latents carry something."""
        done = min(1.0, self.stage_spent / (self.args.minutes * 60))
        rate = self.args.rate * cosine(done, self.stage_step, warm_up=200)
        factor = min(1.0, self.args.lambda_begin + 2.5 * done)
        return rate, self.args.lambda_scale * factor

    def loss(self, picture: Tensor, lambda_factor: float) -> tuple[Tensor, dict[str, float]]:
        """Give the training loss of one batch of crops, [N, 3, S, S] in [0, 1], and its parts."""
        count = picture.shape[0]
        quality = self._qualities(count)
        draw = torch.rand(count, device=self.device)
        present = torch.stack([draw > 0.06, draw > 0.18], 1).float()
        coded = resize(picture, CODED_SIDE).to(memory_format=torch.channels_last)
        integers, noisy = self._latents(coded, quality)
        with self._half():
            decoded = self.model.decode(integers, quality, present)
        decoded = decoded.float()
        shown = resize(decoded, picture.shape[-1])
        context = [z.detach() if self.step < FREE_LATENT_STEPS else z for z in integers]
        with self._half():
            bits = self.model.bits(context, noisy, quality)
        bpp = (bits[0] + bits[1] * present[:, 0] + bits[2] * present[:, 1]) / CODED_SIDE**2
        # Layers nobody sent still need an entropy model: their bits count a little.
        spare = sum(bits) / CODED_SIDE**2
        error = (shown - picture).square().mean((1, 2, 3))
        far, unlike, lost = self._perceptual(shown, picture)
        areas, locked = area_error(decoded, coded), locked_error(decoded, coded)
        for_error, for_far, for_unlike, for_texture = self.args.weights
        total = for_error * error + for_far * far
        total = total + self.args.areas * areas + self.args.locked * locked
        if for_unlike and not unlike.isnan().any():
            total = total + for_unlike * STRUCTURE_EVERY * unlike
        if for_texture:
            total = total + for_texture * lost
        total = (total + rate_weight(quality) * lambda_factor * (bpp + 0.02 * spare)).mean()
        full = present[:, 1] > 0
        parts = {
            "loss": total,
            "mse": error[full].mean(),
            "areas": areas[full].mean(),
            "locked": locked[full].mean(),
            "sqfd": far[full].mean(),
            "unlike": unlike[full].mean(),
            "texture": lost[full].mean(),
            "bpp": bpp[full].mean(),
            "l0": bits[0].mean() / CODED_SIDE**2,
            "l1": bits[1].mean() / CODED_SIDE**2,
        }
        return total, {name: float(value.detach()) for name, value in parts.items()}

    def _qualities(self, count: int) -> Tensor:
        """Draw t for each picture: some of them evenly, most around the usual rates."""
        first, second = torch.rand(2, count, device=self.device)
        even = torch.rand(count, device=self.device) < EVEN_SHARE
        return torch.where(even, first, USUAL * (first + second) / 2)

    def _half(self) -> torch.autocast:
        """Half precision where the device has it; latents and likelihoods stay in float32."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half)

    def _latents(self, coded: Tensor, quality: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Latents at the quality's gains: as integers, and with the noise of rounding."""
        with self._half():
            latents = self.model.analysis(coded)
        gains = self.model.gains(anchor_weights(quality))
        scaled = [y.float() * g for y, g in zip(latents, gains, strict=True)]
        noisy = [y + torch.rand_like(y) - 0.5 for y in scaled]
        if self.args.stage != "synthesis":
            return [round_through(y) for y in scaled], noisy
        return [y.sign() * (y.abs() + 0.5 - DEAD_ZONE).floor() for y in scaled], noisy

    def _perceptual(self, shown: Tensor, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Distances [N] of one view of the batch: on a CPU they cost more than the networks."""
        shown, picture = random_view(shown, picture, self.rng)
        clipped = shown.clamp(0, 1) if self.step > UNCLAMPED_STEPS else shown
        far, unlike, lost = self.perceptual(
            clipped,
            picture,
            structure=self.args.weights[2] > 0 and self.step % STRUCTURE_EVERY == 0,
            texture=self.args.weights[3] > 0,
        )
        return far, unlike, lost

    def train_step(self) -> dict[str, float]:
        """Take one optimiser step on one batch."""
        rate, lambda_factor = self._schedule()
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        crops = next(self.batches).to(self.device, non_blocking=True)
        total, parts = self.loss(crops.permute(0, 3, 1, 2).float() / 255, lambda_factor)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        learning = [p for p in self.model.parameters() if p.requires_grad]
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        self.optimiser.step()
        self.step += 1
        self.stage_step += 1
        follow(self.average.parameters(), self.model.parameters(), self.stage_step, slowest=0.9985)
        return parts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every stage."""
    parser.add_argument("--data", type=Path, required=True, help="folder of photos-*.tar")
    parser.add_argument(
        "--teachers", type=Path, required=True, help="folder of sqfd.py and its weights"
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the cache and checkpoints"
    )
    parser.add_argument("--rate", type=float, default=3e-4, help="peak learning rate")
    parser.add_argument(
        "--weights",
        type=float,
        nargs=4,
        default=[13.0, 5.5, 2.5, 1.5],
        metavar=("MSE", "SQFD", "MS_SSIM", "SQTD"),
        help="of the parts of the distortion",
    )
    parser.add_argument(
        "--areas", type=float, default=200.0, help="weight of the error of mean colours"
    )
    parser.add_argument(
        "--locked", type=float, default=2000.0, help="weight of an error that repeats: a hatch"
    )
    parser.add_argument(
        "--lambda-scale", type=float, default=1.0, help="factor on lambda throughout"
    )
    parser.add_argument(
        "--lambda-begin", type=float, default=0.25, help="factor on lambda at a stage's beginning"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_loop_arguments(parser, minutes=120, batch=4)


def run(args: argparse.Namespace) -> None:
    """Train the stage that `args.stage` names."""
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    train(CodecTrainer(args), args)


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument(
        "--stage", choices=STAGES, default="joint", help="all networks, or the synthesis alone"
    )
    run(parser.parse_args())


if __name__ == "__main__":
    main()
