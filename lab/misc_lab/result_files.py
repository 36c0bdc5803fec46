"""Files of results: whole or not at all, so that a full disk does not destroy those of before."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from misc_shared.atomic_file import write_atomically
from misc_shared.errors import ConfigError

__all__ = ["write_figure", "write_picture", "write_result", "write_results"]


def write_result(path: Path, content: str | bytes) -> None:
    """Write one file, in place of an earlier one; text as UTF-8.

    Raises:
        ConfigError: it cannot be written; an earlier one is as it was.
    """
    try:
        write_atomically(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror or error}; make room, or give another --out"
        ) from None


def write_results(folder: Path, contents: dict[str, str]) -> None:
    """Write several files into a folder, which is made if need be.

    Raises:
        ConfigError: one cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {folder}: {error.strerror}") from None
    for name, content in contents.items():
        write_result(folder / name, content)


def write_figure(figure: Any, path: Path, *, dpi: int = 150) -> None:  # noqa: ANN401 - matplotlib stays lazy
    """Write a figure of matplotlib's as the path's name says.

    Raises:
        ConfigError: it cannot be written.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=dpi, format=path.suffix.removeprefix("."))
    write_result(path, buffer.getvalue())


def write_picture(image: Image.Image, path: Path) -> None:
    """Write a picture as the path's name says.

    Pillow itself would write what fits of a JPEG, and say nothing.

    Raises:
        ConfigError: it cannot be written, or no format has that name.
    """
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise ConfigError(f"{path} names no format of pictures: expected .png, .jpg or .webp")
    buffer = io.BytesIO()
    image.save(buffer, format=kind, optimize=True)
    write_result(path, buffer.getvalue())
