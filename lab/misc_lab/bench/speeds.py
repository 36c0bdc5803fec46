"""What a speed benchmark found."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["OURS", "Speed", "ratio"]

OURS = "misc"


@dataclass(frozen=True, slots=True)
class Speed:
    """One codec at one size in one stage.

    Attributes:
        codec: "misc" or a rival.
        stage: "encode" or "decode"; a refiner would be a third.
        width: In pixels.
        height: In pixels.
        runs: Timed, after one that was not.
        median_seconds: Of the runs.
        fastest_seconds: Likewise.
        slowest_seconds: Likewise.
        start_bytes: Resident memory before the work, libraries and picture in it.
        peak_bytes: The most that the process ever had.
        nbytes: Of the coded picture.
        setting: How it was coded.
    """

    codec: str
    stage: str
    width: int
    height: int
    runs: int
    median_seconds: float
    fastest_seconds: float
    slowest_seconds: float
    start_bytes: int
    peak_bytes: int
    nbytes: int
    setting: str

    @property
    def place(self) -> tuple[str, int, int]:
        """Stage and size, which rivals share."""
        return self.stage, self.width, self.height


def ratio(speed: Speed, speeds: Sequence[Speed]) -> float | None:
    """Our time over this codec's in the same stage and size; None without ours, and for ours."""
    ours = next((one for one in speeds if (one.codec, one.place) == (OURS, speed.place)), None)
    if ours is None or speed.codec == OURS:
        return None
    return ours.median_seconds / speed.median_seconds
