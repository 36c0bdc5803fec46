"""Measure codecs: `python -m training.codec_eval --judges DIR --codec DIR [DIR ...]`.

Of the coarse picture, made from the real bitstream at the working size that rate control chooses:
error of block colours and hatch (`misc_lab.bench.truth`), PSNR, MS-SSIM, SqFD, SqTD and ST-LPIPS,
for each budget in bits per pixel. SqFD is trained on, the others tell whether that was to the
picture's good; ST-LPIPS judges alone and must never become a loss. With --scales every working size
is measured (the table from which the encoder's thresholds were read). Bytes are those of the
layers; framing comes on top and is counted by `misc-bench rd`.

Choose by the validation photographs (--data, which no recipe since they were set apart has trained
on); a folder (--pictures), such as Kodak, is to report. Numbers have hidden a wrong colour before:
--sheets writes original and decoded pictures side by side. Look at them.
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

from misc_lab.bench.truth import block_error, hatch
from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.codec.layout import SCALES
from misc_shared.packs import Component
from training.data import photographs
from training.splits import is_for_training
from training.teachers import load_by_path

Picture = NDArray[np.uint8]

LEAST_SIDE = 500  # of a validation photograph: smaller ones have few blocks


class Meter:
    """The metrics of one pair of pictures."""

    def __init__(self, judges: Path) -> None:
        """Load the feature networks; stlpips.py may be missing."""
        self._teacher = load_by_path(judges / "sqfd.py")
        self._net = self._teacher.SqueezeNet()
        other = judges / "stlpips.py"
        self._other = load_by_path(other).StLpips() if other.exists() else None

    @torch.inference_mode()
    def __call__(self, original: Picture, decoded: Picture) -> dict[str, float]:
        """Compare two uint8 [H, W, 3] pictures."""
        x, y = (torch.tensor(p).permute(2, 0, 1)[None].float() / 255 for p in (original, decoded))
        found = {
            "blocks": block_error(original, decoded),
            "hatch": hatch(decoded),
            "psnr": float(-10 * torch.log10((x - y).square().mean())),
            "ms_ssim": float(ms_ssim(x, y, data_range=1.0)),
            "sqfd": float(self._teacher.feature_distance(self._net, x, y)),
            "sqtd": float(self._teacher.texture_distance(self._net, x, y)),
        }
        return found | ({"st_lpips": float(self._other(x, y))} if self._other else {})


def pictures(args: argparse.Namespace) -> Iterator[Picture]:
    """Read the first --most pictures, uint8 [H, W, 3], of the folder or of validation."""
    if args.pictures:
        files = sorted(p for p in args.pictures.iterdir() if p.suffix in {".png", ".webp", ".jpg"})
        for path in files[: args.most]:
            yield np.asarray(Image.open(path).convert("RGB"))
        return
    given = 0
    for name, picture in photographs(sorted(args.data.glob("photos-*.tar"))):
        if not is_for_training(name) and min(picture.shape[:2]) >= LEAST_SIDE:
            yield picture
            given += 1
            if given == args.most:
                return


class Codecs:
    """Some exported codecs, one of which is measured at a time."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Open one."""
        files = {path.name: "" for path in folder.iterdir()}
        component = Component("codec", folder, {"files": files}, b"")
        self.encoder = ImageEncoder(component, threads=threads)
        self.decoder = ImageDecoder(component, threads=threads)

    def coded(
        self, picture: Picture, bpp: float, scale_index: int | None
    ) -> tuple[Picture, dict[str, float]] | None:
        """Code and decode; None where rate control would not use that working size."""
        pixels = picture.shape[0] * picture.shape[1]
        encoded = self.encoder.encode(
            picture, max_bytes=int(bpp * pixels / 8), scale_index=scale_index
        )
        if scale_index is not None and encoded.scale != SCALES[scale_index]:
            return None
        shown = self.decoder.decode(encoded.layers).pixels
        rate = {"bpp": encoded.nbytes * 8 / pixels}
        return shown, rate | {"quality": encoded.quality, "scale": encoded.scale}


def measure(args: argparse.Namespace) -> list[dict[str, float | str]]:
    """Give a row of means for each codec, budget and working size."""
    codecs = [Codecs(folder, threads=args.threads) for folder in args.codec]
    meter = Meter(args.judges)
    chosen = list(pictures(args))
    rows: list[dict[str, float | str]] = []
    for bpp in args.bpp:
        for scale_index in range(len(SCALES)) if args.scales else [None]:
            columns = [chosen]
            for folder, codec in zip(args.codec, codecs, strict=True):
                made = [codec.coded(picture, bpp, scale_index) for picture in chosen]
                pairs = [(p, *m) for p, m in zip(chosen, made, strict=True) if m is not None]
                if not pairs or (scale_index is not None and len(pairs) < len(chosen)):
                    continue
                values = [rate | meter(p, shown) for p, shown, rate in pairs]
                means = {name: float(np.mean([v[name] for v in values])) for name in values[0]}
                row = {"codec": folder.name, "budget": bpp, "pictures": len(values)}
                rows.append(row | means)
                columns.append([shown for _, shown, _ in pairs])
                print(*[_written(name, value) for name, value in rows[-1].items()], flush=True)
            if args.sheets and scale_index is None:
                write_sheets(args.sheets, f"{bpp:g}", columns)
    return rows


def _written(name: str, value: float | str) -> str:
    return f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"


def write_sheets(folder: Path, name: str, columns: list[list[Picture]], rows: int = 3) -> None:
    """Write PNG sheets: a picture a row, the original first, then each codec's."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [np.concatenate(line, 1) for line in zip(*columns, strict=True)]
    for start in range(0, len(lines), rows):
        part = lines[start : start + rows]
        width = max(line.shape[1] for line in part)
        padded = [np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in part]
        Image.fromarray(np.concatenate(padded)).save(folder / f"{name}-{start // rows}.png")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--pictures", type=Path, help="folder of pictures")
    source.add_argument("--data", type=Path, help="folder of photos-*.tar: its validation part")
    parser.add_argument(
        "--judges", type=Path, required=True, help="folder of sqfd.py and stlpips.py"
    )
    parser.add_argument("--codec", type=Path, nargs="+", required=True, help="codec folders")
    parser.add_argument("--bpp", type=float, nargs="+", default=[0.012, 0.0235, 0.048, 0.096])
    parser.add_argument("--most", type=int, default=24, help="how many pictures")
    parser.add_argument("--scales", action="store_true", help="every working size")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sheets", type=Path, help="folder for sheets to look at")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = measure(args)
    if args.out:
        args.out.write_text(json.dumps({"coarse": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
