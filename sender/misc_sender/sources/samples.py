"""The photographs that scikit-image ships, by name: a first picture without a camera."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from misc_shared.errors import MissingExtraError, SourceError

__all__ = ["find_sample", "sample_names"]

# Those of scikit-image's pictures that show something; test patterns and textures are left out.
_FILES = {
    "astronaut": "astronaut.png",
    "camera": "camera.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "hubble_deep_field": "hubble_deep_field.jpg",
    "immunohistochemistry": "ihc.png",
    "moon": "moon.png",
    "motorcycle": "motorcycle_left.png",
    "retina": "retina.jpg",
    "rocket": "rocket.jpg",
}


def sample_names() -> list[str]:
    """Names that `find_sample` knows, in order."""
    return sorted(_FILES)


def find_sample(name: str) -> Path:
    """The file of a sample photograph.

    scikit-image is found but not imported: its import would cost an edge device 60 MB.

    Raises:
        SourceError: there is no sample of that name.
        MissingExtraError: scikit-image is not installed.
    """
    file_name = _FILES.get(name)
    if file_name is None:
        raise SourceError(
            f"there is no sample {name!r}; the samples are {', '.join(sample_names())}"
        )
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise MissingExtraError("A sample photograph", package="skimage", extra="samples")
    path = Path(package.origin).parent / "data" / file_name
    if not path.is_file():
        raise SourceError(f"this scikit-image ships no {file_name}; another sample may be there")
    return path
