"""LPIPS and DISTS, where somebody has installed their packages and weights.

Both packages need torchvision and fetch the weights of a large network when they are first used.
A benchmark downloads nothing: without the weights it says where they belong.
"""

from pathlib import Path
from typing import Any

from misc_shared.errors import ConfigError

__all__ = ["PUBLISHED", "PublishedDistance"]

PUBLISHED = {
    "lpips": ("lpips", "alexnet-owt-7be5be79.pth"),
    "dists": ("DISTS_pytorch", "vgg16-397923af.pth"),
}
"""Distance -> the package that computes it and the backbone's weights, by torchvision's names."""


class PublishedDistance:
    """LPIPS on AlexNet, or DISTS on VGG-16; lower is closer.

    Args:
        name: "lpips" or "dists".

    Raises:
        ConfigError: The package or the weights are not there.
    """

    def __init__(self, name: str) -> None:
        package, weights = PUBLISHED[name]
        self.names: tuple[str, ...] = (name,)
        self._name = name
        self._net = _open(name, package, weights)

    def measure(self, reference: Any, decoded: Any) -> dict[str, float]:  # noqa: ANN401 - torch stays lazy
        """The distance by its name, between two torch tensors [1, 3, H, W] in [0, 1]."""
        return {self._name: self.rank(reference, decoded)}

    def rank(self, reference: Any, decoded: Any) -> float:  # noqa: ANN401 - torch stays lazy
        """The distance alone."""
        scale = {"normalize": True} if self._name == "lpips" else {}  # lpips works on [-1, 1]
        return float(self._net(reference, decoded, **scale))


def _open(name: str, package: str, weights: str) -> Any:  # noqa: ANN401 - torch stays lazy
    import importlib

    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise ConfigError(
            f"{name.upper()} needs the package {package.lower().replace('_', '-')}, which is not "
            "installed; install it with a torchvision that fits your torch, or name a Python file."
        ) from error
    import torch

    path = Path(torch.hub.get_dir()) / "checkpoints" / weights
    if not path.is_file():
        raise ConfigError(f"{name.upper()} needs torchvision's weights {weights} in {path.parent}.")
    net = module.LPIPS(net="alex", verbose=False) if name == "lpips" else module.DISTS()
    return net.eval()
