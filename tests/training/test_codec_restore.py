"""A pack's codec comes back into torch as what it was."""

from pathlib import Path

import numpy as np
import pytest
import torch
from training.codec_export import check_networks, integer_net
from training.codec_model import LATENT_CHANNELS, Codec, EntropyNet, anchor_weights
from training.codec_restore import entropy_state, restore

from misc_shared.packs import load_pack


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the shipped codec is."""
    return load_pack("nano").component("codec").file("entropy.npz").parent


@pytest.fixture(scope="module")
def codec(folder: Path) -> Codec:
    """The shipped codec in torch."""
    return restore(folder)


def test_networks_do_what_the_packs_do(codec: Codec, folder: Path) -> None:
    """Up to what float16 and another runtime make of it."""
    assert check_networks(codec, folder) < 1e-3


def test_integer_nets_round_to_what_they_were(codec: Codec, folder: Path) -> None:
    """So tables that were counted before still fit."""
    with np.load(folder / "entropy.npz") as shipped:
        for layer, net in enumerate(codec.entropy):
            assert isinstance(net, EntropyNet)
            for name, values in integer_net(net, layer).items():
                # A bias was rounded for each quality: what lies between anchors may differ by one.
                slack = 1 if name.endswith("first_bias") else 0
                assert (
                    np.abs(values.astype(int) - shipped[name].astype(int)).max(initial=0) <= slack
                )


def test_gains_are_those_of_every_quality(codec: Codec, folder: Path) -> None:
    """The pack holds 32 of them, the model eight to interpolate."""
    with np.load(folder / "entropy.npz") as shipped:
        for layer, gain in enumerate(codec.gains(anchor_weights(torch.linspace(0, 1, 32)))):
            np.testing.assert_allclose(
                gain[:, :, 0, 0].detach(), shipped[f"gain{layer}"], rtol=1e-5
            )


@pytest.mark.parametrize("layer", range(len(LATENT_CHANNELS)))
def test_an_entropy_net_survives_rounding_and_back(layer: int) -> None:
    """With weights that are not already rounded."""
    torch.manual_seed(layer)
    net = EntropyNet(layer)
    torch.nn.init.normal_(net.quality)
    state = entropy_state(integer_net(net, layer), layer)
    again = EntropyNet(layer)
    again.load_state_dict(
        {name.removeprefix(f"entropy.{layer}."): value for name, value in state.items()}
    )
    own = torch.randint(-3, 4, (2, LATENT_CHANNELS[layer], 6, 8)).float()
    coarser = torch.randint(-3, 4, (2, sum(LATENT_CHANNELS[:layer]), 6, 8)).float()
    arguments = (own, torch.ones(2, 1, 6, 8), coarser if layer else None)
    weights = anchor_weights(torch.tensor([0.2, 0.9]))
    for before, after in zip(net(*arguments, weights), again(*arguments, weights), strict=True):
        torch.testing.assert_close(after, before, rtol=0, atol=0.02)
