"""A refiner made deeper: the same picture at first, and every new block can learn."""

from dataclasses import replace

import pytest
import torch
from tests.receiver.refine.tiny import tiny_network
from torch import Tensor
from training.refiner_grow import grow

from misc_receiver.refine.network import Guidance, NanoNetwork


def _task(network: NanoNetwork) -> tuple[Tensor, Tensor, Guidance]:
    """Give what a network reads; one that hears more gets the same and something more."""
    torch.manual_seed(1)
    cells, cell = 2 * network.multiple // network.factor, 3 * network.factor**2
    planes = len(network.feature_scale) + network.words.embedding_dim
    whole = network.unet.class_embedding.linear_1.in_features
    sample = torch.randn(1, cell, cells, cells)
    guidance = Guidance(
        torch.randn(1, cell, cells, cells),
        torch.randn(1, planes, cells, cells),
        torch.randn(1, whole),
    )
    return sample, torch.ones(1), guidance


@pytest.fixture
def trained() -> NanoNetwork:
    """Give a network whose weights are all something."""
    torch.manual_seed(0)
    network = tiny_network()
    for values in network.parameters():
        values.data += 0.05 * torch.randn_like(values)
    return network.eval()


@pytest.mark.parametrize("texture", [False, True])
def test_deeper_network_starts_as_the_trained_one(trained: NanoNetwork, *, texture: bool) -> None:
    """Added blocks hand on what they get, and what is newly heard counts nothing."""
    levels = len(trained.config.block_out_channels)
    deeper = grow(trained, [3] + [2] * (levels - 1), texture=texture).eval()
    sample, sigma, guidance = _task(deeper)
    heard = trained.unet.class_embedding.linear_1.in_features
    less = replace(guidance, whole=guidance.whole[:, :heard])
    with torch.inference_mode():
        expected = trained(sample, sigma, less)
        torch.testing.assert_close(deeper(sample, sigma, guidance), expected)
    sizes = [sum(weights.numel() for weights in one.parameters()) for one in (deeper, trained)]
    assert sizes[0] > sizes[1]


def test_everything_new_learns(trained: NanoNetwork) -> None:
    """No added block, and no input, starts where its gradient is zero."""
    deeper = grow(trained, [2] * len(trained.config.block_out_channels), texture=True)
    deeper(*_task(deeper)).square().mean().backward()
    blocks = [
        block
        for level in [*deeper.unet.down_blocks, *deeper.unet.up_blocks]
        for block in level.resnets
    ]
    assert all(float(block.conv2.weight.grad.abs().max()) > 0 for block in blocks)
    heard = deeper.unet.class_embedding.linear_1.weight.grad.abs().amax(0)
    assert bool((heard > 0).all())
