"""A described photograph on disk, as the lab's programs take it."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

DESCRIPTION = {
    "items": [
        {"name": "person", "detail": "smiling, center", "map": ["0110", "0110", "1111", "1111"]},
        {"name": "flag", "detail": "striped, left", "map": ["1000", "1000", "1000", "0000"]},
    ],
    "caption": "A woman in an orange suit sits in front of a flag.",
}


@pytest.fixture(scope="session")
def described_photo(photo: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the astronaut at 256x192 with items, maps and a caption beside it."""
    path = tmp_path_factory.mktemp("described") / "astronaut.png"
    Image.fromarray(photo[:384]).resize((256, 192), Image.Resampling.LANCZOS).save(path)
    path.with_name("astronaut.png.json").write_text(json.dumps(DESCRIPTION))
    return path
