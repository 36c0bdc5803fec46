"""Judges what is on the screen against the original."""

from dataclasses import dataclass

from misc_lab.bench.codec import Pixels
from misc_lab.bench.metrics import Judge
from misc_lab.compare.haarpsi import haarpsi

__all__ = ["METRICS", "Eye", "View"]

METRICS = ("ms_ssim", "haarpsi", "psnr")
"""What is measured of each view; the first one decides."""


@dataclass(frozen=True, eq=False)
class View:
    """A picture on the screen.

    Attributes:
        pixels: uint8 [H, W, 3] RGB, of the original's size.
        metrics: One number for each of METRICS.
    """

    pixels: Pixels
    metrics: dict[str, float]

    @property
    def quality(self) -> float:
        """The metric that decides: MS-SSIM."""
        return self.metrics["ms_ssim"]


class Eye:
    """Looks at one original.

    Args:
        original: uint8 [H, W, 3] RGB.

    Raises:
        ConfigError: it is too small for MS-SSIM.
        MissingExtraError: torch or pytorch-msssim is not installed.
    """

    def __init__(self, original: Pixels) -> None:
        self.original = original
        self._judge = Judge()
        self._judge.look_at(original)

    def see(self, pixels: Pixels) -> View:
        """Measure a picture of the original's size."""
        measured = self._judge.measure(pixels) | {"haarpsi": haarpsi(self.original, pixels)}
        return View(pixels, {name: round(measured[name], 4) for name in METRICS})
