"""Gives another backend's items maps from elsewhere, or none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.backend import SemanticsBackend
from misc_shared.semantics import Semantics

__all__ = ["Maps", "NoMaps", "Placed"]


class Maps(Protocol):
    """Finds where named things are."""

    def locate(
        self, image: NDArray[np.uint8], names: Sequence[str]
    ) -> Sequence[NDArray[np.bool_] | None]:
        """Place each name.

        Args:
            image: uint8 [H, W, 3], RGB.
            names: what to look for.

        Returns:
            A map for each name: bool [rows, columns], True where it is.
        """


class NoMaps:
    """Places nothing, and so saves the bytes of maps."""

    def locate(
        self,
        image: NDArray[np.uint8],  # noqa: ARG002
        names: Sequence[str],
    ) -> Sequence[NDArray[np.bool_] | None]:
        """Return None for each name."""
        return [None] * len(names)


class Placed:
    """Places what another backend names, in place of that backend's own maps.

    Args:
        backend: names the items.
        maps: finds them.
    """

    def __init__(self, backend: SemanticsBackend, maps: Maps) -> None:
        self._backend = backend
        self._maps = maps

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:
        """Describe a picture and place its items.

        Raises:
            LocalError: the backend can't do its work.
            SemanticsError: the backend has no usable words.
        """
        said = self._backend.describe(image, path=path)
        maps = self._maps.locate(image, [item.name for item in said.items])
        items = (
            dataclasses.replace(item, map=where)
            for item, where in zip(said.items, maps, strict=True)
        )
        return dataclasses.replace(said, items=tuple(items))

    def close(self) -> None:
        """Stop the backend."""
        self._backend.close()
