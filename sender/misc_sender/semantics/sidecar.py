"""Semantics written by hand or by another program: a JSON file next to the picture.

`photo.png` has its semantics in `photo.png.json`:

    {"items": [{"name": "dog", "detail": "brown, large, center", "map": ["0000", "0110"]}],
     "caption": "A dog runs through the grass."}

A map's rows are strings of 0 and 1, or lists of the numbers 0 and 1; 1 is where the item is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from misc_sender.semantics.backend import QuickBackend
from misc_shared.errors import ConfigError, SourceError
from misc_shared.semantics import MAX_ITEMS, MAX_TEXT_CHARACTERS, Item, Semantics

__all__ = ["FileSemantics", "format_sidecar", "parse_sidecar", "sidecar_path"]

_MAX_BYTES = 1 << 20
_MAX_SIDE = 64

_Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARACTERS)]
_RowOfDigits = Annotated[str, Meta(pattern="^[01]+$", max_length=_MAX_SIDE)]
_RowOfNumbers = Annotated[
    list[Annotated[int, Meta(ge=0, le=1)]], Meta(min_length=1, max_length=_MAX_SIDE)
]
_Rows = Annotated[list[_RowOfDigits | _RowOfNumbers], Meta(min_length=1, max_length=_MAX_SIDE)]


class _StoredItem(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
    detail: _Text = ""
    map: _Rows | None = None


class _StoredSemantics(Struct, forbid_unknown_fields=True):
    items: Annotated[list[_StoredItem], Meta(max_length=MAX_ITEMS)] = []
    caption: _Text = ""


class FileSemantics(QuickBackend):
    """Reads PICTURE.json next to each picture."""

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:  # noqa: ARG002
        """Read a picture's semantics.

        Raises:
            ConfigError: the picture did not come from a file.
            SourceError: the JSON file is missing, too large or not of the expected form.
        """
        if path is None:
            raise ConfigError(
                "semantics 'file' reads PICTURE.json next to a picture file, and this source has "
                "no picture files; choose --semantics nano or none"
            )
        stored_at = sidecar_path(path)
        return parse_sidecar(_read(stored_at), stored_at)


def sidecar_path(picture: Path) -> Path:
    """Return where a picture's semantics are: its own name with ".json" after it."""
    return picture.with_name(picture.name + ".json")


def parse_sidecar(content: bytes, path: Path) -> Semantics:
    """Take a sidecar's content apart.

    Args:
        content: JSON as described above.
        path: where it came from, for the error.

    Raises:
        SourceError: it is not of the expected form.
    """
    stored = _decode(content, path)
    items = tuple(Item(one.name, one.detail, _map(one, path)) for one in stored.items)
    return Semantics(items, stored.caption)


def format_sidecar(semantics: Semantics) -> bytes:
    """Write what `parse_sidecar` reads."""
    items = [_StoredItem(one.name, one.detail, _rows(one.map)) for one in semantics.items]
    return msgspec.json.encode(_StoredSemantics(items, semantics.caption))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(
            f"semantics file {path} does not open ({error.strerror}); "
            "write it, or choose --semantics nano or none"
        ) from error
    if len(content) > _MAX_BYTES:
        raise SourceError(f"semantics file {path} is larger than the limit of {_MAX_BYTES} bytes")
    return content


def _decode(content: bytes, path: Path) -> _StoredSemantics:
    try:
        return msgspec.json.decode(content, type=_StoredSemantics)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(
            f"semantics file {path}: {error}; "
            'expected {"items": [{"name", "detail", "map"}], "caption"}'
        ) from error


def _map(item: _StoredItem, path: Path) -> NDArray[np.bool_] | None:
    if item.map is None:
        return None
    rows = [[int(cell) for cell in row] for row in item.map]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise SourceError(
            f"semantics file {path}: the map of {item.name!r} has rows of {lengths} cells; "
            "expected rows of one length"
        )
    return np.array(rows, dtype=np.bool_)


def _rows(cells: NDArray[np.bool_] | None) -> list[str | list[int]] | None:
    if cells is None:
        return None
    return ["".join("01"[int(cell)] for cell in row) for row in cells]
