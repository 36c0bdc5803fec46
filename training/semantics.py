"""Makes the nano semantics: `python -m training.semantics --cache DIR --work DIR --minutes 25`.

Trains the network that looks (72 % of the minutes) and then the captioner on what it sees, both
from random weights. Interrupted, the same command goes on from the last checkpoint; minutes are
counted in processor time, so that a busy machine trains as well as an idle one.
`semantics_export.py` writes the pack. `semantics_eval.py` measures what it can do.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from training.semantics_batches import Batches
from training.semantics_cache import TEACHER_CHANNELS, open_cache
from training.semantics_captioner import Captioner
from training.semantics_network import SemanticsNetwork
from training.semantics_targets import build_targets
from training.semantics_vision import train_vision
from training.semantics_words import load_nouns
from training.semantics_writer import caption_tokens, train_captioner

_SHARED = Path(__file__).resolve().parents[1].parent / "shared"
_VISION_SHARE = 0.72


def main() -> None:
    """Run the recipe."""
    options = _options()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    options.work.mkdir(parents=True, exist_ok=True)
    teachers = options.shared / "teachers"
    cache = open_cache(options.shared / "data", teachers, options.cache, processes=options.threads)
    nouns = load_nouns()
    labels = teachers / "imagenet_labels.txt"
    targets = build_targets(cache.names, options.shared / "data", labels, nouns)
    batches = Batches(cache, targets, seed=0)
    network = SemanticsNetwork(
        len(nouns.names), torch.from_numpy(targets.placed), TEACHER_CHANNELS
    ).to(memory_format=torch.channels_last)
    minutes = options.minutes * _VISION_SHARE
    train_vision(network, batches, options.work / "vision.pt", minutes=minutes)
    tokens = caption_tokens([text for place in targets.train for text in targets.captions[place]])
    captioner = Captioner(len(tokens), network.whole_words.in_features + len(nouns.names))
    train_captioner(
        captioner,
        network,
        batches,
        tokens,
        options.work / "captioner.pt",
        minutes=options.minutes - minutes,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=_SHARED, help="folder of data and teachers")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded photographs")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--minutes", type=float, default=25, help="of processor time, all runs together")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
