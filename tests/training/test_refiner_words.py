"""A run that trains what words pass through, and nothing else."""

from dataclasses import replace

import torch
from tests.receiver.refine.tiny import tiny_network
from training.refiner import train_only_words

from misc_receiver.refine.network import Guidance


def test_without_words_the_picture_stays_the_same_to_the_last_bit() -> None:
    """With words it changes."""
    torch.manual_seed(0)
    network = tiny_network()
    for values in network.parameters():
        values.data += 0.05 * torch.randn_like(values)
    network.eval()
    words, cell = network.words.embedding_dim, 3 * network.factor**2
    cells = network.multiple // network.factor
    features = torch.randn(1, len(network.feature_scale), cells, cells)
    heard = network.unet.class_embedding.linear_1.in_features - words
    coarse, sample = torch.randn(2, 1, cell, cells, cells)
    silent = Guidance(
        coarse,
        torch.cat([features, torch.zeros(1, words, cells, cells)], dim=1),
        torch.cat([torch.zeros(1, words), torch.ones(1, heard)], dim=1),
    )
    colours = network.words(torch.tensor([5, 6]))
    painted = colours[0].reshape(1, words, 1, 1).expand(1, words, cells, cells)
    said = replace(
        silent,
        planes=torch.cat([features, painted], dim=1),
        whole=torch.cat([colours[1:], torch.ones(1, heard)], dim=1),
    )
    at_start = torch.ones(1)
    with torch.inference_mode():
        before = [network(sample, at_start, one) for one in (silent, said)]
    train_only_words(network)
    trained = [one for one in network.parameters() if one.requires_grad]
    network(sample, at_start, said).square().mean().backward()
    torch.optim.AdamW(trained, lr=0.1, weight_decay=0).step()
    with torch.inference_mode():
        after = [network(sample, at_start, one) for one in (silent, said)]
    assert torch.equal(before[0], after[0])
    assert not torch.allclose(before[1], after[1])
