"""The nano refiner's network: a diffusers UNet between pixel shuffles, told what was received.

It estimates the original from a point on the way there. The way is a bridge: it starts at the
coarse picture plus a little noise (sigma 1) and ends at the original (sigma 0), so the network
has to invent only what the codec could not send.
"""

from dataclasses import dataclass

from misc_receiver.refine.words import PADDING
from misc_receiver.torch_door import diffusers, torch
from misc_shared.codec.texture import TEXTURE_FIELDS

__all__ = ["Clues", "Guidance", "NanoNetwork"]

_SCALARS = 3
_TEXTURE_SCALARS = 2 * TEXTURE_FIELDS + 1
_TIMESTEPS = 1000


@dataclass(frozen=True)
class Clues:
    """What was received about N pictures, as tensors.

    Attributes:
        coarse: float32 [N, 3, H, W] in [-1, 1]; H and W multiples of `NanoNetwork.multiple`.
        features: float32 [N, feature channels, H / factor, W / factor], zeros if there are none.
        item_maps: float32 [N, items, H / factor, W / factor] in 0..1.
        item_words: int64 [N, items, words], buckets of each item's name and detail.
        caption_words: int64 [N, words], buckets of the caption.
        scalars: float32 [N, 3]: quality in 0..1, log2 of shown to coded side, 1 with features. A
            network that hears of texture reads nine more: the coarse picture's four contrasts, how
            far the original's are above them, and 1 if those are known.
    """

    coarse: torch.Tensor
    features: torch.Tensor
    item_maps: torch.Tensor
    item_words: torch.Tensor
    caption_words: torch.Tensor
    scalars: torch.Tensor


@dataclass(frozen=True)
class Guidance:
    """The clues as planes and one vector; made once per picture, read at every step.

    Attributes:
        coarse: [N, 3 factor², h, w], the unshuffled coarse picture.
        planes: [N, feature + word channels, h, w], features and painted item words.
        whole: [N, word channels + scalars], caption and scalars.
    """

    coarse: torch.Tensor
    planes: torch.Tensor
    whole: torch.Tensor

    def window(self, rows: slice, columns: slice) -> "Guidance":
        """Cut a window out of the planes; what holds for the whole picture stays."""
        area = (..., rows, columns)
        return Guidance(self.coarse[area], self.planes[area], self.whole)


class NanoNetwork(diffusers.ModelMixin, diffusers.ConfigMixin):  # type: ignore[misc]
    """Estimates the original from a noisy point between coarse and original.

    Args:
        factor: pixels per side that one cell of the working grid holds.
        block_out_channels: width of the UNet per level, each level half the size of the last.
        layers_per_block: residual blocks per level.
        norm_num_groups: groups of the UNet's group normalisation.
        feature_channels: channels of the codec's features.
        word_buckets: rows of the word table, the padding row included.
        word_channels: width of a word's embedding.
        noise_spread: standard deviation of the noise at the start, for pixels in [-1, 1].
        texture: whether it hears how much texture the original had.
    """

    @diffusers.configuration_utils.register_to_config  # type: ignore[untyped-decorator]
    def __init__(  # noqa: PLR0913 - a network's configuration
        self,
        *,
        factor: int = 4,
        block_out_channels: tuple[int, ...] = (48, 64, 128, 160),
        layers_per_block: int = 1,
        norm_num_groups: int = 8,
        feature_channels: int = 40,
        word_buckets: int = 4096,
        word_channels: int = 16,
        noise_spread: float = 0.2,
        texture: bool = False,
    ) -> None:
        super().__init__()
        cell = 3 * factor**2
        levels = len(block_out_channels)
        scalars = _SCALARS + (_TEXTURE_SCALARS if texture else 0)
        self.factor, self.noise_spread = factor, noise_spread
        self.multiple = factor * 2 ** (levels - 1)
        self.words = torch.nn.Embedding(word_buckets, word_channels, padding_idx=PADDING)
        self.register_buffer("feature_scale", torch.ones(feature_channels))
        self.unet = diffusers.UNet2DConditionModel(
            in_channels=2 * cell + feature_channels + word_channels,
            out_channels=cell,
            block_out_channels=block_out_channels,
            layers_per_block=layers_per_block,
            down_block_types=("DownBlock2D",) * levels,
            mid_block_type="UNetMidBlock2D",
            up_block_types=("UpBlock2D",) * levels,
            norm_num_groups=norm_num_groups,
            class_embed_type="projection",
            projection_class_embeddings_input_dim=word_channels + scalars,
            conv_in_kernel=1,
        )

    def guide(self, clues: Clues) -> Guidance:
        """Put the clues into the form that every step reads.

        Args:
            clues: of N pictures of one size.

        Returns:
            What `forward` needs at every step.
        """
        coarse = torch.nn.functional.pixel_unshuffle(clues.coarse, self.factor)
        features = clues.features * self.feature_scale[:, None, None]
        painted = self._paint(clues.item_maps, clues.item_words)
        whole = torch.cat([self._mean_word(clues.caption_words), clues.scalars], dim=1)
        return Guidance(coarse, torch.cat([features, painted], dim=1), whole)

    def forward(
        self, sample: torch.Tensor, sigma: torch.Tensor, guidance: Guidance
    ) -> torch.Tensor:
        """Estimate the original.

        Args:
            sample: [N, 3 factor², h, w], where the bridge stands.
            sigma: [N], 1 at the coarse end of the bridge, 0 at the original.
            guidance: from `guide`.

        Returns:
            [N, 3 factor², h, w], the estimate, pixels in about [-1, 1].
        """
        strayed = (sample - guidance.coarse) / self.noise_spread
        seen = torch.cat([strayed, guidance.coarse, guidance.planes], dim=1)
        added: torch.Tensor = self.unet(
            seen.to(self.dtype),
            sigma * _TIMESTEPS,
            encoder_hidden_states=None,
            class_labels=guidance.whole.to(self.dtype),
        ).sample
        return guidance.coarse + added.float()

    def _mean_word(self, words: torch.Tensor) -> torch.Tensor:
        known = (words != PADDING).unsqueeze(-1)
        total = (self.words(words).float() * known).sum(-2)
        mean: torch.Tensor = total / known.sum(-2).clamp(min=1)
        return mean

    def _paint(self, maps: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        colours = self._mean_word(words)
        painted = torch.einsum("nkhw,nkc->nchw", maps, colours)
        return painted / maps.sum(1, keepdim=True).clamp(min=1)
