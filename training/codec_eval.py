"""Measure a codec: `python -m training.codec_eval --pictures DIR --teachers DIR --codec DIR`.

Prints and writes SqFD, SqTD, PSNR and MS-SSIM of the coarse picture for each budget in bits per
pixel, at the working size that rate control chooses and, with --scales, at every working size (the
table from which the encoder's thresholds were read). Bytes are those of the layers; framing comes
on top and is counted by `misc-bench rd`.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_msssim import ms_ssim

from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.codec.layout import SCALES
from misc_shared.packs import Component
from training.teachers import load_by_path


def pictures(folder: Path, most: int) -> Iterator[NDArray[np.uint8]]:
    """Read a folder of pictures, or the first `most` of it, as uint8 [H, W, 3]."""
    for path in sorted(p for p in folder.iterdir() if p.suffix in {".png", ".webp", ".jpg"})[:most]:
        yield np.asarray(Image.open(path).convert("RGB"))


class Meter:
    """The metrics of one pair of pictures."""

    def __init__(self, teachers: Path) -> None:
        """Load the feature network."""
        self._teacher = load_by_path(teachers / "sqfd.py")
        self._net = self._teacher.SqueezeNet()

    @torch.inference_mode()
    def __call__(self, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> dict[str, float]:
        """Compare two uint8 [H, W, 3] pictures."""
        x, y = (torch.tensor(p).permute(2, 0, 1)[None].float() / 255 for p in (a, b))
        return {
            "sqfd": float(self._teacher.feature_distance(self._net, x, y)),
            "sqtd": float(self._teacher.texture_distance(self._net, x, y)),
            "psnr": float(-10 * torch.log10((x - y).square().mean())),
            "ms_ssim": float(ms_ssim(x, y, data_range=1.0)),
        }


def measure(args: argparse.Namespace) -> list[dict[str, float]]:
    """Give a row of means for each budget and working size."""
    folder = args.codec
    component = Component("codec", folder, {"files": {p.name: "" for p in folder.iterdir()}}, b"")
    encoder, decoder = ImageEncoder(component), ImageDecoder(component)
    meter = Meter(args.teachers)
    rows = []
    for bpp in args.bpp:
        for scale_index in range(len(SCALES)) if args.scales else [None]:
            values = []
            for picture in pictures(args.pictures, args.most):
                budget = int(bpp * picture.shape[0] * picture.shape[1] / 8)
                encoded = encoder.encode(picture, max_bytes=budget, scale_index=scale_index)
                if scale_index is not None and encoded.scale != SCALES[scale_index]:
                    break
                found = meter(decoder.decode(encoded.layers).pixels, picture)
                rate = encoded.nbytes * 8 / (picture.shape[0] * picture.shape[1])
                chosen = {"quality": encoded.quality, "scale": encoded.scale}
                values.append({"bpp": rate, **chosen, **found})
            if values and (scale_index is None or len(values) == args.most):
                row = {name: float(np.mean([v[name] for v in values])) for name in values[0]}
                rows.append({"budget": bpp, "pictures": len(values), **row})
                print(*[f"{name} {value:.4g}" for name, value in rows[-1].items()], flush=True)
    return rows


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--teachers", type=Path, required=True, help="folder of sqfd.py")
    parser.add_argument("--codec", type=Path, required=True, help="the pack's codec folder")
    parser.add_argument("--bpp", type=float, nargs="+", default=[0.012, 0.0235, 0.048, 0.096])
    parser.add_argument("--most", type=int, default=24, help="how many pictures")
    parser.add_argument("--scales", action="store_true", help="every working size")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = measure(args)
    if args.out:
        args.out.write_text(json.dumps({"coarse": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
