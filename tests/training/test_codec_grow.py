"""A codec of a smaller network starts the present one, and computes the same."""

import pytest
import torch
from torch import Tensor
from training.codec_grow import grow
from training.codec_model import LATENT_CHANNELS, Codec, EntropyNet, anchor_weights

BLOCK = "synthesis.enter.1.3"
LESS = 8  # hidden units


@pytest.fixture(scope="module")
def smaller() -> dict[str, Tensor]:
    """Weights with one residual block and some hidden units of an entropy net less."""
    torch.manual_seed(5)
    state = {name: value for name, value in Codec().state_dict().items() if BLOCK not in name}
    for name in ("first.weight", "first.bias", "second.weight", "second.bias"):
        state[f"entropy.1.{name}"] = state[f"entropy.1.{name}"][:-LESS].clone()
    for name in ("second.weight", "last.weight", "quality"):
        state[f"entropy.1.{name}"] = state[f"entropy.1.{name}"][:, :-LESS].clone()
    return state


def test_a_new_block_does_nothing_yet(smaller: dict[str, Tensor]) -> None:
    """It adds zero, but can learn not to."""
    block = grow(smaller).get_submodule(BLOCK)
    features = torch.randn(1, 192, 4, 4)
    torch.testing.assert_close(block(features), features, rtol=0, atol=0)
    assert block.get_parameter("first.weight").abs().min() > 0


def test_new_hidden_units_say_nothing_yet(smaller: dict[str, Tensor]) -> None:
    """The wider net gives the means and scales of the narrow one."""
    net = grow(smaller).entropy[1]
    assert isinstance(net, EntropyNet)
    narrow = EntropyNet(1)
    hidden = net.first.out_channels - LESS
    narrow.first = torch.nn.Conv2d(net.first.in_channels, hidden, 3, padding=1)
    narrow.second = torch.nn.Conv2d(hidden, hidden, 3, padding=1)
    narrow.last = torch.nn.Conv2d(hidden, 2 * LATENT_CHANNELS[1], 1)
    narrow.quality = torch.nn.Parameter(torch.zeros(8, hidden))
    narrow.load_state_dict(
        {
            name.removeprefix("entropy.1."): value
            for name, value in smaller.items()
            if "entropy.1." in name
        }
    )
    own = torch.randint(-3, 4, (2, LATENT_CHANNELS[1], 6, 8)).float()
    coarser = torch.randint(-3, 4, (2, LATENT_CHANNELS[0], 6, 8)).float()
    arguments = (own, torch.ones(2, 1, 6, 8), coarser, anchor_weights(torch.tensor([0.2, 0.9])))
    for found, expected in zip(net(*arguments), narrow(*arguments), strict=True):
        torch.testing.assert_close(found, expected)


def test_the_present_shape_stays_as_it_is() -> None:
    """Every weight, to the bit."""
    state = Codec().state_dict()
    for name, value in grow(state).state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("analysis.heads.0.weight", None),
        ("strange", torch.zeros(1)),
        ("synthesis.low.0.bias", torch.zeros(999)),
    ],
    ids=["missing", "unknown", "too-large"],
)
def test_another_network_is_refused(name: str, value: Tensor | None) -> None:
    """Rather than trained on with some of its weights random."""
    state = dict(Codec().state_dict())
    state.pop(name, None)
    if value is not None:
        state[name] = value
    with pytest.raises(RuntimeError, match="found"):
        grow(state)


def test_a_codec_from_before_the_finish_draws_the_same() -> None:
    """What smooths the whole picture adds nothing yet."""
    state = Codec().state_dict()
    older = {name: value for name, value in state.items() if "synthesis.finish" not in name}
    codec = grow(older)
    drawn = torch.rand(1, 3, 32, 48)
    torch.testing.assert_close(codec.synthesis.finish(drawn), drawn, rtol=0, atol=0)
    assert codec.synthesis.finish.first.weight.abs().max() > 0
