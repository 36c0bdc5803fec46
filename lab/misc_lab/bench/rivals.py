"""All codecs to compare with, by name."""

from misc_lab.bench.classical import Avif, Jpeg, Jpeg2000, JpegXl, WebP
from misc_lab.bench.rival import Rival
from misc_lab.bench.video import Av1, Hevc, Vvc, find_vvc_encoder

__all__ = ["RIVALS", "absent_rivals"]

RIVALS: dict[str, type[Rival]] = {
    codec.series[0]: codec for codec in (Jpeg, WebP, Avif, JpegXl, Jpeg2000, Hevc, Av1, Vvc)
}
"""Codecs by the name that `--codecs` takes."""


def absent_rivals() -> dict[str, str]:
    """Name those that need a program of the system which is not there, each with a sentence."""
    if find_vvc_encoder() is None:
        return {"vvc": "VVC is left out: there is no vvencapp, nor an ffmpeg with libvvenc."}
    return {}
