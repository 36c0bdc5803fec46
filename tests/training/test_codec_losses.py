"""The losses that are written for speed are the distances that they stand for."""

import numpy as np
import torch
from torch.nn.functional import normalize
from training.codec_losses import (
    VIEW_SIDE,
    UnlikeFeatures,
    area_error,
    locked_error,
    random_view,
)


def test_unlike_features_are_sqfd_of_one_layer() -> None:
    """Unit-length features, squared difference over channels, mean over places; gradient too."""
    torch.manual_seed(3)
    found = torch.randn(2, 6, 5, 4, requires_grad=True)
    target = torch.randn(2, 6, 5, 4)
    again = found.detach().clone().requires_grad_()
    plain = (normalize(again, dim=1) - normalize(target, dim=1)).square().sum(1).mean((1, 2))
    fast = UnlikeFeatures.apply(found, target)
    torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-5)
    slope = torch.tensor([1.0, -2.0])
    fast.backward(slope)
    plain.backward(slope)
    torch.testing.assert_close(found.grad, again.grad, rtol=1e-3, atol=1e-6)


def test_a_wrong_colour_costs_in_areas_and_texture_hardly() -> None:
    """A tint of a hundredth against noise of a hundredth, of which the MSE is the same."""
    picture = torch.full((1, 3, 192, 192), 0.5)
    tint = area_error(picture + 0.01, picture)
    noise = area_error(picture + 0.01 * torch.randn(1, 3, 192, 192), picture)
    assert tint > 100 * noise
    assert locked_error(picture + 0.01, picture) < 1e-9


def test_a_hatch_is_locked_to_the_grid_and_noise_is_not() -> None:
    """Stripes at the period of either PixelShuffle; they have no colour."""
    torch.manual_seed(4)
    picture = torch.full((2, 3, 192, 192), 0.5)
    noise = locked_error(picture + 0.01 * torch.randn(2, 3, 192, 192), picture)
    assert (noise < 0.01**2 / 50).all()  # or it would be an MSE, which blurs
    for period in (4, 16):
        wave = 0.01 * torch.cos(torch.arange(192) * 2 * torch.pi / period)
        hatched = picture + wave
        assert (locked_error(hatched, picture) > 4 * noise).all()
        assert (area_error(hatched, picture) < 1e-5).all()


def test_a_view_is_the_same_of_both() -> None:
    """So that equal pictures stay equal, whatever is moved, scaled and turned."""
    rng = np.random.default_rng(5)
    picture = torch.rand(2, 3, 192, 240)
    views = [random_view(picture, picture.clone(), rng) for _ in range(12)]
    for seen, aim in views:
        assert seen.shape == (2, 3, VIEW_SIDE, VIEW_SIDE)
        torch.testing.assert_close(seen, aim, rtol=0, atol=0)
    assert len({float(seen.sum()) for seen, _ in views}) == len(views)
