"""What to simulate."""

from dataclasses import dataclass
from pathlib import Path

from misc_lab.links import Profile
from misc_shared.errors import ConfigError

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One simulated stream.

    Attributes:
        source: As for `misc-send`.
        profile: The link.
        trace: A mahimahi trace that replaces the up-link's rate, or None.
        max_bytes: Bytes of each picture on the wire, or None for 0.024 bpp.
        fps: Pictures a second.
        count: Pictures.
        seed: Of everything random.
        semantics: Name of the semantics backend.
        pack: Name or folder of the model pack.
        refine: Whether the receiver refines.
        measured: Let the time that coding, decoding and refining take on this machine pass on the
            virtual clock. Otherwise they take none, and a run can be repeated exactly.
        charge_overhead: Let the transport's own bytes take time on the link.
        deadline: Seconds after which a picture is given up.
        key_every: A picture that stands alone at least every so many; None for as needed.
        adapt: Let pictures become smaller and fewer with the link, as `misc-send` does for cameras.
        out: Folder for the pictures, or None to write none.
    """

    source: str
    profile: Profile
    trace: Path | None = None
    max_bytes: int | None = None
    fps: float = 0.1
    count: int = 1
    seed: int = 0
    semantics: str = "nano"
    pack: str = "nano"
    refine: bool = True
    measured: bool = False
    charge_overhead: bool = False
    deadline: float = 3600.0
    key_every: int | None = None
    adapt: bool = False
    out: Path | None = None

    def __post_init__(self) -> None:
        if self.fps <= 0 or self.count < 1 or self.deadline <= 0:
            raise ConfigError(
                "A simulation needs a rate and a deadline above 0 and 1 or more pictures; "
                f"got {self.fps} pictures a second, {self.deadline} s, {self.count} pictures."
            )
