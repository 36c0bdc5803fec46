"""How close a decoded picture is to the original, by several judges: none of them sees all."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from misc_lab.bench.codec import Pixels
from misc_lab.bench.perceptual import open_distances
from misc_lab.bench.truth import block_error, hatch, psnr
from misc_shared.errors import ConfigError, MissingExtraError

__all__ = ["HIGHER_IS_BETTER", "LABELS", "OWN", "SMALLEST_SIDE", "WITHOUT_RATE", "Judge"]

HIGHER_IS_BETTER = ("psnr", "ms_ssim")
"""The others are distances."""

OWN = ("psnr", "ms_ssim", "blocks", "hatch")
"""Those that need no file and are always measured."""

WITHOUT_RATE = ("hatch",)
"""What need not fall with more bytes: a good codec has none of it at any rate."""

LABELS = {
    "psnr": "PSNR (dB)",
    "ms_ssim": "MS-SSIM",
    "blocks": "Blocks (levels)",
    "hatch": "Hatch",
    "st_lpips": "ST-LPIPS",
    "sqfd": "SqFD",
    "sqtd": "SqTD",
    "lpips": "LPIPS",
    "dists": "DISTS",
    "taefd": "TaeFD",
}
"""How each metric is written."""

SMALLEST_SIDE = 161
"""MS-SSIM halves a picture four times and still needs its 11-pixel window inside."""


class Judge:
    """Compares decoded pictures with one original.

    Metrics are on RGB of the original's size. The one that ranks, the first perceptual distance
    if there is one and MS-SSIM otherwise, chooses among a codec's files.

    Args:
        perceptual: Each "lpips", "dists", a Python file with one or two distances, or the weights
            of an autoencoder's encoder.

    Raises:
        ConfigError: The perceptual distances cannot be opened.
        MissingExtraError: torch or pytorch-msssim is not installed.
    """

    def __init__(self, *, perceptual: Sequence[str] = ()) -> None:
        try:
            import pytorch_msssim
            import torch
        except ImportError as error:
            raise MissingExtraError(
                "Measuring quality", package=str(error.name), extra="lab"
            ) from error
        torch.set_num_threads(1)
        self._torch = torch
        self._ms_ssim = pytorch_msssim.ms_ssim
        self._distances = [open_distances(name) for name in perceptual]
        self.ranking = self._distances[0].names[0] if self._distances else "ms_ssim"
        self._reference: Any = None
        self._pixels: Pixels = np.zeros((0, 0, 3), np.uint8)

    def look_at(self, original: Pixels) -> None:
        """Choose the original that the next pictures are compared with.

        Raises:
            ConfigError: A side is too short for MS-SSIM.
        """
        height, width = original.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            raise ConfigError(
                f"A picture of {width}x{height} is too small for MS-SSIM; "
                f"both sides need {SMALLEST_SIDE} pixels or more."
            )
        self._pixels = original
        self._reference = self._tensor(original)

    def measure(self, decoded: Pixels) -> dict[str, float]:
        """All metrics of one decoded picture of the original's size."""
        picture = self._tensor(decoded)
        with self._torch.inference_mode():
            measured = {
                "psnr": psnr(self._pixels, decoded),
                "ms_ssim": float(self._ms_ssim(self._reference, picture, data_range=1.0)),
                "blocks": block_error(self._pixels, decoded),
                "hatch": hatch(decoded),
            }
            for distance in self._distances:
                measured |= distance.measure(self._reference, picture)
        return measured

    def score(self, decoded: Pixels) -> float:
        """The metric that ranks, alone, and turned so that higher is better."""
        picture = self._tensor(decoded)
        with self._torch.inference_mode():
            if self._distances:
                return -self._distances[0].rank(self._reference, picture)
            return float(self._ms_ssim(self._reference, picture, data_range=1.0))

    def _tensor(self, pixels: Pixels) -> Any:  # noqa: ANN401 - torch stays lazy
        channels_first = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        return self._torch.from_numpy(channels_first).float() / 255
