"""Writes the card: `python -m training.semantics_eval --cache DIR --work DIR --results FILE`.

FILE is the semantics.json of `misc-bench semantics` on the development images, which
`training.splits` writes to a folder. `--said FILE` writes what the pack says of training
photographs, a JSON line each, for `text.py` and `maps.py` to count.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from misc_sender.semantics.nano import ITEMS, NanoSemantics
from misc_shared.packs import load_pack, write_card
from training.semantics import Recipe, open_recipe, recipe_options
from training.semantics_export import DEFAULT_OUT


def main() -> None:
    """Write the card, and what is said in training."""
    parser = argparse.ArgumentParser(description=__doc__)
    recipe_options(parser)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="the pack's component")
    parser.add_argument("--hardware", default="one core of an AMD EPYC", help="for the card")
    parser.add_argument("--history", type=Path, help="what the card says of earlier runs, by line")
    parser.add_argument("--results", type=Path, help="semantics.json; without it no metrics")
    parser.add_argument("--said", type=Path, help="where to write what it says in training")
    parser.add_argument("--every", type=int, default=1, help="say one photograph in so many")
    options = parser.parse_args()
    steps = {name: _steps(options.work / f"{name}.pt") for name in ("vision", "captioner")}
    metrics = _metrics(options.results) if options.results else {}
    fields = _card(steps, metrics, options.hardware)
    if options.history:
        fields["history"] = options.history.read_text().splitlines()
    write_card(options.out, fields=fields)
    if options.said:
        backend = NanoSemantics(load_pack(options.out.parent).component("semantics"))
        _write_said(open_recipe(options), backend, options.said, options.every)


def _steps(checkpoint: Path) -> int:
    step: int = torch.load(checkpoint, weights_only=True)["step"]
    return step


def _metrics(results: Path) -> dict[str, Any]:
    measured = json.loads(results.read_text())
    bars = {
        bar["name"]: round(bar["value"], 4) for bar in measured["bars"] if bar["value"] is not None
    }
    return {**bars, **measured["figures"]}


def _write_said(recipe: Recipe, backend: NanoSemantics, path: Path, every: int) -> None:
    with path.open("w") as stream:
        for place in recipe.targets.train[::every]:
            semantics = backend.describe(recipe.cache.pictures[place])
            items = [
                {"name": one.name, "detail": one.detail, "map": _as_hex(one.map)}
                for one in semantics.items
            ]
            line = {
                "image": recipe.cache.names[place],
                "items": items,
                "caption": semantics.caption,
            }
            stream.write(json.dumps(line) + "\n")


def _as_hex(cells: NDArray[np.bool_] | None) -> str:
    return "" if cells is None else np.packbits(cells).tobytes().hex()


def _card(steps: dict[str, int], metrics: dict[str, Any], hardware: str) -> dict[str, Any]:
    return {
        "component": "semantics",
        "does": f"names up to {ITEMS} items, draws their maps at 32 x 32, writes a caption",
        "input": "RGB stretched to 160 x 160; the mirror image is looked at too",
        "data": [
            "Flickr8k images and captions (1,000 development images and 1 in 16 others kept out)",
            "imagenet-sample-images, imagen, NIPS 2017, CID22, CLIC 2025, houses, clothing",
            "weather, Caltech 101, Wikimedia crops",
            "labels by MobileNetV2, NanoDet-m and DeepLabv3; features of MobileNetV2 to agree with",
        ],
        "steps": steps,
        "hardware": hardware,
        "metrics": metrics,
        "licence": "Apache-2.0; trained from random weights on data for research (Flickr8k)",
    }


if __name__ == "__main__":
    main()
