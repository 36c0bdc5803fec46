"""TaeFD: a distance on the features of a tiny autoencoder's encoder, which trained none of ours.

The weights are not part of this project: they are a state dictionary as madebyollin/taesd
publishes them (MIT), such as its 32x encoder `taesana_encoder.pth`, named on the command line.
As in LPIPS (arXiv 1801.03924), features of several layers are scaled to unit length over channels
and their squared differences averaged over space; unlike there, no layer or channel has a learned
weight. It is neither LPIPS nor DISTS, and must not be called so.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from misc_shared.errors import ConfigError

__all__ = ["AutoencoderDistance"]

_CONVOLUTIONS = ("conv.0", "conv.2", "conv.4")


class AutoencoderDistance:
    """TaeFD, the mean over the encoder's resolutions; lower is closer.

    Args:
        path: The encoder's state dictionary.

    Raises:
        ConfigError: It is no such file.
    """

    names: tuple[str, ...] = ("taefd",)

    def __init__(self, path: Path) -> None:
        self._steps = _steps(_load(path), path)
        self._reference: Any = None
        self._features: list[Any] = []

    def rank(self, reference: Any, decoded: Any) -> float:  # noqa: ANN401 - torch stays lazy
        """The distance between two torch tensors [1, 3, H, W] in [0, 1]."""
        if reference is not self._reference:
            self._reference, self._features = reference, self._extract(reference)
        pairs = zip(self._features, self._extract(decoded), strict=True)
        layers = [float((one - other).square().sum(1).mean()) for one, other in pairs]
        return sum(layers) / len(layers)

    def measure(self, reference: Any, decoded: Any) -> dict[str, float]:  # noqa: ANN401 - torch stays lazy
        """The same, by its name."""
        return {self.names[0]: self.rank(reference, decoded)}

    def _extract(self, picture: Any) -> list[Any]:  # noqa: ANN401 - torch stays lazy
        """Features [1, C, h, w] at the end of each resolution, of unit length over channels."""
        from torch.nn import functional

        features = []
        value = picture
        for kind, weights in self._steps:
            if kind == "block":
                value = _block(value, weights)
            else:
                if value is not picture:
                    features.append(functional.normalize(value, dim=1))
                if kind == "last":
                    break
                value = functional.conv2d(value, *weights[0], stride=2, padding=1)
                if weights[0][1] is not None:
                    value = functional.relu(value)
        return features


Weights = list[tuple[Any, Any]]
"""Convolution weights and biases, in order."""


def _block(value: Any, weights: Weights) -> Any:  # noqa: ANN401 - torch stays lazy
    """ReLU(x + three convolutions with ReLU between them)."""
    from torch.nn import functional

    branch = value
    for index, (weight, bias) in enumerate(weights):
        branch = functional.conv2d(
            functional.relu(branch) if index else branch, weight, bias, padding=1
        )
    return functional.relu(value + branch)


def _load(path: Path) -> Mapping[str, Any]:
    import pickle

    import torch

    try:
        found = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise ConfigError(
            f"The perceptual metric's weights {path} cannot be read: {error}."
        ) from error
    if not isinstance(found, dict):
        raise ConfigError(f"The perceptual metric's weights {path} are no state dictionary.")
    return found


def _steps(stored: Mapping[str, Any], path: Path) -> list[tuple[str, Weights]]:
    """Lay out the encoder: halving convolutions, residual blocks, and a last convolution.

    A state dictionary does not tell strides. In this family a convolution halves the picture if it
    has no bias, or if a ReLU, which has no weights and so leaves a gap in the numbers, follows it.
    """
    unknown = [key for key in stored if key.split(".", 1)[-1] not in _expected()]
    numbers = sorted({int(key.split(".")[0]) for key in stored if key.split(".")[0].isdigit()})
    if unknown or len(numbers) < 2:  # noqa: PLR2004 - one layer and the last
        raise ConfigError(
            f"The weights {path} are not those of a tiny autoencoder's encoder as taesana's is"
            + (f": found {unknown[0]}." if unknown else ".")
        )
    steps: list[tuple[str, Weights]] = []
    for number in numbers:
        if f"{number}.conv.0.weight" in stored:
            names = [f"{number}.{name}" for name in _CONVOLUTIONS]
            steps.append(("block", [_pair(stored, name) for name in names]))
        else:
            kind = "last" if number == numbers[-1] else "halve"
            steps.append((kind, [_pair(stored, str(number))]))
    return steps


def _expected() -> set[str]:
    names = ("", *(f"{name}." for name in _CONVOLUTIONS))
    return {f"{name}{kind}" for name in names for kind in ("weight", "bias")}


def _pair(stored: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    return stored[f"{name}.weight"].float(), _optional(stored.get(f"{name}.bias"))


def _optional(bias: Any) -> Any:  # noqa: ANN401 - torch stays lazy
    return None if bias is None else bias.float()
