"""From what was received to the tensors that the network reads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from misc_receiver.refine.interface import RefineRequest
from misc_receiver.refine.network import Clues, NanoNetwork
from misc_receiver.refine.words import PADDING, word_buckets
from misc_receiver.torch_door import torch
from misc_shared.codec.texture import contrasts
from misc_shared.errors import ConfigError
from misc_shared.semantics import MAX_ITEMS, Item

__all__ = ["gather_clues", "pad_picture"]

_BEST_QUALITY = 31
_FEATURE_STRIDE = 16
_ITEM_WORDS = 16
_CAPTION_WORDS = 64

_Grid = tuple[int, int]


def gather_clues(requests: Sequence[RefineRequest], network: NanoNetwork) -> Clues:
    """Collect what was received about pictures of one size.

    Args:
        requests: one or more, with coarse pictures of equal size.
        network: tells the sizes, and the device to put the tensors on.

    Returns:
        The clues of all requests, stacked.

    Raises:
        ConfigError: the features have another number of channels than the network reads.
    """
    coarse = [pad_picture(request.coarse, multiple=network.multiple) for request in requests]
    grid = (coarse[0].shape[1] // network.factor, coarse[0].shape[2] // network.factor)
    items = [_items(request) for request in requests]
    slots = max(1, *(len(row) for row in items), 1)
    buckets = int(network.config.word_buckets)
    columns = (
        [torch.from_numpy(picture) for picture in coarse],
        [_features(request, network, grid) for request in requests],
        [_item_maps(row, slots, grid) for row in items],
        [_item_words(row, slots, buckets) for row in items],
        [_caption_words(request, buckets) for request in requests],
        [torch.cat([_scalars(request), *_texture(request, network)]) for request in requests],
    )
    return Clues(*(torch.stack(column).to(network.device) for column in columns))


def pad_picture(pixels: NDArray[np.uint8], *, multiple: int) -> NDArray[np.float32]:
    """Mirror the lower and right edge outwards until the network can halve both sides.

    Args:
        pixels: uint8 [H, W, 3].
        multiple: what both sides become a multiple of.

    Returns:
        float32 [3, H', W'] in [-1, 1].
    """
    height, width = pixels.shape[:2]
    spare = ((0, -height % multiple), (0, -width % multiple), (0, 0))
    padded = np.pad(pixels, spare, mode="symmetric")
    return np.ascontiguousarray(padded.transpose(2, 0, 1)).astype(np.float32) / 127.5 - 1


def _stretch(planes: torch.Tensor, grid: _Grid) -> torch.Tensor:
    return torch.nn.functional.interpolate(planes[None], size=grid, mode="bilinear")[0]


def _features(request: RefineRequest, network: NanoNetwork, grid: _Grid) -> torch.Tensor:
    channels = int(network.config.feature_channels)
    if request.features is None:
        return torch.zeros(channels, *grid)
    if request.features.shape[0] != channels:
        raise ConfigError(
            f"the codec gives {request.features.shape[0]} feature channels, but the refiner was "
            f"trained on {channels}; use the codec and the refiner of one pack"
        )
    return _stretch(torch.from_numpy(request.features.astype(np.float32)), grid)


def _items(request: RefineRequest) -> tuple[Item, ...]:
    return request.semantics.items[:MAX_ITEMS] if request.semantics else ()


def _item_maps(items: Sequence[Item], slots: int, grid: _Grid) -> torch.Tensor:
    maps = torch.zeros(slots, *grid)
    for row, item in zip(maps, items, strict=False):
        if item.map is not None and item.map.size:
            row[:] = _stretch(torch.from_numpy(item.map.astype(np.float32))[None], grid)[0]
    return maps


def _item_words(items: Sequence[Item], slots: int, buckets: int) -> torch.Tensor:
    words = torch.full((slots, _ITEM_WORDS), PADDING)
    for row, item in zip(words, items, strict=False):
        _fill(row, f"{item.name} {item.detail}", buckets)
    return words


def _caption_words(request: RefineRequest, buckets: int) -> torch.Tensor:
    """Take the caption, and the items' names too: their maps may come late or never."""
    words = torch.full((_CAPTION_WORDS,), PADDING)
    caption = request.semantics.caption if request.semantics else ""
    _fill(words, " ".join([caption, *(item.name for item in _items(request))]), buckets)
    return words


def _fill(row: torch.Tensor, text: str, buckets: int) -> None:
    found = word_buckets(text, buckets=buckets, limit=len(row))
    row[: len(found)] = torch.tensor(found, dtype=row.dtype)


def _scalars(request: RefineRequest) -> torch.Tensor:
    """Quality, how much smaller than shown the picture was coded, and whether features came."""
    quality = request.quality / _BEST_QUALITY
    if request.features is None:
        return torch.tensor([quality, 0.0, 0.0])
    shown = math.prod(request.coarse.shape[:2])
    coded = math.prod(request.features.shape[1:]) * _FEATURE_STRIDE**2
    return torch.tensor([quality, math.log2(shown / coded) / 2, 1.0])


def _texture(request: RefineRequest, network: NanoNetwork) -> list[torch.Tensor]:
    """Contrasts of the coarse picture, and what it lacks of the original's, if that is known."""
    if not network.config.texture:
        return []
    present = contrasts(request.coarse)
    if request.texture is None:
        return [torch.from_numpy(present), torch.zeros(len(present) + 1)]
    lacking = request.texture - present
    return [torch.from_numpy(present), torch.from_numpy(lacking), torch.ones(1)]
