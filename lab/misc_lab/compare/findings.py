"""What a comparison found, as plain data that goes into JSON as it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from misc_lab.compare.eye import View
from misc_lab.compare.screen import Change, first_of_scene, first_reaching, seen_at
from misc_lab.compare.settings import LOOKS

__all__ = ["Bill", "Look", "PictureFindings", "Way", "find_way"]


@dataclass(frozen=True, slots=True)
class Look:
    """The screen at one moment.

    Attributes:
        image: Key of what it shows, in `PictureFindings.images`; "" for an empty screen, and
            where no strip shows it.
        metrics: Its quality; None for an empty screen.
        generated: Whether a model invented part of it.
    """

    image: str
    metrics: dict[str, float] | None
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One picture, coded in one way, over one link. Times in seconds after capture, None: never.

    Attributes:
        setting: How it was coded.
        payload: Bytes of the layers or of the file.
        bytes: All that crossed the up-link: framing, greeting and repeats included.
        lost: Datagrams lost on air.
        repeats: Chunks sent again.
        caption: Until the words were there.
        first: Until a picture of the whole scene was, however rough.
        stated: Until one of the stated quality was.
        complete: Until everything that was sent is on the screen, not yet refined.
        final: Until the last change of the screen.
        looks: The screen at each of LOOKS, and in the end.
    """

    setting: str
    payload: int
    bytes: int
    lost: int
    repeats: int
    caption: float | None
    first: float | None
    stated: float | None
    complete: float | None
    final: float | None
    looks: dict[str, Look]


@dataclass(frozen=True, slots=True)
class PictureFindings:
    """One picture over all links.

    Attributes:
        name: Of the picture.
        width: In pixels.
        height: In pixels.
        budget: Bytes of ours, framing included.
        caption: What our text says; "" where it was not worth its bytes.
        useful: Quality of our complete coarse picture, which others' useful files have to reach.
        ways: Link -> way of coding -> what came of it.
        chosen: Link -> seconds -> codec -> the best quality that it could have shown by then.
        same_bytes: Pictures side by side at our bytes: what -> look and bytes.
        images: Key -> a small WebP.
    """

    name: str
    width: int
    height: int
    budget: int
    caption: str
    useful: float
    ways: dict[str, dict[str, Way]]
    chosen: dict[str, dict[str, dict[str, float | None]]]
    same_bytes: list[dict[str, Any]]
    images: dict[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bill:
    """What a way cost.

    Attributes:
        setting: How the picture was coded.
        payload: Bytes of the layers or of the file.
        bytes: All that crossed the up-link.
        lost: Datagrams lost on air.
        repeats: Chunks sent again.
    """

    setting: str
    payload: int
    bytes: int
    lost: int
    repeats: int


def find_way(
    bill: Bill,
    changes: Sequence[Change],
    *,
    quality: float,
    caption: float | None,
    keep: Callable[[View], str],
) -> Way:
    """Read a screen's history.

    Args:
        bill: What it cost.
        changes: What the screen showed.
        quality: The stated one.
        caption: Seconds until the words were there.
        keep: Takes in a picture that a strip shows, and gives its key.
    """
    seen = {f"{second:g}": seen_at(changes, second) for second in LOOKS}
    seen["final"] = changes[-1] if changes else None
    return Way(
        setting=bill.setting,
        payload=bill.payload,
        bytes=bill.bytes,
        lost=bill.lost,
        repeats=bill.repeats,
        caption=_rounded(caption),
        first=_rounded(first_of_scene(changes)),
        stated=_rounded(first_reaching(changes, quality)),
        complete=_rounded(max((one.at for one in changes if one.kind != "refined"), default=None)),
        final=_rounded(changes[-1].at if changes else None),
        looks={name: _look(change, keep) for name, change in seen.items()},
    )


def _look(change: Change | None, keep: Callable[[View], str]) -> Look:
    if change is None:
        return Look("", None)
    return Look(keep(change.view), change.view.metrics, change.kind == "refined")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
