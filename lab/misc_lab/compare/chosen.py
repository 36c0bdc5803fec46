"""The best that each codec can do by a deadline, if it may choose how many bytes it takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from misc_lab.bench.codec import Pixels
from misc_lab.compare.carriage import carry, layers_of_file
from misc_lab.compare.catalogue import CodedPicture
from misc_lab.compare.computing import FORMAT_COSTS, OurCosts
from misc_lab.compare.ours import Studio
from misc_lab.links import Profile
from misc_sender.budget import Budget
from misc_sender.encode import EncodedFrame
from misc_shared.errors import ConfigError
from misc_shared.wire import PRIORITY, LayerKind

__all__ = ["DEADLINES", "Rung", "best_by_deadline", "our_ladder"]

DEADLINES = (1.0, 5.0, 30.0)
"""Seconds after capture."""

_OUR_RATES = (0.005, 0.008, 0.012, 0.017, 0.024, 0.034, 0.048, 0.068, 0.096)
_MTU = 1100


@dataclass(frozen=True, eq=False)
class Rung:
    """One size of a picture.

    Attributes:
        parts: Ours: what goes into each layer; a file goes in as it is.
        qualities: MS-SSIM of what our first, our first two and all image layers show; of a file,
            that of all of it alone.
        encode: Seconds before it can go.
        decode: Seconds after it came.
    """

    parts: Mapping[LayerKind, bytes] | bytes
    qualities: Sequence[float]
    encode: float
    decode: float

    @classmethod
    def of_file(cls, coded: CodedPicture, *, computing: bool) -> "Rung":
        """A file of another codec."""
        costs, pixels = FORMAT_COSTS[coded.codec], coded.pixels * computing
        return cls(coded.data, [coded.view.quality], costs.encode * pixels, costs.decode * pixels)

    @property
    def nbytes(self) -> int:
        """Payload bytes."""
        return (
            len(self.parts) if isinstance(self.parts, bytes) else sum(map(len, self.parts.values()))
        )

    def layers(self, mtu: int) -> Mapping[LayerKind, bytes] | None:
        """What the session carries; None if that is too much for it."""
        return layers_of_file(self.parts, mtu=mtu) if isinstance(self.parts, bytes) else self.parts


class _Encode(Protocol):
    def __call__(self, budget: Budget, *, mtu: int, semantics: str) -> EncodedFrame: ...


def our_ladder(pixels: Pixels, encode: _Encode, studio: Studio, costs: OurCosts) -> list[Rung]:
    """Our picture at nine budgets, coarse and without words."""
    rungs = []
    for rate in _OUR_RATES:
        budget = Budget(max_bytes=int(rate * pixels[..., 0].size / 8))
        try:
            encoded = encode(budget, mtu=_MTU, semantics="none")
        except ConfigError:  # too few bytes for a picture of this size
            continue
        qualities = [view.quality for view in studio.look_at_layers(encoded)]
        rungs.append(Rung(encoded.layers, qualities, costs.encode, costs.decode))
    return rungs


def best_by_deadline(
    rungs: Mapping[str, Sequence[Rung]], profile: Profile, *, seed: int
) -> dict[str, dict[str, float | None]]:
    """For each deadline and codec, the quality of the best rung that is shown by then.

    Returns:
        Seconds -> codec -> MS-SSIM; None where nothing is shown by then.
    """
    shown = {name: _shown(ladder, profile, seed) for name, ladder in rungs.items()}
    return {
        f"{deadline:g}": {
            name: max((quality for at, quality in times if at <= deadline), default=None)
            for name, times in shown.items()
        }
        for deadline in DEADLINES
    }


def _shown(ladder: Sequence[Rung], profile: Profile, seed: int) -> list[tuple[float, float]]:
    """When each rung is on the screen, with its quality; those that cannot be in time left out."""
    times: list[tuple[float, float]] = []
    for rung in ladder:
        on_air = rung.nbytes * 8 / profile.rate
        layers = rung.layers(profile.mtu)
        if layers is None or rung.encode + on_air + profile.delay > DEADLINES[-1]:
            break
        carried = carry(layers, profile, packs={}, seed=seed, ready_at=rung.encode)
        times += _stages(rung, layers, carried.arrivals)
    return times


def _stages(
    rung: Rung, layers: Mapping[LayerKind, bytes], arrivals: Mapping[LayerKind, float]
) -> Iterator[tuple[float, float]]:
    """When what has come of a rung shows something, and how good that is."""
    order = [layer for layer in PRIORITY if layer in layers]
    shown = len(order) - len(rung.qualities)  # the layers before the first that shows something
    for count, quality in enumerate(rung.qualities, start=shown + 1):
        if set(order[:count]) <= set(arrivals):
            yield max(arrivals[layer] for layer in order[:count]) + rung.decode, quality
