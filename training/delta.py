"""Count the chances of change in deltas: `python -m training.delta --data DIR`. Takes minutes.

Codes videos picture by picture against the one before with the shipped codec, notes what the
delta coder observes of each integer and whether it changed, fits the weights of its logistic model
and rounds them, and writes them as source code: they are part of the format. Prints what a delta
takes on the held-out video. `car-detection.mp4` is held out, because the project's figures come
from it.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from misc_sender.sources import SourceOptions, open_source
from misc_shared.codec import ImageEncoder
from misc_shared.codec.change_model import OBSERVATIONS, PLACE_COUNTS, PLACE_GROUPS
from misc_shared.codec.delta_coder import CodedLayer, DeltaCoder
from misc_shared.codec.layout import LATENT_CHANNELS, PHASES
from misc_shared.codec.models import Gains, open_entropy
from misc_shared.packs import load_pack

_OUT = Path(__file__).parents[1] / "shared/misc_shared/codec/change_weights.py"
_HELD_OUT = "car-detection"
_RUNS = ((0, 16), (1, 24), (2, 8), (3, 12), (4, 20))
"""Working sizes and qualities at which every video is coded."""
_FRAMES = 14
_FPS = 2.0
_UNIT = 256
_MOST_SAMPLES = 400_000
_DEAD_ZONE = 0.1
_CELL_WEIGHT = 48
"""What the counts for cells sum to at the start: learned quickly, but not at once."""

Samples = list[tuple[NDArray[np.int64], NDArray[np.bool_]]]


@dataclass
class Notes:
    """What was seen while coding.

    Attributes:
        samples: For each layer, observations [N, kinds] and whether the integer changed [N].
        cells: (layer, context, changed) -> how often.
        bits: Estimated, of all deltas.
        deltas: How many.
    """

    samples: tuple[Samples, Samples, Samples]
    cells: Counter[tuple[int, int, bool]]
    bits: float = 0.0
    deltas: int = 0


def main() -> None:
    """Code the videos, fit, write, and print what it brings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with video/*.mp4")
    parser.add_argument("--pack", default="nano", help="pack whose codec is used")
    args = parser.parse_args()
    videos = sorted((args.data / "video").glob("*.mp4"))
    component = load_pack(args.pack).component("codec")
    encoder = ImageEncoder(component, threads=1)
    entropy, gains = open_entropy(component)
    coder = DeltaCoder(entropy)
    train, test = Notes(([], [], []), Counter()), Notes(([], [], []), Counter())
    for video in videos:
        for scale, quality in _RUNS:
            notes = test if video.stem == _HELD_OUT else train
            _code(_latents(video, encoder, scale), quality, coder, gains, notes)
        print(f"{video.name}: {train.deltas + test.deltas} deltas so far", flush=True)
    models = [_fit(train.samples[layer]) for layer in range(len(LATENT_CHANNELS))]
    for layer, model in enumerate(models):
        print(f"layer {layer}: {_flag_bytes(test.samples[layer], model) / test.deltas:.1f} bytes")
    _OUT.write_text(_source(models, _cell_counts(train.cells)))


def _latents(video: Path, encoder: ImageEncoder, scale: int) -> Iterator[list[NDArray[np.float32]]]:
    source = open_source(str(video), options=SourceOptions(fps=_FPS))
    for number, frame in enumerate(source.frames()):
        if number == _FRAMES:
            break
        yield list(encoder.analyse(frame.pixels, scale))
    source.close()


def _code(
    pictures: Iterator[list[NDArray[np.float32]]],
    quality: int,
    coder: DeltaCoder,
    gains: Gains,
    notes: Notes,
) -> None:
    base: list[NDArray[np.int64]] = []
    for latents in pictures:
        values = [
            latent * gain[quality][:, None, None]
            for latent, gain in zip(latents, gains, strict=True)
        ]
        if not base:
            base = [np.rint(value).astype(np.int64) for value in values]
            continue
        layers: list[CodedLayer] = []
        for layer, value in enumerate(values):
            coded, bits = coder.quantise(
                value, base[layer], layers, layer=layer, quality=quality, dead_zone=_DEAD_ZONE
            )
            _note(coder, coded, base[layer], layers, quality, notes)
            layers.append(coded)
            notes.bits += bits
        notes.deltas += 1
        base = [one.integers for one in layers]


def _note(
    coder: DeltaCoder,
    coded: CodedLayer,
    base: NDArray[np.int64],
    coarser: list[CodedLayer],
    quality: int,
    notes: Notes,
) -> None:
    """Observe what the coder will, integer by integer."""
    layer = len(coarser)
    if not coded.cells.any():
        return
    cells = np.pad(coded.cells, ((1, 0), (1, 0)))
    below = sum((one.cells.astype(int) for one in coarser), np.zeros(coded.cells.shape, int))
    contexts = 3 * below + cells[1:, :-1] + cells[:-1, 1:]
    for context, changed in zip(contexts.ravel(), coded.cells.ravel(), strict=True):
        notes.cells[layer, int(context), bool(changed)] += 1
    passes = coder.passes(coded.integers, base, coded.cells, coarser, layer=layer, quality=quality)
    for (row, column), each in zip(PHASES, passes, strict=True):
        changed = coded.integers[:, row::2, column::2] != each.base
        before = np.cumsum(changed, 0) - changed
        groups = np.searchsorted(PLACE_GROUPS, np.arange(len(before)), "right")
        place = np.searchsorted(PLACE_COUNTS, before, "right") * (len(PLACE_GROUPS) + 1)
        place = place + groups[:, None, None]
        seen = np.stack([*each.bins, place], axis=-1)
        mask = each.places & ~each.fixed
        notes.samples[layer].append((seen[mask], changed[mask]))


def _fit(samples: Samples) -> tuple[int, list[list[int]]]:
    """Fit the logistic model to a layer's samples; bias and weights in 1/256."""
    seen, changed = _gather(samples)
    weights = torch.zeros(sum(OBSERVATIONS), requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    places = seen + torch.tensor([0, *np.cumsum(OBSERVATIONS)[:-1]])
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=80, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        total = weights[places].sum(1) + bias
        loss = functional.binary_cross_entropy_with_logits(total, changed)
        loss = loss + 1e-6 * weights.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    parts = weights.detach().split(OBSERVATIONS)
    rows = [[round(float(weight) * _UNIT) for weight in part] for part in parts]
    return round(float(bias.detach()) * _UNIT), rows


def _gather(samples: Samples) -> tuple[torch.Tensor, torch.Tensor]:
    seen = torch.from_numpy(np.concatenate([one for one, _ in samples]))
    changed = torch.from_numpy(np.concatenate([one for _, one in samples])).float()
    if len(seen) > _MOST_SAMPLES:
        chosen = torch.randperm(len(seen), generator=torch.Generator().manual_seed(0))
        seen, changed = seen[chosen[:_MOST_SAMPLES]], changed[chosen[:_MOST_SAMPLES]]
    return seen, changed


def _flag_bytes(samples: Samples, model: tuple[int, list[list[int]]]) -> float:
    bias, rows = model
    flat = torch.tensor([weight for row in rows for weight in row])
    seen = torch.from_numpy(np.concatenate([one for one, _ in samples]))
    changed = torch.from_numpy(np.concatenate([one for _, one in samples])).float()
    total = flat[seen + torch.tensor([0, *np.cumsum(OBSERVATIONS)[:-1]])].sum(1) + bias
    loss = functional.binary_cross_entropy_with_logits(total / _UNIT, changed, reduction="sum")
    return float(loss) / math.log(2) / 8


def _cell_counts(cells: Counter[tuple[int, int, bool]]) -> list[list[tuple[int, int]]]:
    table = []
    for layer in range(len(LATENT_CHANNELS)):
        row = []
        for context in range(3 * (layer + 1)):
            changed = cells[layer, context, True] + 1
            share = changed / (changed + cells[layer, context, False] + 1)
            count = min(_CELL_WEIGHT - 1, max(1, round(_CELL_WEIGHT * share)))
            row.append((_CELL_WEIGHT - count, count))
        table.append(row)
    return table


def _source(models: list[tuple[int, list[list[int]]]], cells: list[list[tuple[int, int]]]) -> str:
    points = [round(65536 / (1 + math.exp(-(k - 32) / 4))) for k in range(65)]
    lines = [
        '"""Constants of the delta format. Made by `python -m training.delta`; do not edit."""',
        "",
        "from typing import Final",
        "",
        "# fmt: off",
        "# Chances out of 65536 for sums of weights from -8 to 8 natural logarithms, in quarters.",
        *_tuple("SQUASH: Final = (", points),
        "# For each layer: the bias, then the weights of each observation's bins, in 1/256.",
        "WEIGHTS: Final = (",
    ]
    for bias, rows in models:
        lines += ["    (", f"        {bias},", "        ("]
        for row in rows:
            lines += [f"            {line}" for line in _tuple("(", row, width=84)]
            lines[-1] += ","
        lines += ["        ),", "    ),"]
    lines += [
        ")",
        "# How often a cell was seen unchanged and changed, where the adaptive count begins: for",
        "# each layer, by 3 x (coarser layers that changed there) + (west changed) + (north).",
        "CELLS: Final = (",
    ]
    for counts in cells:
        lines.append("    (" + ", ".join(f"({a}, {b})" for a, b in counts) + "),")
    lines.append(")")
    return "\n".join(lines) + "\n"


def _tuple(head: str, numbers: list[int], *, width: int = 96) -> list[str]:
    lines, line = [head], "   "
    for number in numbers:
        if len(line) + len(f" {number},") > width:
            lines.append(line)
            line = "   "
        line += f" {number},"
    return [*lines, line, ")"]


if __name__ == "__main__":
    main()
