"""The text model's file."""

from pathlib import Path

import numpy as np
import pytest

from misc_shared.errors import PackError
from misc_shared.packs import Component
from misc_shared.text import TextCoder
from misc_shared.text.coder import MODEL_FILE


def test_table_is_small(component: Component) -> None:
    """It travels in the package."""
    assert component.file(MODEL_FILE).stat().st_size < 1.5e6


@pytest.mark.parametrize("damage", ["garbage", "nothing", "cut", "missing array", "other layout"])
def test_damaged_model_is_named(component: Component, tmp_path: Path, damage: str) -> None:
    """A component whose card fits, but whose file is no text model."""
    whole = component.file(MODEL_FILE).read_bytes()
    path = tmp_path / MODEL_FILE
    with np.load(component.file(MODEL_FILE)) as file:
        arrays = {name: file[name] for name in file.files}
    match damage:
        case "garbage":
            path.write_bytes(b"garbage")
        case "nothing":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(whole[:-1000])
        case "missing array":
            del arrays["counts"]
            np.savez(path, **arrays)
        case "other layout":
            arrays["layout"] = arrays["layout"][1:]
            np.savez(path, **arrays)
    other = Component("text", tmp_path, {"files": {MODEL_FILE: ""}}, b"")
    with pytest.raises(PackError, match=r"not a text model.*training/text.py"):
        TextCoder(other)
