"""Maps from CLIP, on a tiny one with random weights, against the paper's formulas in NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.sender.semantics.tiny_models import save_clip, save_vision_language
from transformers import CLIPModel

from misc_sender.semantics.clip import ClipMaps
from misc_sender.semantics.placing import Placed
from misc_sender.semantics.sidecar import FileSemantics
from misc_sender.semantics.surgery import (
    DUAL_BLOCKS,
    remove_redundancy,
    surgery_tokens,
    v_v_attention,
)
from misc_shared.errors import ConfigError, PackError

pytestmark = pytest.mark.usefixtures("no_network")

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a tiny model."""
    return save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def maps(folder: Path) -> ClipMaps:
    """Give the tiny model, loaded."""
    return ClipMaps(str(folder), grid=8)


@pytest.fixture(scope="module")
def vision(folder: Path) -> Any:  # noqa: ANN401 - transformers ships no types
    """Give its vision tower."""
    return CLIPModel.from_pretrained(folder).eval().vision_model


def linear(layer: Any, values: Array) -> Array:  # noqa: ANN401
    """Apply a linear layer in NumPy."""
    weight, bias = (part.detach().double().numpy() for part in (layer.weight, layer.bias))
    result: Array = values @ weight.T + bias
    return result


def layer_norm(layer: Any, values: Array) -> Array:  # noqa: ANN401
    """Apply a layer normalisation in NumPy."""
    weight, bias = (part.detach().double().numpy() for part in (layer.weight, layer.bias))
    centred = values - values.mean(-1, keepdims=True)
    spread = np.sqrt(values.var(-1, keepdims=True) + layer.eps)
    result: Array = centred / spread * weight + bias
    return result


def reference_v_v(attention: Any, hidden: Array) -> Array:  # noqa: ANN401
    """Attend from values to values, head by head and token by token; hidden is [N, C]."""
    values = linear(attention.v_proj, hidden)
    heads = []
    for head in np.split(values, attention.num_heads, axis=1):
        rows = []
        for value in head:
            weights = np.exp(head @ value / np.sqrt(head.shape[1]))
            rows.append(weights @ head / weights.sum())
        heads.append(np.stack(rows))
    return linear(attention.out_proj, np.concatenate(heads, 1))


@torch.inference_mode()
def test_v_v_attention_is_the_papers(vision: Any) -> None:  # noqa: ANN401
    """Softmax of v v^T, not of q k^T."""
    hidden = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(0))
    attention = vision.encoder.layers[-1].self_attn
    found = v_v_attention(attention, hidden).numpy()
    for one, expected in zip(found, hidden.double().numpy(), strict=True):
        np.testing.assert_allclose(one, reference_v_v(attention, expected), atol=1e-5)


@torch.inference_mode()
def test_the_second_path_adds_v_v_attention_and_no_feed_forward(vision: Any) -> None:  # noqa: ANN401
    """The class token is CLIP's own; patches sum what the last six blocks' values say."""
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    own = vision(pixels, output_hidden_states=True)
    found = surgery_tokens(vision, pixels)[0]
    assert found.shape == (65, 64)
    np.testing.assert_allclose(found[0], own.pooler_output[0], atol=1e-5)
    inputs = [state[0].double().numpy() for state in own.hidden_states]
    second = inputs[8 - DUAL_BLOCKS].copy()
    for block, hidden in list(zip(vision.encoder.layers, inputs, strict=False))[-DUAL_BLOCKS:]:
        second += reference_v_v(block.self_attn, layer_norm(block.layer_norm1, hidden))
    expected = layer_norm(vision.post_layernorm, second)[1:]
    np.testing.assert_allclose(found[1:], expected, atol=1e-4)


def test_redundancy_is_removed_as_in_the_paper() -> None:
    """Features multiplied element by element, weighted, less their mean over the texts, summed."""
    generator = np.random.default_rng(0)
    tokens, texts = (generator.normal(size=(count, 6)) for count in (10, 4))
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    obvious = np.exp(2 * tokens[0] @ texts.T)
    weights = obvious / obvious.mean()
    features = tokens[1:, None] * texts[None] * weights[None, :, None]
    expected = (features - features.mean(1, keepdims=True)).sum(-1)
    found = remove_redundancy(torch.from_numpy(tokens), torch.from_numpy(texts)).numpy()
    np.testing.assert_allclose(found, expected)


def test_what_all_texts_share_counts_for_none() -> None:
    """A patch that is like every text the same is like none of them."""
    texts = torch.eye(4)[:3]
    tokens = torch.stack([torch.full((4,), 0.5), torch.full((4,), 0.5), torch.eye(4)[1]])
    scores = remove_redundancy(tokens, texts)
    np.testing.assert_allclose(scores[0], 0, atol=1e-6)
    assert scores[1].argmax() == 1


@pytest.mark.parametrize("grid", [8, 11, 32])
def test_each_name_gets_a_map_of_the_asked_grid(
    folder: Path, photo: NDArray[np.uint8], grid: int
) -> None:
    """Different ones for different names."""
    found = ClipMaps(str(folder), grid=grid).locate(photo, ["astronaut", "flag", "wet road"])
    assert [(one.shape, one.dtype) for one in found] == [((grid, grid), np.dtype(bool))] * 3
    assert all(0 < one.mean() < 1 for one in found)
    assert (found[0] != found[1]).any()


def test_the_same_picture_gets_the_same_maps(
    folder: Path, maps: ClipMaps, photo: NDArray[np.uint8]
) -> None:
    """Again, and from a fresh load."""
    others = (maps, ClipMaps(str(folder), grid=8))
    first, *rest = (one.locate(photo, ["flag", "dog"]) for one in (maps, *others))
    assert all(np.array_equal(first, found) for found in rest)


@pytest.mark.parametrize("shape", [(1, 1), (16, 400), (700, 90)])
def test_pictures_of_any_shape_are_placed(maps: ClipMaps, shape: tuple[int, int]) -> None:
    """They are stretched, not cropped; no names need no maps."""
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert maps.locate(picture, []) == []
    (one,) = maps.locate(picture, ["x" * 500])
    assert one.shape == (8, 8)


def test_it_places_what_another_backend_names(
    maps: ClipMaps, photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Words stay, maps are CLIP's."""
    (tmp_path / "a.png.json").write_text('{"items": [{"name": "flag"}], "caption": "A flag."}')
    placed = Placed(FileSemantics(), maps)
    said = placed.describe(photo, path=tmp_path / "a.png")
    placed.close()
    assert (said.items[0].name, said.caption) == ("flag", "A flag.")
    assert said.items[0].map is not None
    assert said.items[0].map.shape == (8, 8)


@pytest.mark.parametrize("grid", [7, 33])
def test_a_grid_out_of_range_is_told(folder: Path, grid: int) -> None:
    """The map coder takes 8 to 32."""
    with pytest.raises(ConfigError, match=f"map grid of {grid} is out of range"):
        ClipMaps(str(folder), grid=grid)


def test_other_models_and_missing_ones_are_told(tmp_path: Path) -> None:
    """One sentence each."""
    with pytest.raises(ConfigError, match="is of the kind 'idefics3'; maps need a CLIP model"):
        ClipMaps(str(save_vision_language(tmp_path)))
    with pytest.raises(PackError, match="run: hf download nobody/no-such-clip"):
        ClipMaps("nobody/no-such-clip")
