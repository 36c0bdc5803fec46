"""CLIP Surgery (Li et al. 2023, arXiv 2304.05653): where in a picture a text is, from CLIP alone.

Two operations without training. Architecture surgery: in the last blocks a second path attends
from values to values, so that a patch gathers from patches like itself, and leaves out the
feed-forward layers; CLIP's own path goes on beside it. Feature surgery: what a patch has in common
with every class is redundant and is taken off, so that obvious classes do not light up everywhere.
"""

from __future__ import annotations

from typing import Any

from misc_sender.semantics.torch_door import torch

__all__ = ["DUAL_BLOCKS", "remove_redundancy", "surgery_tokens", "v_v_attention"]

DUAL_BLOCKS = 6
"""Blocks, from the last, that have the second path: the paper's choice for every ViT."""

_SHARPNESS = 2.0  # of the softmax that says how obvious a class is, as the authors' code has it


def v_v_attention(attention: Any, hidden: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Attend from values to values: softmax(v v^T / sqrt(d)) v, head by head, then the projection.

    Args:
        attention: a CLIPAttention.
        hidden: float [B, N, C], already normalised.

    Returns:
        float [B, N, C].
    """
    batch, tokens, channels = hidden.shape
    values = attention.v_proj(hidden)
    values = values.view(batch, tokens, -1, attention.head_dim).transpose(1, 2)
    weights = (values @ values.transpose(-1, -2) * attention.scale).softmax(-1)
    gathered = (weights @ values).transpose(1, 2).reshape(batch, tokens, channels)
    projected: torch.Tensor = attention.out_proj(gathered)
    return projected


def surgery_tokens(vision: Any, pixels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Run CLIP's vision tower with the second path.

    Args:
        vision: a CLIPVisionModel.
        pixels: float [B, 3, H, W], normalised; sides are multiples of the patch's.

    Returns:
        float [B, 1 + patches, C] before the projection: the class token from CLIP's own path, the
        patches, row by row, from the second one.
    """
    hidden = vision.embeddings(pixels, interpolate_pos_encoding=True)
    hidden = vision.pre_layrnorm(hidden)
    blocks = list(vision.encoder.layers)
    single = max(0, len(blocks) - DUAL_BLOCKS)
    for block in blocks[:single]:
        hidden = block(hidden, attention_mask=None)
    second = hidden
    for block in blocks[single:]:
        second = second + v_v_attention(block.self_attn, block.layer_norm1(hidden))
        hidden = block(hidden, attention_mask=None)
    tokens = torch.cat([hidden[:, :1], second[:, 1:]], 1)
    normalised: torch.Tensor = vision.post_layernorm(tokens)
    return normalised


def remove_redundancy(tokens: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """Compare patches with texts after taking off what all texts have in common.

    Args:
        tokens: float [1 + patches, D], unit vectors; the class token first.
        texts: float [T, D], unit vectors; more than one, or everything is redundant.

    Returns:
        float [patches, T], larger where the patch shows what the text says and no other text does.
    """
    # Weights from the whole picture keep an obvious class from being redundant in all others.
    obvious = (_SHARPNESS * tokens[:1] @ texts.T).softmax(-1)
    weights = obvious / obvious.mean(-1, keepdim=True)
    # The paper multiplies features element by element, takes their mean over the texts off and
    # adds up. Adding up first gives the same without an array of [patches, T, D].
    weighted = weights * (tokens[1:] @ texts.T)
    return weighted - weighted.mean(-1, keepdim=True)
