"""Choosing a backend by name."""

from pathlib import Path

import numpy as np
import pytest

from misc_sender.semantics import BACKENDS, make_backend
from misc_shared.errors import ConfigError, PackError
from misc_shared.packs import Component
from misc_shared.semantics import Semantics


def test_none_says_nothing() -> None:
    """The picture then travels alone."""
    picture = np.full((20, 30, 3), 200, np.uint8)
    assert make_backend("none").describe(picture) == Semantics()


@pytest.mark.parametrize("name", ["nano", "file", "none"])
def test_backends_without_options_are_made(name: str) -> None:
    """They need nothing that is not installed."""
    assert name in BACKENDS
    assert callable(make_backend(name).describe)


def test_an_unknown_backend_is_one_sentence() -> None:
    """It names what was asked for and what there is."""
    with pytest.raises(ConfigError) as caught:
        make_backend("clippy")
    assert str(caught.value) == (
        "no semantics backend 'clippy'; expected one of nano, file, none, openai, transformers"
    )


def test_a_damaged_pack_is_an_error_of_the_pack(tmp_path: Path) -> None:
    """Neither onnxruntime's nor msgspec's own errors get out."""
    names = ("vocabulary.json", "sight.onnx", "caption_start.onnx", "caption_step.onnx")
    component = Component("semantics", tmp_path, {"files": dict.fromkeys(names, "")}, b"")
    with pytest.raises(PackError, match="vocabulary"):
        make_backend("nano", component=component)
    empty = '{"nouns": [], "tokens": [], "spellings": {}, "support": 0, "fluency": 0}'
    (tmp_path / "vocabulary.json").write_text(empty)
    (tmp_path / "sight.onnx").write_bytes(b"not a model")
    with pytest.raises(PackError, match=r"sight\.onnx does not load"):
        make_backend("nano", component=component)
