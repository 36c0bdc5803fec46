"""Measures the pack, writes its card: `python -m training.semantics_eval --cache DIR --work DIR`.

Runs the sender's own backend on the 1,000 development images of Flickr8k (as cached: 176 x 176)
and reports how often items are right, how well maps fit, the captions' scores, and the time that a
512 x 384 picture takes. `--said FILE` writes what it says of every training photograph, a JSON
line each, for `text.py` to count.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from misc_sender.semantics.items import draw_map
from misc_sender.semantics.nano import NanoSemantics
from misc_sender.semantics.vocabulary import load_vocabulary
from misc_shared.packs import load_pack, write_card
from misc_shared.semantics import Semantics
from training.semantics import Recipe, open_recipe, recipe_options
from training.semantics_export import DEFAULT_OUT
from training.semantics_scores import bleu4, cider
from training.semantics_thresholds import coarse_grid, watch
from training.semantics_words import VOC_NOUNS, caption_words

_SEEN_SHARE = 0.02  # a VOC class on fewer cells of the picture than this is not asked for


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    recipe_options(parser)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="the pack's component")
    parser.add_argument("--hardware", default="one core of an AMD EPYC", help="for the card")
    parser.add_argument("--said", type=Path, help="where to write what it says in training")
    options = parser.parse_args()
    recipe = open_recipe(options)
    steps = recipe.load(options.work)
    write_card(options.out, fields=_card(steps, {}, options.hardware))
    backend = NanoSemantics(load_pack(options.out.parent).component("semantics"))
    places = recipe.targets.development
    said = [backend.describe(recipe.cache.pictures[place]) for place in places]
    metrics = {
        **_item_metrics(recipe, said),
        **_map_metrics(recipe, options.out),
        **_caption_metrics(recipe, said),
        "milliseconds_512x384": _time(backend),
    }
    print(json.dumps(metrics, indent=2))
    write_card(options.out, fields=_card(steps, metrics, options.hardware))
    if options.said:
        _write_said(recipe, backend, options.said)


def _item_metrics(recipe: Recipe, said: list[Semantics]) -> dict[str, float]:
    """An item is right if a caption or a detector's box names it (or what it is a kind of)."""
    sent = right = strictly = 0
    for semantics, place in zip(said, recipe.targets.development, strict=True):
        captions = set().union(*map(recipe.nouns.mentioned, recipe.targets.captions[place]))
        for item in semantics.items:
            noun = recipe.nouns.index(item.name)
            sent += 1
            right += noun in recipe.targets.mentions[place]
            strictly += noun in captions
    count = len(said)
    return {
        "items_per_picture": round(sent / count, 3),
        "item_precision": round(right / max(1, sent), 3),
        "item_precision_by_captions_alone": round(strictly / max(1, sent), 3),
        "correct_items_per_picture": round(right / count, 3),
        "pictures_without_items": sum(not one.items for one in said),
    }


def _map_metrics(recipe: Recipe, pack: Path) -> dict[str, Any]:
    """Mean overlap at 16 x 16 of the maps drawn for the VOC classes that a picture has."""
    vocabulary = load_vocabulary(pack / "vocabulary.json")
    places = recipe.targets.development
    rows = {place: row for row, place in enumerate(places.tolist())}
    sights = watch(recipe, pack, places)
    overlaps: dict[str, list[float]] = {}
    targets = recipe.targets
    for grid, image, slot in zip(targets.grids, targets.grid_image, targets.grid_noun, strict=True):
        noun = int(targets.placed[slot])
        name = recipe.nouns.names[noun]
        if image not in rows or name not in VOC_NOUNS:
            continue
        wanted = coarse_grid(grid)
        if wanted.mean() >= _SEEN_SHARE:
            drawn = draw_map(vocabulary.nouns[noun], sights[rows[image]].patches[noun])
            overlap = (drawn & wanted).sum() / (drawn | wanted).sum()
            overlaps.setdefault(name, []).append(float(overlap))
    counted = {name: ones for name, ones in overlaps.items() if len(ones) >= 5}
    return {
        "map_iou_voc_pictures": round(float(np.mean(np.concatenate([*overlaps.values()]))), 3),
        "map_iou_voc_classes": round(float(np.mean([np.mean(o) for o in counted.values()])), 3),
        "map_iou_by_class": {
            name: [round(float(np.mean(ones)), 3), len(ones)]
            for name, ones in sorted(counted.items())
        },
    }


def _caption_metrics(recipe: Recipe, said: list[Semantics]) -> dict[str, float]:
    candidates = [caption_words(one.caption) for one in said]
    references = [
        [caption_words(text) for text in recipe.targets.captions[place]]
        for place in recipe.targets.development
    ]
    lengths = [len(one) for one in candidates if one]
    return {
        "bleu4": round(bleu4(candidates, references), 4),
        "cider": round(cider(candidates, references), 4),
        "words_per_caption": round(float(np.mean(lengths)), 2),
        "pictures_without_caption": sum(not one for one in candidates),
    }


def _time(backend: NanoSemantics) -> float:
    picture = np.asarray(
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)).resize(
            (512, 384)
        )
    )
    times = []
    for _ in range(20):
        began = time.perf_counter()
        backend.describe(picture)
        times.append(time.perf_counter() - began)
    return round(1000 * float(np.median(times)), 1)


def _write_said(recipe: Recipe, backend: NanoSemantics, path: Path) -> None:
    with path.open("w") as stream:
        for place in recipe.targets.train:
            semantics = backend.describe(recipe.cache.pictures[place])
            items = [{"name": one.name, "detail": one.detail} for one in semantics.items]
            line = {
                "image": recipe.cache.names[place],
                "items": items,
                "caption": semantics.caption,
            }
            stream.write(json.dumps(line) + "\n")


def _card(steps: dict[str, int], metrics: dict[str, Any], hardware: str) -> dict[str, Any]:
    return {
        "component": "semantics",
        "does": "names up to three items, draws their maps at 16 x 16, writes a caption",
        "input": "RGB stretched to 160 x 160",
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
