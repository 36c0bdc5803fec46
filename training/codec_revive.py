"""Give channels of the finest layer that carry nothing something to carry.

    python -m training.codec_revive --data DIR --work DIR

Under a rate penalty a channel that the synthesis cannot use yet is silenced, and a silent channel
teaches the synthesis nothing: left alone it stays so. This fills the silent ones with principal
components of what the decoded picture lacks (residual of 16x16 blocks): the synthesis' linear path
gets the components, the analysis gets the best affine estimate of them from its last features and
the block itself, and the entropy net forgets what it believed of these channels. Also brings a
checkpoint from before the linear paths up to date. Train on afterwards, with the rate penalty low
at first.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.codec_model import ANCHORS, LATENT_CHANNELS, Codec, anchor_weights
from training.data import PhotoStore
from training.loop import save_whole

SIDE, BLOCK = 192, 16
CROPS = 320
MIDDLE = 0.5
LEAST_USE = 0.1  # share of blocks in which a channel that carries something is not zero
# Log gains of the revived channels from the coarsest to the finest quality: steps of 1.9 and 0.46
# in an orthonormal basis of pixels in 0..1, where the slope of MSE x 180 meets lambda.
LOG_GAINS = (-0.64, 0.78)


def load_older(state: dict[str, Tensor]) -> Codec:
    """Make a codec of a checkpoint's weights; linear paths that it lacks are zeros."""
    codec = Codec()
    own = codec.state_dict()
    hidden = own["analysis.to64.2.first.weight"].shape[0]
    state = {
        name.replace("analysis.to64.2.0.", "analysis.to64.2."): value
        for name, value in state.items()
    }
    first, second = "analysis.to64.2.first", "analysis.to64.2.second"
    if len(state[f"{first}.weight"]) != hidden:
        strength = (
            state[f"{first}.weight"].square().sum((1, 2, 3)).sqrt()
            * state[f"{second}.weight"].square().sum((0, 2, 3)).sqrt()
        )
        kept = strength.topk(hidden).indices
        state[f"{first}.weight"] = state[f"{first}.weight"][kept]
        state[f"{first}.bias"] = state[f"{first}.bias"][kept]
        state[f"{second}.weight"] = state[f"{second}.weight"][:, kept]
    for name, value in own.items():
        if name not in state:
            state[name] = torch.zeros_like(value)
    codec.load_state_dict(state)
    return codec.eval()


@torch.no_grad()
def observe(codec: Codec, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features [B, 1440 + 768 + 1], residuals [B, 768] and finest integers [B, 20] of blocks."""
    count = len(picture)
    quality = torch.full((count,), MIDDLE)
    latents = codec.analysis(picture)
    gains = codec.gains(anchor_weights(quality))
    integers = [(y * g).round() for y, g in zip(latents, gains, strict=True)]
    decoded = codec.decode(integers, quality, torch.ones(count, 2))
    at16 = codec.analysis.to16(codec.analysis.stem(picture * 2 - 1))
    columns = [
        F.unfold(at16, 3, padding=1),
        F.pixel_unshuffle(picture * 2 - 1, BLOCK).flatten(2),
        torch.ones(count, 1, (SIDE // BLOCK) ** 2),
    ]
    features = torch.cat(columns, 1).transpose(1, 2).flatten(0, 1)
    residual = F.pixel_unshuffle(picture - decoded, BLOCK).flatten(2).transpose(1, 2).flatten(0, 1)
    return features, residual, integers[2].flatten(2).transpose(1, 2).flatten(0, 1)


@torch.no_grad()
def revive(codec: Codec, store: PhotoStore) -> list[int]:
    """Fill the channels that are zero in nearly all blocks; give their numbers."""
    rng = np.random.default_rng(11)
    seen: list[tuple[Tensor, Tensor, Tensor]] = []
    for _ in range(CROPS // 4):
        crops = np.stack([store.crop(rng, SIDE) for _ in range(4)])
        seen.append(observe(codec, torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255))
    features, residual, finest = (torch.cat(parts) for parts in zip(*seen, strict=True))
    silent = [
        c
        for c in range(LATENT_CHANNELS[2])
        if float((finest[:, c] != 0).float().mean()) < LEAST_USE
    ]
    if not silent:
        return silent
    _, vectors = torch.linalg.eigh((residual.T @ residual / len(residual)).double())
    basis = vectors[:, -len(silent) :].flip(1).float()
    target = residual @ basis
    square = (features.T @ features).double()
    square += torch.eye(len(square)) * 1e-3 * square.diagonal().mean()
    estimate = torch.linalg.solve(square, (features.T @ target).double()).float()
    explained = 1 - (target - features @ estimate).square().mean(0) / target.square().mean(0)
    print("silent", silent, "explained", explained.numpy().round(2))
    print("spread", target.std(0).numpy().round(2), "of", residual.square().sum(1).mean().sqrt())
    _fill(codec, silent, basis, estimate)
    return silent


@torch.no_grad()
def _fill(codec: Codec, silent: list[int], basis: Tensor, estimate: Tensor) -> None:
    analysis, synthesis = codec.analysis, codec.synthesis
    deep = analysis.heads[2].weight[0].numel()
    analysis.heads[2].weight[silent] = estimate[:deep].T.reshape(
        len(silent), *analysis.heads[2].weight.shape[1:]
    )
    analysis.direct[1].weight[silent, :, 0, 0] = estimate[deep:-1].T
    analysis.heads[2].bias[silent] = estimate[-1]
    synthesis.direct[0].weight[:, silent] = 0
    synthesis.direct[0].weight[:, silent, 1, 1] = basis
    # The deep paths meet these channels as news: they begin with not listening to them.
    own = LATENT_CHANNELS[2]
    before = synthesis.enter[0].weight.shape[1] - own - 3
    synthesis.enter[0].weight[:, [before + c for c in silent]] = 0
    net = codec.entropy[2]
    net.first.weight[:, silent] = 0
    for row, level in ((0, 0.0), (own, -0.5)):
        net.last.weight[[row + c for c in silent]] = 0
        net.last.bias[[row + c for c in silent]] = level
    ramp = torch.linspace(*LOG_GAINS, ANCHORS)
    codec.log_gains[2][:, silent] = ramp[:, None].expand(-1, len(silent))


def main() -> None:
    """Parse the command line and revive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of photos-*.tar")
    parser.add_argument("--work", type=Path, required=True, help="folder of codec.pt")
    run(parser.parse_args())


def run(args: argparse.Namespace) -> None:
    """Revive, and write the checkpoint as the start of stage "revived"."""
    path = args.work / "codec.pt"
    state = torch.load(path, weights_only=True, map_location="cpu")
    codec = load_older(dict(state["average"]))
    store = PhotoStore(sorted(args.data.glob("photos-*.tar")), args.work / "photos")
    revive(codec, store)
    weights = codec.state_dict()
    clock = {"step": state["step"], "spent": state["spent"], "stage_step": 0, "stage_spent": 0.0}
    save_whole(
        {"model": weights, "average": weights, "optimiser": {}, **clock, "stage": "revived"}, path
    )


if __name__ == "__main__":
    main()
