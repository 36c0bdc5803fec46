"""What the receiver's screen shows of another codec's file."""

from collections.abc import Iterator

from misc_lab.compare.carriage import Carried, parts_of_file
from misc_lab.compare.catalogue import CodedPicture
from misc_lab.compare.computing import FORMAT_COSTS
from misc_lab.compare.eye import Eye, View
from misc_lab.compare.formats import scene_bytes, show_part
from misc_lab.compare.screen import Change
from misc_shared.wire import LayerKind

__all__ = ["Browser", "encode_seconds"]

_SEEN = 2.0
"""Mean difference in levels of 255 above which a part shows more than the part before."""


def encode_seconds(coded: CodedPicture, *, computing: bool) -> float:
    """Seconds that the sender needs for the file."""
    return FORMAT_COSTS[coded.codec].encode * coded.pixels if computing else 0.0


class Browser:
    """Shows files of one original as they come, and remembers what their parts look like."""

    def __init__(self, eye: Eye) -> None:
        self._eye = eye
        self._parts: dict[tuple[bytes, int], View | None] = {}

    def show(
        self,
        coded: CodedPicture,
        carried: Carried,
        layers: dict[LayerKind, bytes],
        *,
        computing: bool,
    ) -> Iterator[Change]:
        """What the screen shows when, the whole file last."""
        seconds = FORMAT_COSTS[coded.codec].decode * coded.pixels if computing else 0.0
        for at, nbytes in parts_of_file(carried, layers):
            if nbytes == len(coded.data):
                yield Change(at + seconds, "whole", nbytes, coded.view)
            elif (part := self._part(coded, nbytes)) is not None:
                kind = "scan" if nbytes >= scene_bytes(coded.codec, coded.data) else "part"
                yield Change(at + seconds, kind, nbytes, part)

    def _part(self, coded: CodedPicture, nbytes: int) -> View | None:
        key = (coded.data, nbytes)
        if key not in self._parts:
            height, width = self._eye.original.shape[:2]
            pixels = show_part(coded.codec, coded.data[:nbytes], width=width, height=height)
            # Before the first coefficients, a decoder shows one flat colour: that is no picture.
            flat = pixels is None or float(pixels.std()) < _SEEN
            self._parts[key] = None if pixels is None or flat else self._eye.see(pixels)
        return self._parts[key]
