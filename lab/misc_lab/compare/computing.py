"""How long coding takes, as stated figures: a measured time would make no two runs alike.

Processor seconds on one core of a server (x86-64, 2026), two 512x512 photographs, one thread, and
rounded up. Ours are per pixel of the picture; another codec's are per pixel of the size at which
it codes. Decoding of other codecs is that of Pillow's decoders, enlarging left out.
"""

from dataclasses import dataclass

__all__ = ["FORMAT_COSTS", "OUR_COSTS", "FormatCosts", "OurCosts"]


@dataclass(frozen=True, slots=True)
class OurCosts:
    """Seconds a megapixel of ours.

    Attributes:
        encode: Words, maps and the codec with its rate control.
        decode: One coarse picture, of however many layers.
        refine: Both diffusion steps.
    """

    encode: float
    decode: float
    refine: float

    def times(self, factor: float) -> "OurCosts":
        """The same for a picture of so many megapixels; 0 leaves computing out."""
        return OurCosts(self.encode * factor, self.decode * factor, self.refine * factor)


@dataclass(frozen=True, slots=True)
class FormatCosts:
    """Seconds a megapixel of another codec, at the size that it codes."""

    encode: float
    decode: float


OUR_COSTS = OurCosts(encode=0.6, decode=0.4, refine=3.2)

FORMAT_COSTS = {
    "jpeg": FormatCosts(encode=0.006, decode=0.005),
    "progressive": FormatCosts(encode=0.010, decode=0.007),
    "webp": FormatCosts(encode=0.14, decode=0.012),
    "avif": FormatCosts(encode=0.8, decode=0.025),
}
