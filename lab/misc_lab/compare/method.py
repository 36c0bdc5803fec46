"""The page's last section: what was done, so that a reader can doubt it."""

from collections.abc import Sequence
from html import escape

from misc_lab.compare.computing import FORMAT_COSTS, OUR_COSTS
from misc_lab.compare.findings import PictureFindings
from misc_lab.compare.formats import FORMAT_LABELS, FORMATS
from misc_lab.compare.settings import CompareSettings
from misc_lab.compare.words import byte_count, score

__all__ = ["method"]

_SAME_LINK = """Every file and every layer goes through the same session code: datagrams of the
link’s MTU with at most 12 bytes overhead, acknowledged and repeated where the link has a way back.
Losses and jitter come from the same seed ({seed}). Where nothing comes back, the sessions repeat
MISC’s first layer and the first datagram of a file. Transport overhead, such as MQTT’s, is charged
to nobody."""

_USEFUL = """Every other codec is tried at full size and at 1/1.5 to 1/8 of it, at 5 or 12 qualities
each; a shrunk one is enlarged by Lanczos. Its smallest useful file is the smallest whose MS-SSIM
is no worse than that of MISC’s complete coarse picture: {useful}. It is chosen by looking at the
original, which no camera’s software does, and the size to enlarge to is told for free: gifts to
them. MISC is told to take {takes}."""

_FIRST = """The first that shows the whole scene: MISC’s first layer, a progressive JPEG’s first
scan, the others complete. What of a JPEG is there before that is in the strips, decoded from the
bytes so far. WebP could show its rows early, but Pillow has no such decoder; AVIF cannot."""

_METRICS = """MS-SSIM is part of MISC’s training loss; HaarPSI (2018), a closed formula, is not.
compare.json has both, and PSNR. Refined pictures look sharper and may score lower: what the
diffusion model adds is invented."""


def method(settings: CompareSettings, pictures: Sequence[PictureFindings]) -> str:
    """How it was measured, with the settings of this run."""
    entries = "".join(f"<dt>{title}<dd>{text}" for title, text in _entries(settings, pictures))
    return f"<h2>How it was measured</h2><dl>{entries}</dl>"


def _entries(
    settings: CompareSettings, pictures: Sequence[PictureFindings]
) -> list[tuple[str, str]]:
    sizes = ", ".join(
        f"{escape(one.name)} ({one.width} × {one.height}, MISC {byte_count(one.budget)})"
        for one in pictures
    )
    versions = ", ".join(FORMATS[name].version() for name in ("avif", "webp", "jpeg"))
    useful = ", ".join(f"{escape(one.name)} {score(one.useful)}" for one in pictures)
    takes = "0.024 bits a pixel" if settings.max_bytes is None else f"{settings.max_bytes} B"
    return [
        ("Photographs", f"{sizes}. Nothing was trained on the samples that scikit-image ships."),
        ("Same link", _SAME_LINK.format(seed=settings.seed)),
        ("Smallest useful file", _USEFUL.format(useful=useful, takes=takes)),
        ("First picture", _FIRST),
        ("Stated quality", f"MS-SSIM {score(settings.quality)}, option --quality."),
        ("Metrics", _METRICS),
        ("Computing", _computing(settings)),
        ("Settings tried", "A sixth of them (--quick)." if settings.quick else "All of the above."),
        ("Versions", escape(versions)),
    ]


def _computing(settings: CompareSettings) -> str:
    if not settings.computing:
        return "Takes no time in this run (--no-computing)."
    others = ", ".join(
        f"{FORMAT_LABELS[name]} {costs.encode:g} and {costs.decode:g}"
        for name, costs in FORMAT_COSTS.items()
    )
    return (
        "Stated, not measured, so that two runs agree: seconds of one server core a megapixel. "
        f"MISC {OUR_COSTS.encode:g} to code with its words, {OUR_COSTS.decode:g} a coarse picture, "
        f"{OUR_COSTS.refine:g} to refine; to code and to decode: {others}, each at the size that "
        "it codes. A small edge device takes several times as long."
    )
