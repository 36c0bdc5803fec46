"""A refiner made deeper: the same picture at first, and every new block can learn."""

import pytest
import torch
from tests.receiver.refine.tiny import tiny_network
from torch import Tensor
from training.refiner_grow import grow

from misc_receiver.refine.network import Guidance, NanoNetwork


def _task(network: NanoNetwork) -> tuple[Tensor, Tensor, Guidance]:
    torch.manual_seed(1)
    cells, cell = 2 * network.multiple // network.factor, 3 * network.factor**2
    planes = len(network.feature_scale) + network.words.embedding_dim
    guidance = Guidance(
        torch.randn(1, cell, cells, cells),
        torch.randn(1, planes, cells, cells),
        torch.randn(1, network.words.embedding_dim + 3),
    )
    return torch.randn(1, cell, cells, cells), torch.ones(1), guidance


@pytest.fixture
def trained() -> NanoNetwork:
    """Give a network whose weights are all something."""
    torch.manual_seed(0)
    network = tiny_network()
    for values in network.parameters():
        values.data += 0.05 * torch.randn_like(values)
    return network.eval()


def test_deeper_network_starts_as_the_trained_one(trained: NanoNetwork) -> None:
    """Added blocks hand on what they get, whatever the weights are."""
    levels = len(trained.config.block_out_channels)
    deeper = grow(trained, [3] + [2] * (levels - 1)).eval()
    task = _task(trained)
    with torch.inference_mode():
        torch.testing.assert_close(deeper(*task), trained(*task))
    assert sum(p.numel() for p in deeper.parameters()) > sum(
        p.numel() for p in trained.parameters()
    )


def test_every_new_block_learns(trained: NanoNetwork) -> None:
    """No added block starts where its gradient is zero."""
    deeper = grow(trained, [2] * len(trained.config.block_out_channels))
    deeper(*_task(trained)).square().mean().backward()
    blocks = [
        block
        for level in [*deeper.unet.down_blocks, *deeper.unet.up_blocks]
        for block in level.resnets
    ]
    assert all(float(block.conv2.weight.grad.abs().max()) > 0 for block in blocks)
