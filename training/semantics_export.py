"""Writes the pack: `python -m training.semantics_export --cache DIR --work DIR`.

Four files: `sight.onnx`, `caption_start.onnx`, `caption_step.onnx` (16-bit weights, 32-bit
arithmetic) and `vocabulary.json`, whose thresholds come from the calibration photographs that
neither training nor measuring uses. `semantics_eval.py` writes the card.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import numpy as np
import onnx
import torch
from torch import Tensor, nn

from misc_sender.semantics.vocabulary import Vocabulary
from training.semantics import Recipe, open_recipe, recipe_options
from training.semantics_captioner import CaptionStart, CaptionStep
from training.semantics_network import INPUT_SIDE, SemanticsNetwork
from training.semantics_thresholds import choose_thresholds, watch

__all__ = ["DEFAULT_OUT", "export_networks", "write_vocabulary"]

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "shared/misc_shared/packs/nano/semantics"
_OPSET = 18


class _Sight(nn.Module):
    """What the sender runs: picture in, noun logits, patch scores and summary out.

    It looks at the mirror image too, and means over both: surer for a hundredth of a second.
    """

    def __init__(self, network: SemanticsNetwork, familiar: nn.Linear) -> None:
        super().__init__()
        self.network, self.familiar = network, familiar

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Map [1, 3, 160, 160] to [1, W], [1, W, 20, 20], [1, 768] and [1, 1]."""
        seen = self.network.look(torch.cat([picture, picture.flip(3)]))
        patches, summary = self.network.patches(seen), self.network.summary(seen)
        scores = self.network.patch_words(patches)
        both = (scores[:1] + scores[1:].flip(3)) / 2
        words = self.network.words(patches, summary).mean(0, keepdim=True)
        summary = summary.mean(0, keepdim=True)
        return words, both, summary, self.familiar(summary)


def main() -> None:
    """Export."""
    parser = argparse.ArgumentParser(description=__doc__)
    recipe_options(parser)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = open_recipe(options)
    recipe.load(options.work)
    options.out.mkdir(parents=True, exist_ok=True)
    export_networks(recipe, options.out)
    places = recipe.targets.calibration
    sights = watch(recipe, options.out, places)
    vocabulary = choose_thresholds(recipe, options.out, sights, places)
    write_vocabulary(vocabulary, options.out / "vocabulary.json")


def export_networks(recipe: Recipe, out: Path) -> None:
    """Write the three ONNX files."""
    sight = _Sight(recipe.network, recipe.familiar).eval()
    picture = torch.zeros(1, 3, INPUT_SIDE, INPUT_SIDE)
    outputs = ["present", "patches", "summary", "familiar"]
    _export(sight, out / "sight.onnx", {"picture": picture}, outputs)
    captioner = recipe.captioner.eval()
    description = torch.zeros(1, captioner.context[0].in_features)
    start = CaptionStart(captioner)
    _export(start, out / "caption_start.onnx", {"description": description}, ["first", "state"])
    context, state = start(description)
    inputs = {
        "token": torch.zeros(2, dtype=torch.int64),
        "context": context.repeat(2, 1),
        "state": state.repeat(2, 1),
    }
    step = CaptionStep(captioner)
    _export(step, out / "caption_step.onnx", inputs, ["likelihoods", "following"], batched=True)


def write_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Write the vocabulary as JSON, a noun a line, so that a difference reads well."""
    text = msgspec.json.format(msgspec.json.encode(vocabulary), indent=0).decode()
    path.write_text(text.replace(',\n"', ', "') + "\n")


def _export(
    module: nn.Module,
    path: Path,
    inputs: dict[str, Tensor],
    outputs: list[str],
    *,
    batched: bool = False,
) -> None:
    shapes = {name: {0: "batch"} for name in [*inputs, *outputs]} if batched else None
    torch.onnx.export(
        module,
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=outputs,
        dynamic_axes=shapes,
        opset_version=_OPSET,
        dynamo=False,
    )
    model = onnx.load(path)
    _halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    print(f"{path.name}: {path.stat().st_size} bytes")


def _halve_weights(model: onnx.ModelProto) -> None:
    """Store large weights with 16 bits; onnxruntime widens them once, when it loads the model."""
    casts = []
    for weight in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 512:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(
            onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT)
        )
    for place, cast in enumerate(casts):
        model.graph.node.insert(place, cast)


if __name__ == "__main__":
    main()
