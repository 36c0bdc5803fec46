"""Where received pictures go: a folder, the live page, a broker's image topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from misc_shared.semantics import Semantics

__all__ = ["PictureSink", "ShownPicture", "WordSink"]


@dataclass(frozen=True, kw_only=True)
class ShownPicture:
    """One picture, as good as it is at this moment.

    Attributes:
        stream: the stream's name.
        frame: the frame's id, as reports write it.
        kind: "coarse", "preview-K" or "refined".
        pixels: uint8 [H, W, 3], RGB; nobody changes them.
        generated: whether a model has invented part of it.
        label: what a file of it says about itself.
        semantics: what has been received of words and maps.
        captured: Unix seconds at which it was taken, once the sender has introduced itself.
        name: what it is called however often it comes, if that is not `frame`.
    """

    stream: str
    frame: str
    kind: str
    pixels: NDArray[np.uint8]
    generated: bool
    label: Mapping[str, str] = field(default_factory=dict)
    semantics: Semantics = field(default_factory=Semantics)
    captured: float | None = None
    name: str = ""


class PictureSink(Protocol):
    """Takes pictures as they get ready.

    `show` runs in the thread that decodes: a sink that needs time hands the picture on and returns.
    """

    def show(self, picture: ShownPicture) -> Path | None:
        """Take one picture.

        Returns:
            The file, if it is one now.

        Raises:
            LocalError: it cannot be kept.
        """
        ...


@runtime_checkable
class WordSink(Protocol):
    """A sink that takes words and maps too, which may come before and after the picture."""

    def describe(self, stream: str, frame: str, semantics: Semantics) -> None:
        """Take what is known now; runs in the thread that decodes.

        Args:
            stream: the stream's name.
            frame: the frame's id, as reports write it.
            semantics: items with their maps, as far as those have come.
        """
        ...
