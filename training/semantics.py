"""Makes the nano semantics: `python -m training.semantics --cache DIR --work DIR`.

Trains the network that looks, then the captioner on what it sees, both from random weights.
Interrupted, the same command goes on from the last checkpoint; minutes are counted by the clock.
`semantics_export.py` writes the pack. `semantics_eval.py` measures what it can do.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.loop import train
from training.semantics_batches import Batches
from training.semantics_cache import TEACHER_SHAPES, Cache, open_cache
from training.semantics_captioner import Captioner
from training.semantics_familiar import teach_familiar
from training.semantics_network import SemanticsNetwork
from training.semantics_refit import look, refit_words
from training.semantics_targets import Targets, build_targets
from training.semantics_vision import VisionTrainer
from training.semantics_words import Nouns, load_nouns
from training.semantics_writer import CaptionTrainer, caption_tokens

__all__ = ["Recipe", "open_recipe", "recipe_options"]

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@dataclass(frozen=True)
class Recipe:
    """All that training, exporting and measuring share."""

    cache: Cache
    nouns: Nouns
    targets: Targets
    tokens: list[str]
    network: SemanticsNetwork
    captioner: Captioner
    familiar: nn.Linear

    def load(self, work: Path) -> dict[str, int]:
        """Take the weights of finished checkpoints, and return their steps."""
        vision = torch.load(work / "vision.pt", weights_only=True)
        self.network.load_state_dict(vision["network"])
        writer = torch.load(work / "captioner.pt", weights_only=True)
        self.captioner.load_state_dict(writer["captioner"])
        self.familiar.load_state_dict(torch.load(work / "familiar.pt", weights_only=True))
        return {"vision": vision["step"], "captioner": writer["step"]}


def recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command of this recipe takes."""
    parser.add_argument("--shared", type=Path, default=_SHARED, help="folder of data and teachers")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded photographs")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--threads", type=int, default=1)


def open_recipe(options: argparse.Namespace) -> Recipe:
    """Read the data and make untrained networks of the right size."""
    data, teachers = options.shared / "data", options.shared / "teachers"
    cache = open_cache(data, teachers, options.cache, processes=options.threads)
    nouns = load_nouns()
    targets = build_targets(cache, data, teachers / "imagenet_labels.txt", nouns)
    tokens = caption_tokens([text for place in targets.train for text in targets.captions[place]])
    placed = torch.from_numpy(targets.placed)
    channels = {name: shape[-1] for name, shape in TEACHER_SHAPES.items()}
    network = SemanticsNetwork(len(nouns.names), placed, channels)
    width = network.whole_words.in_features
    captioner = Captioner(len(tokens), width + len(nouns.names))
    return Recipe(cache, nouns, targets, tokens, network, captioner, nn.Linear(width, 1))


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    recipe_options(parser)
    parser.add_argument("--vision-minutes", type=float, default=115, help="by the clock")
    parser.add_argument("--caption-minutes", type=float, default=20, help="by the clock")
    parser.add_argument("--run-minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--save-seconds", type=float, default=120)
    parser.add_argument("--report-steps", type=int, default=25)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    options.work.mkdir(parents=True, exist_ok=True)
    recipe = open_recipe(options)
    network = recipe.network.to(memory_format=torch.channels_last)
    batches = Batches(recipe.cache, recipe.targets, seed=0)
    vision = VisionTrainer(
        network,
        batches,
        options.work / "vision.pt",
        minutes=options.vision_minutes,
    )
    train(vision, options)
    if vision.remaining() > 0:
        return
    seen = look(network, batches, recipe.targets.train)
    refit_words(network, batches, seen)
    vision.save()
    captioned = np.array([bool(recipe.targets.captions[place]) for place in seen.places])
    teach_familiar(recipe.familiar, seen, captioned)
    torch.save(recipe.familiar.state_dict(), options.work / "familiar.pt")
    writer = CaptionTrainer(
        recipe.captioner,
        network,
        batches,
        recipe.tokens,
        seen.only(captioned),
        options.work / "captioner.pt",
        minutes=options.caption_minutes,
    )
    train(writer, options)


if __name__ == "__main__":
    main()
