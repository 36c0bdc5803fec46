"""Make a trained codec deeper and wider without changing what it does yet.

Residual blocks that the trained one lacks are identities at first, and hidden units of its entropy
nets count nothing (Net2Net: Chen, Goodfellow, Shlens, ICLR 2016). `training.codec_restore` calls
this, so a pack of a smaller network becomes a start for the present one.
"""

import torch
from torch import Tensor

from training.codec_model import Codec

__all__ = ["grow"]

# What reads the hidden units of an entropy net: it must not hear the new ones.
_READERS = ("second.weight", "last.weight")


@torch.no_grad()
def grow(state: dict[str, Tensor]) -> Codec:
    """Load the weights of a codec of the present shape, or of a shallower and narrower one.

    Args:
        state: as `Codec.state_dict` names them.

    Returns:
        A codec of the present shape that computes the same.

    Raises:
        RuntimeError: It is no codec, or a larger one.
    """
    codec = Codec()
    begun = codec.state_dict()
    missing = begun.keys() - state.keys()
    for name in missing:
        if ".second." in name:  # x + second(first(x)) is x
            begun[name].zero_()
    strange = [name for name in missing if not _new_block(name, missing)]
    if strange or state.keys() - begun.keys():
        message = f"found no {strange} and too many {sorted(state.keys() - begun.keys())}"
        raise RuntimeError(message)
    for name, value in state.items():
        _fill(begun[name], value, deaf=name.startswith("entropy") and name.endswith(_READERS))
    codec.load_state_dict(begun)
    return codec


def _new_block(name: str, missing: set[str]) -> bool:
    """Tell whether a weight is part of a residual block that is missing whole."""
    block = name.rsplit(".", 2)[0]
    parts = [
        f"{block}.{part}.{kind}" for part in ("first", "second") for kind in ("weight", "bias")
    ]
    return missing.issuperset(parts)


def _fill(new: Tensor, old: Tensor, *, deaf: bool) -> None:
    """Copy a weight into the corner of one at least as large."""
    if any(mine < given for mine, given in zip(new.shape, old.shape, strict=True)):
        message = f"found a weight of shape {tuple(old.shape)}, expected {tuple(new.shape)} at most"
        raise RuntimeError(message)
    outputs, *rest = (slice(0, size) for size in old.shape)
    if deaf:
        new[outputs] = 0
    new[(outputs, *rest)] = old
