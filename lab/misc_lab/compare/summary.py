"""All pictures of a comparison taken together, link by link."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from misc_lab.compare.findings import Look, PictureFindings, Way
from misc_lab.compare.formats import FORMAT_LABELS
from misc_lab.links import Profile

__all__ = ["CODECS", "LABELS", "OURS", "LinkSummary", "WaySummary", "summarise"]

OURS = "misc"

LABELS = {OURS: "MISC"} | FORMAT_LABELS
"""How each way of coding is written."""

CODECS = tuple(LABELS)
"""Ours, then the others, the strongest first."""


@dataclass(frozen=True, slots=True)
class WaySummary:
    """One way of coding over one link: medians of times and bytes, means of qualities.

    Attributes:
        bytes: On the up-link.
        caption: Seconds until words; None where fewer than half of the pictures had any.
        first: Seconds until a picture of the whole scene; None where one never came.
        stated: Seconds until the stated quality; None where one never reached it.
        complete: Seconds until all that was sent is on the screen.
        final: Seconds until the last change: for ours, refined.
        looks: MS-SSIM at each moment; None where a screen was empty.
    """

    bytes: float
    caption: float | None
    first: float | None
    stated: float | None
    complete: float | None
    final: float | None
    looks: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class LinkSummary:
    """One link.

    Attributes:
        profile: The link.
        ways: By codec; those whose file was too large for the link are left out.
        same: Of other codecs at our bytes, those that fitted every picture.
        chosen: Seconds -> codec -> mean quality of the best that could be shown by then; None
            where that is nothing for one of the pictures.
    """

    profile: Profile
    ways: dict[str, WaySummary]
    same: dict[str, WaySummary]
    chosen: dict[str, dict[str, float | None]]

    @property
    def lead(self) -> float:
        """How many times later the soonest of the others shows the scene; below 1, sooner."""
        ours = self.ways[OURS].first or float("inf")
        others = [way.first for name, way in self.ways.items() if name != OURS]
        return min((one for one in others if one is not None), default=float("inf")) / ours

    def best_by(self, deadline: str) -> str | None:
        """The codec that shows the best picture by a deadline; None where none shows anything."""
        shown = {name: one for name, one in self.chosen[deadline].items() if one is not None}
        return max(shown, key=lambda name: shown[name]) if shown else None


def summarise(
    pictures: Sequence[PictureFindings], profiles: Iterable[Profile], *, same_suffix: str
) -> list[LinkSummary]:
    """Take the pictures together.

    Args:
        pictures: What was found.
        profiles: The links.
        same_suffix: Follows a format's name where its file is one at our bytes.
    """
    return [_link(pictures, profile, same_suffix) for profile in profiles]


def _link(pictures: Sequence[PictureFindings], profile: Profile, suffix: str) -> LinkSummary:
    found = [picture.ways[profile.name] for picture in pictures]
    chosen = [picture.chosen[profile.name] for picture in pictures]
    return LinkSummary(
        profile=profile,
        ways={name: _way([one[name] for one in found]) for name in CODECS if _all(found, name)},
        same={
            name: _way([one[name + suffix] for one in found])
            for name in FORMAT_LABELS
            if _all(found, name + suffix)
        },
        chosen={
            deadline: {name: _mean([one[deadline][name] for one in chosen]) for name in CODECS}
            for deadline in chosen[0]
        },
    )


def _all(found: Sequence[dict[str, Way]], name: str) -> bool:
    return all(name in one for one in found)


def _way(ways: Sequence[Way]) -> WaySummary:
    captions = [way.caption for way in ways if way.caption is not None]
    return WaySummary(
        bytes=median(way.bytes for way in ways),
        caption=median(captions) if 2 * len(captions) >= len(ways) else None,
        first=_median([way.first for way in ways]),
        stated=_median([way.stated for way in ways]),
        complete=_median([way.complete for way in ways]),
        final=_median([way.final for way in ways]),
        looks={name: _mean([_quality(way.looks[name]) for way in ways]) for name in ways[0].looks},
    )


def _quality(look: Look) -> float | None:
    return None if look.metrics is None else look.metrics["ms_ssim"]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 3) if len(known) == len(values) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known and len(known) == len(values) else None
