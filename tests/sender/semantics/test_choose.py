"""Choosing a backend by name."""

import json
from pathlib import Path

import numpy as np
import pytest

from misc_sender.semantics import (
    BACKENDS,
    LatestSemantics,
    OpenAIOptions,
    SemanticsOptions,
    chat,
    make_backend,
    make_describer,
)
from misc_shared.errors import ConfigError, PackError, TransportError
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
    numbers = dict.fromkeys(("support", "fluency", "speak", "familiar", "caution"), 0)
    empty = json.dumps({"nouns": [], "tokens": [], "spellings": {}, **numbers})
    (tmp_path / "vocabulary.json").write_text(empty)
    (tmp_path / "sight.onnx").write_bytes(b"not a model")
    with pytest.raises(PackError, match=r"sight\.onnx does not load"):
        make_backend("nano", component=component)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (SemanticsOptions(maps="klip"), "no maps 'klip'; expected one of own, clip, none"),
        (SemanticsOptions(name="openai", every=-1), "-1 seconds make no sense"),
        (SemanticsOptions(name="openai", wait=float("nan")), "nan seconds make no sense"),
        (SemanticsOptions(every=1), "semantics 'nano' describes every picture at once"),
        (SemanticsOptions(name="openai"), "no vision model is named"),
    ],
)
def test_options_that_make_no_sense_are_one_sentence(
    options: SemanticsOptions, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before a camera is opened."""
    for name in ("MISC_OPENAI_URL", "MISC_OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=complaint):
        make_describer(options, component=None, moving=False)


def test_slow_backends_run_in_the_background() -> None:
    """Quick ones do not."""
    server = OpenAIOptions(url="http://127.0.0.1:9/v1", model="eye-1", key="")
    slow = make_describer(
        SemanticsOptions(name="openai", openai=server), component=None, moving=True
    )
    assert isinstance(slow, LatestSemantics)
    slow.close()
    quick = make_describer(SemanticsOptions(name="file"), component=None, moving=False)
    assert not isinstance(quick, LatestSemantics)
    quick.close()


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """For programs that have no options of their own for it."""
    monkeypatch.setenv("MISC_OPENAI_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("MISC_OPENAI_MODEL", "eye-1")
    monkeypatch.setenv("MISC_OPENAI_KEY", "")
    monkeypatch.setattr(chat, "_FIRST_WAIT", 0.01)
    backend = make_backend("openai")
    with pytest.raises(TransportError, match=r"http://127\.0\.0\.1:9/v1 does not answer"):
        backend.describe(np.zeros((16, 16, 3), np.uint8))
    backend.close()


def test_maps_can_be_left_out(tmp_path: Path) -> None:
    """The words stay."""
    (tmp_path / "a.png.json").write_text('{"items": [{"name": "flag", "map": ["01"]}]}')
    options = SemanticsOptions(name="file", maps="none")
    describer = make_describer(options, component=None, moving=False)
    said = describer.describe(np.zeros((16, 16, 3), np.uint8), path=tmp_path / "a.png")
    assert [(item.name, item.map) for item in said.items] == [("flag", None)]
