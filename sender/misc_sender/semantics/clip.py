"""Places items with CLIP: one binary map each, for names from any semantics backend."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misc_sender.semantics.hub import load_local
from misc_sender.semantics.parting import otsu_threshold
from misc_sender.semantics.surgery import remove_redundancy, surgery_tokens
from misc_sender.semantics.torch_door import torch, transformers
from misc_shared.errors import ConfigError

__all__ = ["DEFAULT_MODEL", "ClipMaps"]

DEFAULT_MODEL = "openai/clip-vit-base-patch16"

_LEAST_GRID, _MOST_GRID = 8, 32
_TEMPLATES = ("a photo of a {}.", "a photo of the {}.", "there is a {} in the scene.")
# What most pictures show. Redundancy is what the texts have in common, so there must be many.
_COMMON = (
    "person", "animal", "bird", "car", "boat", "building", "house", "window", "door", "wall",
    "floor", "ceiling", "table", "chair", "bed", "bag", "clothes", "food", "plate", "bottle",
    "book", "screen", "sign", "light", "fence", "road", "sidewalk", "bridge", "tree", "grass",
    "flower", "rock", "sand", "snow", "mountain", "water", "sky", "cloud", "ground", "background",
)  # fmt: skip


class ClipMaps:
    """Finds where named things are.

    Args:
        model: the hub name of a CLIP model whose files are in the hub's cache, or a folder.
        grid: cells across and down each map, 8 to 32.

    Raises:
        PackError: the model's files are missing.
        ConfigError: the model is no CLIP model, or the grid is out of range.
    """

    def __init__(self, model: str = DEFAULT_MODEL, *, grid: int = 16) -> None:
        if not _LEAST_GRID <= grid <= _MOST_GRID:
            raise ConfigError(
                f"a map grid of {grid} is out of range; expected {_LEAST_GRID} to {_MOST_GRID}"
            )
        config = load_local(transformers.AutoConfig.from_pretrained, model, kind="a CLIP model")
        if config.model_type != "clip":
            raise ConfigError(
                f"model {model} is of the kind {config.model_type!r}; maps need a CLIP model"
            )
        self._tokenizer = load_local(
            transformers.AutoTokenizer.from_pretrained, model, kind="a CLIP model"
        )
        network = load_local(transformers.CLIPModel.from_pretrained, model, kind="a CLIP model")
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.to(device=self._device, dtype=torch.float32).eval()
        self._grid = grid
        vision = config.vision_config
        self._patch = int(vision.patch_size)
        # At least one patch a cell; CLIP's position embeddings are interpolated beyond its own.
        self._patches = max(grid, int(vision.image_size) // self._patch)
        # The names change with the picture, so few are kept for long.
        self._embed_cached = lru_cache(maxsize=1024)(self._embed)

    def locate(self, image: NDArray[np.uint8], names: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Place each name.

        Args:
            image: uint8 [H, W, 3], RGB; stretched to a square, since nothing may be cropped off.
            names: what to look for.

        Returns:
            A map for each name: bool [grid, grid], True where it is. A name is always placed where
            the picture is most like it; whether it is there at all is for others to know.
        """
        if not names:
            return []
        others = [name for name in _COMMON if name not in names]
        with torch.inference_mode():
            texts = torch.stack([self._embed_cached(name) for name in (*names, *others)])
            scores = remove_redundancy(self._look(image), texts)[:, : len(names)]
            return [self._draw(scores[:, place]) for place in range(len(names))]

    def _look(self, image: NDArray[np.uint8]) -> torch.Tensor:
        """Return unit vectors, float [1 + patches, D], the class token first."""
        side = self._patches * self._patch
        square = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
        mean, spread = (
            torch.tensor(values).view(3, 1, 1)
            for values in (
                transformers.image_utils.OPENAI_CLIP_MEAN,
                transformers.image_utils.OPENAI_CLIP_STD,
            )
        )
        pixels = torch.from_numpy(np.array(square)).permute(2, 0, 1) / 255
        normalised = ((pixels - mean) / spread)[None].to(self._device)
        tokens = surgery_tokens(self._network.vision_model, normalised)
        return _unit(self._network.visual_projection(tokens)[0])

    def _embed(self, name: str) -> torch.Tensor:
        """Return a name's unit vector, float [D]: the mean over a few ways to say it."""
        inputs = self._tokenizer(
            [template.format(name) for template in _TEMPLATES],
            padding=True,
            truncation=True,
            max_length=self._network.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self._device)
        said = self._network.get_text_features(**inputs).pooler_output
        return _unit(_unit(said).mean(0))

    def _draw(self, scores: torch.Tensor) -> NDArray[np.bool_]:
        patches = scores.view(1, 1, self._patches, self._patches)
        cells = torch.nn.functional.adaptive_avg_pool2d(patches, self._grid)[0, 0].cpu().numpy()
        if np.ptp(cells) == 0:  # a picture of one colour
            return np.zeros(cells.shape, bool)
        return np.asarray(cells > otsu_threshold(cells))


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)
