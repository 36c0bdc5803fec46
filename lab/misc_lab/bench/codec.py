"""What every codec looks like to the benchmark."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Codec", "CodedFile", "Pixels"]

Pixels = NDArray[np.uint8]
"""A picture: [height, width, 3], RGB, 0 to 255."""


@dataclass(frozen=True, slots=True)
class CodedFile:
    """One picture as bytes.

    Attributes:
        parts: Everything the decoder gets: one file, or the datagrams of a stream.
        setting: How it was made, as in "1/2 quality 31"; for the report only.
    """

    parts: tuple[bytes, ...]
    setting: str

    @property
    def nbytes(self) -> int:
        """The rate."""
        return sum(len(part) for part in self.parts)


class Codec(Protocol):
    """A codec under test; an object of this class lives in one worker process.

    Attributes:
        series: Names of the pictures that `decode` gives, the main one first.
    """

    series: tuple[str, ...]

    def files(self, image: Pixels, *, max_bytes: int) -> Iterator[CodedFile]:
        """Code a picture within a budget, in each way worth judging.

        Yields:
            Files of at most `max_bytes`; none if the codec cannot get that small. Where there are
            several, the benchmark keeps the one whose picture is best.
        """
        ...

    def decode(self, parts: tuple[bytes, ...], *, width: int, height: int) -> Mapping[str, Pixels]:
        """Decode from the bytes alone.

        Args:
            parts: Those of one of `files`.
            width: Of the original, to which a smaller picture is enlarged.
            height: Of the original.

        Returns:
            Pictures of the original's size by series name.
        """
        ...
