"""Options that several commands of `misc-bench` share, and how lists in them are read.

Nothing here imports more than typer at its top: `--help` answers at once.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from misc_shared.errors import ConfigError

__all__ = [
    "RESULTS",
    "Bpp",
    "Count",
    "Folder",
    "Pack",
    "Perceptual",
    "Workers",
    "as_names",
    "as_numbers",
    "as_sizes",
    "split",
]

RESULTS = Path("bench-results")
"""Where results go by default."""

Folder = Annotated[Path, typer.Argument(help="Folder of pictures.")]
Bpp = Annotated[float, typer.Option(help="Budget of every picture in bits per pixel.")]
Count = Annotated[int | None, typer.Option(help="Only this many pictures.")]
Pack = Annotated[str, typer.Option(help="Model pack: nano, or a folder.")]
Perceptual = Annotated[
    list[str] | None,
    typer.Option(
        help="Distances, repeated or with commas between; the first ranks. Each lpips, dists, "
        "a Python file with SqueezeNet, feature_distance and texture_distance or with StLpips, or "
        "the weights (.pth) of a tiny autoencoder's encoder."
    ),
]
Workers = Annotated[int, typer.Option(help="Worker processes.")]

_Number = TypeVar("_Number", int, float)


def split(text: str) -> tuple[str, ...]:
    """What stands between commas, without blanks around it; empty places do not count."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def as_names(texts: Sequence[str] | None) -> tuple[str, ...]:
    """All of an option that may be repeated and have commas within."""
    return tuple(name for text in texts or () for name in split(text))


def as_numbers(
    text: str, kind: Callable[[str], _Number], *, what: str, example: str
) -> tuple[_Number, ...]:
    """Numbers between commas, in their order.

    Args:
        text: as the user wrote it.
        kind: int or float.
        what: the plural noun of these numbers, for the message.
        example: what a good text looks like.

    Raises:
        ConfigError: one of them is none.
    """
    try:
        return tuple(kind(part) for part in split(text))
    except ValueError as error:
        numbers = "whole numbers" if kind is int else "numbers"
        raise ConfigError(
            f"{what} are {numbers} with commas between, such as {example}; got {text!r}."
        ) from error


def as_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Widths and heights in pixels.

    Raises:
        ConfigError: one of them is none.
    """
    found = [re.fullmatch(r"\s*(\d+)x(\d+)\s*", part) for part in text.split(",")]
    sizes = tuple((int(one[1]), int(one[2])) for one in found if one is not None)
    if len(sizes) < len(found):
        raise ConfigError(f"Sizes look like 512x384, with commas between; got {text!r}.")
    return sizes
