"""What to compare."""

from dataclasses import dataclass
from pathlib import Path

from misc_lab.links import Profile
from misc_shared.errors import ConfigError

__all__ = ["LOOKS", "CompareSettings"]

LOOKS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds after capture at which the strips look at the receiver's screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """One comparison.

    Attributes:
        sources: As for `misc-send`; every picture of a folder counts.
        profiles: The links.
        out: Folder for compare.json, compare.html, compare.md and compare.svg.
        seed: Of losses, jitter and epochs.
        max_bytes: Bytes of each of our pictures on the wire, or None for 0.024 bpp.
        quality: The stated quality: MS-SSIM that a picture has to reach.
        semantics: Name of the semantics backend.
        refine: Whether our receiver refines.
        computing: Let stated times for coding, decoding and refining pass on the virtual clock.
        quick: Try fewer sizes and qualities of the other codecs, which does them some injustice.
        pack: Name or folder of the model pack.
        workers: Processes.
    """

    sources: tuple[str, ...]
    profiles: tuple[Profile, ...]
    out: Path
    seed: int = 0
    max_bytes: int | None = None
    quality: float = 0.7
    semantics: str = "nano"
    refine: bool = True
    computing: bool = True
    quick: bool = False
    pack: str = "nano"
    workers: int = 2

    def __post_init__(self) -> None:
        if not self.sources or not self.profiles:
            raise ConfigError("A comparison needs one source or more, and one link or more.")
        if not 0 < self.quality < 1:
            raise ConfigError(f"The stated quality is an MS-SSIM in (0, 1); got {self.quality:g}.")
        if self.workers < 1:
            raise ConfigError(f"{self.workers} workers: give 1 or more.")
