"""Make a trained refiner deeper, or let it hear more, without changing what it does yet.

    python -m training.refiner_grow --refiner DIR --out DIR --layers 3 3 2 2 --texture

Residual blocks are added behind the trained ones of every level, down and up. Their last
convolutions are zero and their shortcuts hand on what they get, so the deeper network starts as the
trained one and learns from there (Net2DeeperNet: Chen, Goodfellow, Shlens, ICLR 2016). With
--texture it hears the texture that senders tell, with weights of zero at first. Train on with
`training.refiner --warm`.
"""

import argparse
from pathlib import Path

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_blocks import DownBlock2D, UpBlock2D
from torch import Tensor, nn

from misc_receiver.refine.network import NanoNetwork


def grow(trained: NanoNetwork, layers: list[int], *, texture: bool) -> NanoNetwork:
    """Copy the network into one with more residual blocks, which computes the same.

    Args:
        trained: with one block per level, and deaf to texture.
        layers: blocks per level of the new one, at least 1 each, largest resolution first.
        texture: whether the new one hears it.

    Returns:
        The deeper network, float32.
    """
    settings = {name: value for name, value in trained.config.items() if not name.startswith("_")}
    deeper: NanoNetwork = NanoNetwork(
        **{**settings, "layers_per_block": layers, "texture": texture}
    )
    for old, new in zip(trained.unet.down_blocks, deeper.unet.down_blocks, strict=True):
        _grow_down(old, new)
    for old, new in zip(trained.unet.up_blocks, deeper.unet.up_blocks, strict=True):
        _grow_up(old, new)
    for name in ("conv_in", "time_embedding", "mid_block", "conv_norm_out", "conv_out"):
        _copy(getattr(trained.unet, name), getattr(deeper.unet, name))
    _widen(trained.unet.class_embedding, deeper.unet.class_embedding)
    _copy(trained.words, deeper.words)
    deeper.feature_scale.copy_(trained.feature_scale)
    return deeper


def _copy(old: nn.Module, new: nn.Module) -> None:
    new.load_state_dict(old.state_dict())


@torch.no_grad()
def _widen(old: nn.Module, new: nn.Module) -> None:
    """Copy an embedding into one that may read more; what is new counts nothing yet."""
    weight: Tensor = new.linear_1.weight
    weight.zero_()
    weight[:, : old.linear_1.in_features] = old.linear_1.weight
    new.linear_1.bias.copy_(old.linear_1.bias)
    _copy(old.linear_2, new.linear_2)


def _grow_down(old: DownBlock2D, new: DownBlock2D) -> None:
    _copy(old.resnets[0], new.resnets[0])
    for block in new.resnets[1:]:
        _hand_on(block)
    if old.downsamplers is not None:
        _copy(old.downsamplers, new.downsamplers)


def _grow_up(old: UpBlock2D, new: UpBlock2D) -> None:
    """The first block reads what came down last, the last one what came into the level."""
    first, last = old.resnets
    _copy(first, new.resnets[0])
    _copy(last, new.resnets[-1])
    for block in new.resnets[1:-1]:
        _hand_on(block)
    if old.upsamplers is not None:
        _copy(old.upsamplers, new.upsamplers)


@torch.no_grad()
def _hand_on(block: ResnetBlock2D) -> None:
    """Make a block give its input, or, if a skip is joined to it, its input without the skip."""
    nn.init.zeros_(block.conv2.weight)
    nn.init.zeros_(block.conv2.bias)
    if block.conv_shortcut is not None:
        weight: Tensor = block.conv_shortcut.weight
        weight.zero_()
        kept = torch.arange(weight.shape[0])
        weight[kept, kept] = 1.0
        nn.init.zeros_(block.conv_shortcut.bias)


def main() -> None:
    """Parse the command line and grow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--refiner", type=Path, required=True, help="refiner folder of a pack")
    parser.add_argument("--out", type=Path, required=True, help="folder for the deeper one")
    parser.add_argument(
        "--layers", type=int, nargs="+", default=[2, 2, 2, 2], help="blocks per level"
    )
    parser.add_argument("--texture", action="store_true", help="let it hear the texture")
    args = parser.parse_args()
    trained = NanoNetwork.from_pretrained(
        args.refiner, torch_dtype=torch.float32, low_cpu_mem_usage=False
    )
    deeper = grow(trained, args.layers, texture=args.texture)
    deeper.save_pretrained(args.out)
    print(f"{sum(weights.numel() for weights in deeper.parameters())} parameters in {args.out}")


if __name__ == "__main__":
    main()
