"""The image codec's networks in torch: analysis, synthesis and the entropy parameter nets.

Three latent layers (channels in LATENT_CHANNELS) on the /64, /32 and /16 grids of the coded
picture. A quality t in [0, 1] scales each channel before rounding, as in gained variational
autoencoders (Cui et al., 2021), so one set of weights serves all rates. The entropy nets see
coarser layers and, in four passes over the 2x2 phases of the grid (He et al., ELIC, 2022, use
two), what is already decoded of their own layer. Their shape is chosen so that rounding the
weights to integers afterwards loses next to nothing: 3x3, 3x3, 1x1, with activations in [0, 16).
"""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "ANCHORS",
    "LATENT_CHANNELS",
    "PHASES",
    "STRIDES",
    "Analysis",
    "Codec",
    "EntropyNet",
    "Synthesis",
    "phase_masks",
]

LATENT_CHANNELS: Final = (8, 12, 20)
STRIDES: Final = (64, 32, 16)
ANCHORS: Final = 8
PHASES: Final = ((0, 0), (1, 1), (0, 1), (1, 0))
_HIDDEN: Final = (64, 96, 128)
_NARROW: Final = 72
_FINISH: Final = 8  # channels at full size cost the most time for each weight
_INPUT_LIMIT: Final = 15.0
_ACTIVATION_LIMIT: Final = 16.0 - 1 / 128


class _Finish(nn.Module):
    """x + conv(silu(conv(x))) on full-size pictures [N, 3, H, W].

    What a PixelShuffle makes has phases, and a hatch is a phase that is always brighter. This is
    the same at every pixel: it knows no phase, so it smooths a hatch and can draw none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, _FINISH, 5, padding=2)
        self.second = nn.Conv2d(_FINISH, 3, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(x)))


class _Residual(nn.Module):
    """x + conv(silu(conv(silu(x)))), width kept; `hidden` channels between, as many by default."""

    def __init__(self, width: int, hidden: int | None = None) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, hidden or width, 3, padding=1)
        self.second = nn.Conv2d(hidden or width, width, 3, padding=1)
        nn.init.zeros_(self.second.bias)
        self.second.weight.data.mul_(0.3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))


def _stage(width: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*[_Residual(width) for _ in range(blocks)])


class Analysis(nn.Module):
    """Picture [N, 3, H, W] in [0, 1], sides multiples of 64, to three latents, coarsest first."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(48, 80, 3, stride=2, padding=1), _stage(80, 2)
        )
        self.to16 = nn.Sequential(nn.Conv2d(80, 160, 3, stride=2, padding=1), _stage(160, 4))
        self.to32 = nn.Sequential(
            nn.SiLU(), nn.Conv2d(160, 112, 3, stride=2, padding=1), _stage(112, 2)
        )
        self.to64 = nn.Sequential(
            nn.SiLU(), nn.Conv2d(112, 96, 3, stride=2, padding=1), _Residual(96, _NARROW)
        )
        self.heads = nn.ModuleList(
            nn.Conv2d(width, channels, 3, padding=1)
            for width, channels in zip((96, 112, 160), LATENT_CHANNELS, strict=True)
        )
        self.direct = nn.Sequential(
            nn.PixelUnshuffle(16), nn.Conv2d(768, LATENT_CHANNELS[2], 1, bias=False)
        )
        nn.init.orthogonal_(self.direct[1].weight.data.view(LATENT_CHANNELS[2], 768), 0.5)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give latents [N, 8, H/64, W/64], [N, 12, H/32, W/32] and [N, 20, H/16, W/16]."""
        centred = picture * 2 - 1
        at16 = self.to16(self.stem(centred))
        at32 = self.to32(at16)
        at64 = self.to64(at32)
        finest = self.heads[2](at16) + self.direct(centred)
        return self.heads[0](at64), self.heads[1](at32), finest


class Synthesis(nn.Module):
    """Dequantised latents and three controls to a picture [N, 3, 16h, 16w], nominally in [0, 1].

    The controls, [N, 3] in 0..1, are the quality t and whether layers 1 and 2 are present.
    """

    def __init__(self) -> None:
        super().__init__()
        c0, c1, c2 = LATENT_CHANNELS
        self.low = nn.Sequential(
            nn.Conv2d(c0 + c1 + 3, 128, 3, padding=1), _stage(128, 1), nn.SiLU()
        )
        self.low_up = nn.Sequential(nn.Conv2d(128, 64 * 4, 1), nn.PixelShuffle(2))
        self.enter = nn.Sequential(
            nn.Conv2d(64 + c2 + 3, 192, 3, padding=1), _stage(192, 6), nn.SiLU()
        )
        self.to8 = nn.Sequential(
            nn.Conv2d(192, 80 * 4, 3, padding=1), nn.PixelShuffle(2), _stage(80, 3), nn.SiLU()
        )
        self.to4 = nn.Sequential(
            nn.Conv2d(80, 40 * 4, 3, padding=1), nn.PixelShuffle(2), _stage(40, 1), nn.SiLU()
        )
        self.to1 = nn.Sequential(nn.Conv2d(40, 48, 3, padding=1), nn.PixelShuffle(4))
        self.direct = nn.Sequential(
            nn.Conv2d(c2, 768, 3, padding=1, bias=False), nn.PixelShuffle(16)
        )
        nn.init.zeros_(self.direct[0].weight)
        nn.init.orthogonal_(self.direct[0].weight.data[:, :, 1, 1])
        self.finish = _Finish()

    def forward(self, layer0: Tensor, layer1: Tensor, layer2: Tensor, controls: Tensor) -> Tensor:
        """Give pictures [N, 3, 16h, 16w] from latents as Analysis gives them."""
        planes = controls[:, :, None, None]
        up0 = F.interpolate(layer0, scale_factor=2.0, mode="nearest")
        low = self.low(torch.cat([up0, layer1, planes.expand(-1, -1, *layer1.shape[2:])], 1))
        entered = self.enter(
            torch.cat([self.low_up(low), layer2, planes.expand(-1, -1, *layer2.shape[2:])], 1)
        )
        drawn: Tensor = self.to1(self.to4(self.to8(entered))) + self.direct(layer2) + 0.5
        finished: Tensor = self.finish(drawn)
        return finished


def phase_masks(height: int, width: int) -> Tensor:
    """Where each pass may look: [4, 1, H, W], 1 at positions decoded before the pass."""
    seen = torch.zeros(len(PHASES), 1, height, width)
    for later in range(len(PHASES)):
        for row, column in PHASES[:later]:
            seen[later, :, row::2, column::2] = 1
    return seen


class EntropyNet(nn.Module):
    """Mean and log-scale of every integer of one layer from what is already decoded."""

    def __init__(self, layer: int) -> None:
        super().__init__()
        own, coarser = LATENT_CHANNELS[layer], sum(LATENT_CHANNELS[:layer])
        hidden = _HIDDEN[layer]
        self.first = nn.Conv2d(own + 1 + coarser, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.last = nn.Conv2d(hidden, 2 * own, 1)
        self.quality = nn.Parameter(torch.zeros(ANCHORS, hidden))

    def forward(
        self, own: Tensor, mask: Tensor, coarser: Tensor | None, quality_weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Evaluate one pass: `own` is already masked; `quality_weights` is [N, ANCHORS]."""
        parts = [own.clamp(-_INPUT_LIMIT, _INPUT_LIMIT), mask]
        if coarser is not None:
            parts.append(coarser.clamp(-_INPUT_LIMIT, _INPUT_LIMIT))
        bias = (quality_weights @ self.quality)[:, :, None, None]
        hidden = (self.first(torch.cat(parts, 1)) + bias).clamp(0, _ACTIVATION_LIMIT)
        hidden = self.second(hidden).clamp(0, _ACTIVATION_LIMIT)
        mean, log_scale = self.last(hidden).chunk(2, 1)
        return mean, log_scale


def anchor_weights(quality: Tensor) -> Tensor:
    """Linear interpolation weights [N, ANCHORS] of qualities t [N] in [0, 1]."""
    distance = (
        quality[:, None] * (ANCHORS - 1) - torch.arange(ANCHORS, device=quality.device)
    ).abs()
    return (1 - distance).clamp(min=0)


class Codec(nn.Module):
    """Everything that is trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.analysis = Analysis()
        self.synthesis = Synthesis()
        self.entropy = nn.ModuleList(EntropyNet(layer) for layer in range(3))
        start = torch.linspace(0.7, 2.6, ANCHORS)[:, None]
        self.log_gains = nn.ParameterList(
            nn.Parameter(start.repeat(1, c).contiguous()) for c in LATENT_CHANNELS
        )

    def gains(self, weights: Tensor) -> list[Tensor]:
        """Per-channel factors before rounding, [N, C, 1, 1] each."""
        return [(weights @ table).exp()[:, :, None, None] for table in self.log_gains]

    def decode(self, integers: list[Tensor], quality: Tensor, present: Tensor) -> Tensor:
        """Synthesise from rounded latents; `present` [N, 2]: are layers 1 and 2 there."""
        gains = self.gains(anchor_weights(quality))
        shares = [torch.ones_like(present[:, :1]), present[:, :1], present[:, 1:]]
        values = [
            z / gain * share[:, :, None, None]
            for z, gain, share in zip(integers, gains, shares, strict=True)
        ]
        return self.synthesis(*values, torch.cat([quality[:, None], present], 1))

    def bits(self, integers: list[Tensor], observed: list[Tensor], quality: Tensor) -> list[Tensor]:
        """Estimated bits per picture [N] of each layer.

        Args:
            integers: Rounded latents, the context.
            observed: The values whose likelihood is taken (noisy or rounded latents).
            quality: t, [N].
        """
        weights = anchor_weights(quality)
        result = []
        for layer, net in enumerate(self.entropy):
            mean, log_scale = self._predict(net, integers, layer, weights)
            result.append(_logistic_bits(observed[layer], mean, log_scale).sum((1, 2, 3)))
        return result

    @staticmethod
    def coarser(integers: list[Tensor], layer: int) -> Tensor | None:
        """Layers below `layer`, brought to its grid by repetition."""
        parts = [
            F.interpolate(integers[i], scale_factor=float(2 ** (layer - i)), mode="nearest")
            for i in range(layer)
        ]
        return torch.cat(parts[::-1], 1) if parts else None

    def _predict(
        self, net: nn.Module, integers: list[Tensor], layer: int, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        own, coarser = integers[layer], self.coarser(integers, layer)
        count, _, height, width = own.shape
        masks = phase_masks(height, width).to(own.device).repeat_interleave(count, 0)
        mean, log_scale = net(
            own.repeat(4, 1, 1, 1) * masks,
            masks,
            None if coarser is None else coarser.repeat(4, 1, 1, 1),
            weights.repeat(4, 1),
        )
        return _pick_phases(mean.float(), count), _pick_phases(log_scale.float(), count)


def _pick_phases(stacked: Tensor, count: int) -> Tensor:
    """Take from each pass's output [4N, ...] the positions which that pass codes."""
    result = torch.zeros_like(stacked[:count])
    for number, (row, column) in enumerate(PHASES):
        selected = torch.zeros_like(result[:1, :1])
        selected[:, :, row::2, column::2] = 1
        result = result + stacked[number * count : (number + 1) * count] * selected
    return result


def _logistic_bits(values: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Bits of `values` under a logistic distribution integrated over unit bins."""
    inverse = torch.exp(-log_scale.clamp(-3.0, 4.0))
    offset = (values - mean).abs()
    upper, lower = torch.sigmoid((0.5 - offset) * inverse), torch.sigmoid((-0.5 - offset) * inverse)
    return -torch.log2((upper - lower).clamp(min=1e-6))
