"""Judges what is on the screen against the original."""

from collections.abc import Callable
from functools import cached_property

from misc_lab.bench.codec import Pixels
from misc_lab.bench.metrics import Judge
from misc_lab.compare.haarpsi import haarpsi

__all__ = ["METRICS", "Eye", "View"]

METRICS = ("ms_ssim", "haarpsi", "psnr")
"""What is measured of each view; the first one decides."""


class View:
    """A picture on the screen.

    Args:
        decode: Gives uint8 [H, W, 3] RGB, of the original's size.
        quality: The metric that decides: MS-SSIM.
        eye: Measures the others.
    """

    def __init__(self, decode: Callable[[], Pixels], quality: float, eye: "Eye") -> None:
        self.quality = quality
        self._decode = decode
        self._eye = eye

    @property
    def pixels(self) -> Pixels:
        """The picture; decoded anew where hundreds of them would fill memory."""
        return self._decode()

    @cached_property
    def metrics(self) -> dict[str, float]:
        """One number for each of METRICS; hundreds of views are never asked for more than one."""
        return self._eye.measure(self.pixels)


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
        """Take in a picture of the original's size."""
        return self.glance(lambda: pixels)

    def glance(self, decode: Callable[[], Pixels]) -> View:
        """Take in a picture without keeping it: it is decoded again when it is wanted."""
        return View(decode, self._judge.score(decode()), self)

    def measure(self, pixels: Pixels) -> dict[str, float]:
        """Measure it by all METRICS, in four digits."""
        measured = self._judge.measure(pixels) | {"haarpsi": haarpsi(self.original, pixels)}
        return {name: round(measured[name], 4) for name in METRICS}
