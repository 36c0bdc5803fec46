"""The losses that are written for speed are the distances that they stand for."""

import torch
from torch.nn.functional import normalize
from training.codec_losses import UnlikeFeatures


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
