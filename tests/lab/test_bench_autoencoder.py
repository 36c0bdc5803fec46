"""The second perceptual distance, on an encoder of random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from misc_lab.bench.metrics import Judge
from misc_shared.errors import ConfigError


def convolution(outputs: int, inputs: int, *, bias: bool = True) -> dict[str, torch.Tensor]:
    """Give weights of a 3x3 convolution."""
    weight = torch.randn(outputs, inputs, 3, 3) / (3 * inputs**0.5)
    return {"weight": weight, "bias": torch.randn(outputs) / 10} if bias else {"weight": weight}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state dictionary laid out as taesana's encoder, but smaller."""
    torch.manual_seed(1)
    layers = {0: convolution(8, 3), 2: convolution(8, 8), 5: convolution(8, 8, bias=False)}
    layers[7] = convolution(4, 8)
    stored = {f"{i}.{kind}": value for i, layer in layers.items() for kind, value in layer.items()}
    for block in (4, 6):
        for step in (0, 2, 4):
            layer = convolution(8, 8)
            stored |= {f"{block}.conv.{step}.{kind}": value for kind, value in layer.items()}
    path = tmp_path_factory.mktemp("weights") / "encoder.pth"
    torch.save(stored, path)
    return path


def test_more_blur_is_further(photo: NDArray[np.uint8], weights: Path) -> None:
    """Identical pictures are at 0, and the distance grows with a blur."""
    judge = Judge(perceptual=[str(weights)])
    crop = np.ascontiguousarray(photo[:192, :224])
    judge.look_at(crop)
    found = []
    for radius in (0, 1, 2, 4):
        blurred = Image.fromarray(crop).filter(ImageFilter.GaussianBlur(radius))
        found.append(judge.measure(np.asarray(blurred))["taefd"])
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert found == sorted(found)
    assert found[1] > 0.001
    assert judge.ranking == "taefd"


def test_other_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    """A missing file, one that is no state dictionary, and one of another network."""
    (tmp_path / "text.pth").write_text("no weights")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    torch.save(torch.load(weights) | {"3.pool.weight": torch.zeros(1)}, tmp_path / "other.pth")
    for name, words in (
        ("absent", "cannot be read"),
        ("text", "cannot be read"),
        ("tensor", "no state dictionary"),
        ("other", r"found 3\.pool\.weight"),
    ):
        with pytest.raises(ConfigError, match=words):
            Judge(perceptual=[str(tmp_path / f"{name}.pth")])
