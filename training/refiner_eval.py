"""Measure a refiner on a folder of pictures, coarse against refined at 1 to 4 steps.

    python -m training.refiner_eval --pictures KODAK --teachers DIR --pack nano --out DIR

Each picture goes through the real encoder (at --bpp for image layers) and decoder, then through the
real refiner with its guard. Writes refiner_eval.json and a grid of original, coarse and refined.
With --card, the averages become the metrics of the refiner's card.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from misc_receiver.refine import RefineRequest, load_refiner
from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.packs import Component, Pack, load_pack, write_card
from training.refiner_losses import RefinerLoss

Row = dict[str, float]
Pixels = NDArray[np.uint8]


class Judge:
    """Compares pictures with their originals."""

    def __init__(self, teachers: Path) -> None:
        self._loss = RefinerLoss(teachers)

    def measure(self, picture: Pixels, original: Pixels) -> Row:
        """Give SqFD, SqTD and PSNR."""
        shown, truth = (_tensor(pixels) for pixels in (picture, original))
        with torch.inference_mode():
            far, texture = self._loss.distances(shown, truth)
        error = float((shown - truth).square().mean())
        return {"sqfd": float(far), "sqtd": float(texture), "psnr": -10 * np.log10(error)}


def _tensor(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))[None] / 255


class Bench:
    """One pack's codec and refiner on pictures."""

    def __init__(self, args: argparse.Namespace, pack: Pack) -> None:
        codec = pack.component("codec")
        self._encoder, self._decoder = (
            ImageEncoder(codec, threads=1),
            ImageDecoder(codec, threads=1),
        )
        self._refiner = load_refiner(component=refiner_component(args, pack), device=args.device)
        self._judge = Judge(args.teachers)
        self._args = args

    def pictures(self, path: Path) -> Iterator[tuple[str, Pixels, Row]]:
        """Give original, coarse and each refined picture, by variant name, with their measures."""
        original = np.asarray(Image.open(path).convert("RGB"))
        area = original.shape[0] * original.shape[1]
        encoded = self._encoder.encode(original, max_bytes=int(self._args.bpp * area / 8))
        decoded = self._decoder.decode(encoded.layers)
        request = RefineRequest.of(decoded)
        yield "original", original, {}
        coarse = self._judge.measure(decoded.pixels, original)
        yield "coarse", decoded.pixels, {**coarse, "bpp": encoded.nbytes * 8 / area}
        for steps in self._args.steps:
            began = perf_counter()
            last = list(self._refiner.refine(request, steps=steps, seed=self._args.seed))[-1]
            spent = perf_counter() - began
            row = self._judge.measure(last.pixels, original)
            row |= {"seconds": spent, "passed": float(last.passed_guard)}
            row["texture_lower"] = float(row["sqtd"] < coarse["sqtd"])
            yield f"{steps} steps", last.pixels, row


def refiner_component(args: argparse.Namespace, pack: Pack) -> Component:
    """Take the pack's refiner, or the one named apart from it."""
    if args.refiner is None:
        return pack.component("refiner")
    return Pack(args.refiner.resolve().parent).component(args.refiner.resolve().name)


def averages(rows: dict[str, list[Row]]) -> dict[str, Row]:
    """Average each measure of each variant."""
    return {
        variant: {name: round(float(np.mean([row[name] for row in found])), 4) for name in found[0]}
        for variant, found in rows.items()
    }


def save_grid(columns: list[list[Pixels]], path: Path) -> None:
    """Put pictures side by side, one row each, cut to one size."""
    height = min(pixels.shape[0] for row in columns for pixels in row)
    width = min(pixels.shape[1] for row in columns for pixels in row)
    grid = [np.hstack([pixels[:height, :width] for pixels in row]) for row in columns]
    Image.fromarray(np.vstack(grid)).save(path)


def write_metrics(component: Component, means: dict[str, Row], pictures: int) -> None:
    """Put the averages into the refiner's card."""
    fields = {name: value for name, value in component.card.items() if name != "files"}
    write_card(component.path, fields={**fields, "metrics": {"pictures": pictures, **means}})


def run(args: argparse.Namespace) -> None:
    """Measure, print a table, write the results."""
    torch.set_num_threads(args.threads)
    pack = load_pack(args.pack)
    bench = Bench(args, pack)
    rows: dict[str, list[Row]] = defaultdict(list)
    shown: list[list[Pixels]] = []
    paths = sorted(
        path for path in args.pictures.iterdir() if path.suffix in {".png", ".webp", ".jpg"}
    )
    paths = paths[: args.limit]
    for path in paths:
        columns = []
        for variant, pixels, row in bench.pictures(path):
            columns.append(pixels)
            if row:
                rows[variant].append(row)
        if len(shown) < args.grid:
            shown.append(columns)
    means = averages(rows)
    for variant, found in means.items():
        print(f"{variant:10}", *[f"{name} {value:.4f}" for name, value in found.items()])
    args.out.mkdir(parents=True, exist_ok=True)
    result = {"pictures": [path.name for path in paths], "means": means, "rows": rows}
    (args.out / "refiner_eval.json").write_text(json.dumps(result, indent=1))
    save_grid(shown, args.out / "refiner_eval.png")
    if args.card:
        write_metrics(refiner_component(args, pack), means, len(paths))


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--teachers", type=Path, required=True, help="folder of sqfd.py")
    parser.add_argument("--pack", default="nano", help="pack of the codec and the refiner")
    parser.add_argument("--refiner", type=Path, help="refiner folder, if not the pack's")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--bpp", type=float, default=0.0225, help="budget of the image layers")
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--limit", type=int, default=1000, help="pictures at most")
    parser.add_argument("--grid", type=int, default=4, help="pictures in the grid")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--card", action="store_true", help="write the averages into the card")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
