"""Batches for the refiner: windows of whole decoded photographs and what is known of them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from misc_receiver.refine.conditioning import gather_clues
from misc_receiver.refine.interface import RefineRequest
from misc_receiver.refine.network import Guidance, NanoNetwork
from misc_shared.codec.texture import contrasts, pack_texture, unpack_texture
from misc_shared.semantics import Semantics
from training.refiner_cache import Pair, PairStore
from training.refiner_labels import Labels

__all__ = ["UNSAID", "Batch", "Batches"]

UNSAID, _UNPLACED, _FEATURELESS, _TEXTURELESS = 0.25, 0.1, 0.1, 0.1
# The embedded sender says what it will say in use too; labels say more, and more truly, as a large
# model at the sender would.
_BY_SENDER = 0.7


@dataclass(frozen=True)
class Batch:
    """Windows of several photographs.

    Attributes:
        original: [N, 3 factor², h, w], pixels in [-1, 1], unshuffled as the network sees them.
        guidance: what was received, on the same windows.
    """

    original: Tensor
    guidance: Guidance


class Batches:
    """Draws training batches.

    The clues are gathered for the whole picture, by the receiver's own code, and cut afterwards,
    because that is how features and maps meet the pixels when a picture is refined.

    Args:
        data: folder with the labels.
        cache: folder that `training.refiner_cache` filled.
        window: longest edge of the windows in pixels; a batch's are as large as its pictures allow.
        count: windows per batch.
        unsaid: share of the windows of which nothing was said.
    """

    def __init__(
        self, data: Path, cache: Path, *, window: int, count: int, unsaid: float = UNSAID
    ) -> None:
        self._labels, self._store = Labels(data), PairStore(cache)
        self._window, self._count, self._unsaid = window, count, unsaid
        # A large photograph has more windows to show than a small one.
        areas = np.array([np.prod(row["size"]) for row in self._store.rows], dtype=np.float64)
        self._chances = areas / areas.sum()

    def __len__(self) -> int:
        """Count the photographs."""
        return len(self._store)

    def feature_scale(self) -> Tensor:
        """Inverse standard deviation of each feature channel, from the first few pairs."""
        seen = [self._store[number].request.features for number in range(min(300, len(self)))]
        flat = np.concatenate([x.reshape(len(x), -1) for x in seen if x is not None], axis=1)
        spread = np.sqrt(np.square(flat).mean(1))
        return torch.from_numpy((1 / np.maximum(spread, 0.05)).astype(np.float32))

    def draw(self, network: NanoNetwork, rng: np.random.Generator) -> Batch:
        """Draw one batch; gradients reach the network's word table.

        Args:
            network: does the painting.
            rng: source of all randomness.
        """
        numbers = rng.choice(len(self._store), size=self._count, p=self._chances)
        pairs = [self._store[int(number)] for number in numbers]
        sides = np.array([pair.original.shape[:2] for pair in pairs]).min(0).clip(max=self._window)
        shape = tuple(int(side) // network.multiple * network.multiple for side in sides)
        cuts = [self._cut(pair, shape, network, rng) for pair in pairs]
        originals, guidances = zip(*cuts, strict=True)
        joined = Guidance(
            torch.cat([one.coarse for one in guidances]),
            torch.cat([one.planes for one in guidances]),
            torch.cat([one.whole for one in guidances]),
        )
        return Batch(torch.cat(originals), joined)

    def _cut(
        self,
        pair: Pair,
        shape: tuple[int, ...],
        network: NanoNetwork,
        rng: np.random.Generator,
    ) -> tuple[Tensor, Guidance]:
        guidance = network.guide(gather_clues([self._tell(pair, rng)], network))
        factor = network.factor
        cells = [
            _slice(whole // factor, side // factor, rng)
            for whole, side in zip(pair.original.shape[:2], shape, strict=True)
        ]
        rows, columns = (slice(cell.start * factor, cell.stop * factor) for cell in cells)
        pixels = pair.original[rows, columns]
        picture = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32)) / 127.5 - 1
        unshuffled = torch.nn.functional.pixel_unshuffle(picture[None], factor)
        return unshuffled, guidance.window(*cells)

    def _tell(self, pair: Pair, rng: np.random.Generator) -> RefineRequest:
        """Say what a sender might have said, which is sometimes nothing."""
        semantics: Semantics | None = pair.request.semantics
        if semantics is None or rng.random() >= _BY_SENDER:
            semantics = self._labels.semantics(pair.name, rng)
        if rng.random() < _UNPLACED:
            items = tuple(replace(item, map=None) for item in semantics.items)
            semantics = replace(semantics, items=items)
        if rng.random() < self._unsaid:
            semantics = None
        features = None if rng.random() < _FEATURELESS else pair.request.features
        texture = None
        if rng.random() >= _TEXTURELESS:
            texture = unpack_texture(pack_texture(contrasts(pair.original)))
        return replace(pair.request, semantics=semantics, features=features, texture=texture)


def _slice(whole: int, part: int, rng: np.random.Generator) -> slice:
    start = int(rng.integers(whole - part + 1))
    return slice(start, start + part)
