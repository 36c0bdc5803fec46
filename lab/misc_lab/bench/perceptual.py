"""Perceptual distances: LPIPS, DISTS, TaeFD, or of a Python file: SqFD and SqTD, or ST-LPIPS.

Such a file defines `SqueezeNet`, a torch module whose call gives a list of feature maps, and
`feature_distance(net, a, b)` and `texture_distance(net, a, b)`, each a tensor [N] for images
[N, 3, H, W] in [0, 1]; lower is closer. Or it defines `StLpips`, a torch module whose call with two
such images gives a tensor [N]. It is code and is run: name only a file that you trust.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from misc_lab.bench.autoencoder import AutoencoderDistance
from misc_lab.bench.published import PUBLISHED, PublishedDistance
from misc_shared.errors import ConfigError

__all__ = ["Distances", "FeatureDistances", "ShiftTolerantDistance", "open_distances"]

_NEEDED = ("SqueezeNet", "feature_distance", "texture_distance")
_SHIFT_TOLERANT = "StLpips"


class Distances(Protocol):
    """Perceptual distances between two pictures.

    Attributes:
        names: Of the distances, the one that ranks first.
    """

    names: tuple[str, ...]

    def measure(self, reference: Any, decoded: Any) -> dict[str, float]:  # noqa: ANN401 - torch stays lazy
        """Each distance by name, for two torch tensors [1, 3, H, W] in [0, 1]."""
        ...

    def rank(self, reference: Any, decoded: Any) -> float:  # noqa: ANN401 - torch stays lazy
        """The first of the distances alone."""
        ...


def open_distances(name: str) -> Distances:
    """Open what `--perceptual` names: "lpips", "dists", weights (.pth) or a Python file.

    Raises:
        ConfigError: Something that it needs is not there.
    """
    if name in PUBLISHED:
        return PublishedDistance(name)
    if Path(name).suffix == ".pth":
        return AutoencoderDistance(Path(name))
    module = _load(Path(name))
    if hasattr(module, _SHIFT_TOLERANT):
        return ShiftTolerantDistance(module)
    return FeatureDistances(module, Path(name))


class FeatureDistances:
    """SqFD and SqTD, or whatever the file computes under these names.

    Args:
        module: The Python file, run.
        path: Where it is, for the message.

    Raises:
        ConfigError: The file lacks one of the three names.
    """

    names: tuple[str, ...] = ("sqfd", "sqtd")

    def __init__(self, module: ModuleType, path: Path) -> None:
        missing = [name for name in _NEEDED if not hasattr(module, name)]
        if missing:
            raise ConfigError(
                f"The perceptual metric {path} lacks {', '.join(missing)}; "
                f"it needs {', '.join(_NEEDED)}, or {_SHIFT_TOLERANT} alone."
            )
        self._net = _Remembering(module.SqueezeNet())
        self._feature_distance = module.feature_distance
        self._texture_distance = module.texture_distance

    def measure(self, reference: Any, decoded: Any) -> dict[str, float]:  # noqa: ANN401 - torch stays lazy
        """Both distances between two torch tensors [1, 3, H, W] in [0, 1]."""
        self._net.keep(reference, decoded)
        return {
            "sqfd": float(self._feature_distance(self._net, reference, decoded)),
            "sqtd": float(self._texture_distance(self._net, reference, decoded)),
        }

    def rank(self, reference: Any, decoded: Any) -> float:  # noqa: ANN401 - torch stays lazy
        """The feature distance alone."""
        self._net.keep(reference, decoded)
        return float(self._feature_distance(self._net, reference, decoded))


class ShiftTolerantDistance:
    """ST-LPIPS (Ghildyal and Liu, ECCV 2022), or whatever the file computes under its name.

    Nothing of ours is trained on it. It forgives a pixel of shift and likes what is sharp, so it is
    one judge of several.

    Args:
        module: The Python file, run.
    """

    names: tuple[str, ...] = ("st_lpips",)

    def __init__(self, module: ModuleType) -> None:
        self._net = module.StLpips()

    def measure(self, reference: Any, decoded: Any) -> dict[str, float]:  # noqa: ANN401 - torch stays lazy
        """The distance by its name, between two torch tensors [1, 3, H, W] in [0, 1]."""
        return {self.names[0]: self.rank(reference, decoded)}

    def rank(self, reference: Any, decoded: Any) -> float:  # noqa: ANN401 - torch stays lazy
        """The distance alone."""
        return float(self._net(reference, decoded))


class _Remembering:
    """A network that sees each picture once: one reference is compared with many others."""

    def __init__(self, net: Any) -> None:  # noqa: ANN401 - torch stays lazy
        self._net = net
        self._maps: dict[int, Any] = {}
        self._kept: tuple[Any, ...] = ()

    def keep(self, *pictures: Any) -> None:  # noqa: ANN401 - torch stays lazy
        """Forget every picture but these."""
        self._kept = pictures  # holds them, so that their ids stay theirs
        self._maps = {id(one): self._maps[id(one)] for one in pictures if id(one) in self._maps}

    def __call__(self, picture: Any) -> Any:  # noqa: ANN401 - torch stays lazy
        if not any(picture is kept for kept in self._kept):
            return self._net(picture)
        if id(picture) not in self._maps:
            self._maps[id(picture)] = self._net(picture)
        return self._maps[id(picture)]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"perceptual_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ConfigError(f"The perceptual metric {path} is no Python file; name one that is.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the file is the user's: whatever it raises, we say where
        raise ConfigError(
            f"The perceptual metric {path} does not run: {type(error).__name__}: {error}."
        ) from error
    return module
