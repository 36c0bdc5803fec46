"""A tiny random refiner, saved and loaded as a real one is, and something for it to refine."""

from pathlib import Path

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from misc_receiver.refine import RefineRequest, RefineStep
from misc_receiver.refine.interface import Refiner
from misc_receiver.refine.network import NanoNetwork
from misc_shared.packs import Component, Pack, write_card
from misc_shared.semantics import Item, Semantics

__all__ = ["make_request", "refine", "save_component", "tiny_network"]


def tiny_network(strength: float = 0.3, *, texture: bool = False) -> NanoNetwork:
    """Make a random network; strength is how much it adds to the coarse picture."""
    torch.manual_seed(3)
    network = NanoNetwork(
        block_out_channels=(16, 16), norm_num_groups=4, word_buckets=64, texture=texture
    )
    with torch.no_grad():
        network.unet.conv_out.weight.mul_(strength)
        network.unet.conv_out.bias.zero_()
    return network


def save_component(folder: Path, network: NanoNetwork) -> Component:
    """Write a refiner as the training recipe does, and open it as a pack's component."""
    network.half().save_pretrained(folder)
    FlowMatchEulerDiscreteScheduler().save_pretrained(folder)
    names = ("component", "data", "steps", "hardware", "metrics", "licence")
    write_card(folder, fields=dict.fromkeys(names, "none"))
    return Pack(folder.parent).component(folder.name)


def make_request(height: int, width: int) -> RefineRequest:
    """Make a smooth coarse picture with everything that can be known about one."""
    rows, columns = np.mgrid[0:height, 0:width] / 40
    waves = [np.sin(rows + phase) * np.cos(columns - phase) for phase in (0.0, 1.0, 2.0)]
    coarse = (127 + 50 * np.stack(waves, axis=-1)).astype(np.uint8)
    grid = (40, max(1, height // 32), max(1, width // 32))
    features = np.random.default_rng(0).standard_normal(grid).astype(np.float32)
    left = np.zeros((8, 8), dtype=np.bool_)
    left[:, :4] = True
    semantics = Semantics((Item("dog", "brown, large", left),), "a dog on grass")
    return RefineRequest(coarse, features, semantics, quality=12)


def refine(
    refiner: Refiner,
    request: RefineRequest,
    *,
    steps: int = 2,
    seed: int = 0,
    fidelity: float = 0.0,
) -> RefineStep:
    """Give the finished picture."""
    return list(refiner.refine(request, steps=steps, seed=seed, fidelity=fidelity))[-1]
