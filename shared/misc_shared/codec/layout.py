"""Numbers that the codec's two ends and its training share, and the header of the base layer."""

from dataclasses import dataclass
from typing import Final

from misc_shared.errors import BitstreamError

__all__ = [
    "FEATURE_CHANNELS",
    "HEADER_BYTES",
    "LATENT_CHANNELS",
    "MAX_CELLS",
    "MAX_SIDE",
    "MIN_SIDE",
    "PHASES",
    "QUALITIES",
    "SCALES",
    "Header",
    "grid_cells",
]

LATENT_CHANNELS: Final = (8, 12, 20)
FEATURE_CHANNELS: Final = sum(LATENT_CHANNELS)
# The order in which the four positions of every 2x2 square of a grid are coded.
PHASES: Final = ((0, 0), (1, 1), (0, 1), (1, 0))
QUALITIES: Final = 32
# Displayed size over coded size. At low rates a smaller picture, well coded, looks better.
SCALES: Final = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
MIN_SIDE: Final = 16
MAX_SIDE: Final = 4096
# Most 64x64 cells of a coded picture, 1920x1080 at scale 1.25 among them: whatever a header says, a
# decoder spends less than two seconds of one core and 200 MB on it.
MAX_CELLS: Final = 384
HEADER_BYTES: Final = 4


def grid_cells(width: int, height: int, scale_index: int) -> tuple[int, int]:
    """Columns and rows of 64x64 cells in which a picture is coded.

    The coded picture is stretched to whole cells, half a cell at most, instead of padded: padding
    would cost bits for pixels that nobody sees.
    """
    cell = 64 * SCALES[scale_index]
    return max(1, round(width / cell)), max(1, round(height / cell))


@dataclass(frozen=True, slots=True)
class Header:
    """The first four bytes of the base layer (protocol.md, Layer payloads: Image).

    Attributes:
        quality: 0..31, 31 best.
        scale_index: Into SCALES.
        width: Displayed width in pixels, 16..4096.
        height: Displayed height in pixels, 16..4096.
    """

    quality: int
    scale_index: int
    width: int
    height: int

    def pack(self) -> bytes:
        """Write 5 bits of quality, 3 of scale, 12 each of width - 1 and height - 1."""
        word = (
            (self.quality << 27)
            | (self.scale_index << 24)
            | ((self.width - 1) << 12)
            | (self.height - 1)
        )
        return word.to_bytes(HEADER_BYTES, "big")

    @classmethod
    def unpack(cls, base: bytes) -> "Header":
        """Read the header of a base layer.

        Raises:
            BitstreamError: It is cut short, or names a picture outside the limits.
        """
        if len(base) < HEADER_BYTES:
            message = f"base layer: found {len(base)} bytes, expected a header of {HEADER_BYTES}"
            raise BitstreamError(message)
        word = int.from_bytes(base[:HEADER_BYTES], "big")
        header = cls(word >> 27, (word >> 24) & 7, ((word >> 12) & 0xFFF) + 1, (word & 0xFFF) + 1)
        if min(header.width, header.height) < MIN_SIDE:
            message = (
                f"base layer: found a {header.width}x{header.height} picture, expected sides of "
                f"{MIN_SIDE}..{MAX_SIDE}"
            )
            raise BitstreamError(message)
        if header.cells[0] * header.cells[1] > MAX_CELLS:
            message = (
                f"base layer: found {header.cells[0]}x{header.cells[1]} cells, expected at most "
                f"{MAX_CELLS} in all"
            )
            raise BitstreamError(message)
        return header

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows of 64x64 cells."""
        return grid_cells(self.width, self.height, self.scale_index)

    def grid(self, layer: int) -> tuple[int, int]:
        """Rows and columns of a latent layer."""
        columns, rows = self.cells
        return rows << layer, columns << layer
