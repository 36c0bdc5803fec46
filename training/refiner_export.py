"""Turn a checkpoint into a pack's refiner: fp16 weights, scheduler, card.

python -m training.refiner_export --work DIR --out shared/misc_shared/packs/nano/refiner
"""

import argparse
from pathlib import Path

import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from misc_receiver.refine.network import NanoNetwork
from misc_shared.packs import write_card

_PHOTOGRAPHS = (
    "photos-00..06 (imagenet-sample-images, imagen, NIPS 2017 attack set, CID22 training, "
    "CLIC 2025 validation crops, houses, clothing, weather, Caltech 101, Wikimedia crops)"
)
_CAPTIONED = "Flickr8k with captions (some of its training images; none kept for development)"
_TEACHERS = (
    "SqueezeNet 1.1 (ImageNet) and taef2's encoder (madebyollin/taesd) as losses; none of their "
    "weights are in here"
)
_LABELS = "pseudo-labels by MobileNetV2, NanoDet-m and DeepLabv3"


def export(args: argparse.Namespace) -> None:
    """Write the averaged weights and the card, without metrics yet."""
    state = torch.load(args.work / "refiner.pt", weights_only=True)
    network = NanoNetwork(**state["settings"])
    network.load_state_dict(state["average"])
    # What is added to the coarse picture comes from the last convolution alone.
    for values in network.unet.conv_out.parameters():
        values.data *= args.strength
    network.half().save_pretrained(args.out)
    FlowMatchEulerDiscreteScheduler().save_pretrained(args.out)
    for path in args.out.iterdir():
        path.chmod(0o644)  # safetensors keeps its files to their owner; a pack is for everyone
    fields = {
        "component": "refiner",
        "data": [_PHOTOGRAPHS, _CAPTIONED, _LABELS],
        "teachers": [_TEACHERS],
        "strength": args.strength,
        "recipe": "python -m training.refiner_cache, training.refiner, training.refiner_export"
        + (", training.join" if state.get("joined_step") else ""),
        "steps": state["step"],
        "hours": round(state["spent"] / 3600, 2),
        "hardware": args.hardware,
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "metrics": {},
        "licence": "Apache-2.0",
    }
    if args.history is not None:
        fields["history"] = args.history.read_text().splitlines()
    card = write_card(args.out, fields=fields)
    print(f"{args.out}: {', '.join(card['files'])}")


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, help="folder of refiner.pt")
    parser.add_argument("--out", type=Path, required=True, help="the refiner's folder in a pack")
    parser.add_argument("--history", type=Path, help="what the card says of earlier runs, by line")
    parser.add_argument("--hardware", default="2 CPU cores, no GPU", help="for the card")
    parser.add_argument(
        "--strength", type=float, default=1.0, help="factor on what it adds to the coarse picture"
    )
    export(parser.parse_args())


if __name__ == "__main__":
    main()
