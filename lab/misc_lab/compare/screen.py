"""A screen at the receiver: what it shows, and from when on."""

from collections.abc import Sequence
from dataclasses import dataclass

from misc_lab.compare.eye import View

__all__ = ["Change", "first_of_scene", "first_reaching", "seen_at"]


@dataclass(frozen=True, eq=False)
class Change:
    """The screen shows something new.

    Attributes:
        at: Seconds after capture.
        kind: "coarse" or "refined"; "part" of a file, a "scan" that shows all of the scene, or
            the "whole" file.
        step: Image layers in it, or bytes of the file.
        view: The picture.
    """

    at: float
    kind: str
    step: int
    view: View


def seen_at(changes: Sequence[Change], second: float) -> Change | None:
    """What is on the screen at a second; None while it is empty."""
    return next((one for one in reversed(changes) if one.at <= second), None)


def first_reaching(changes: Sequence[Change], quality: float) -> float | None:
    """Seconds until the picture is at least so much like the original; None for never."""
    return next((one.at for one in changes if one.view.quality >= quality), None)


def first_of_scene(changes: Sequence[Change]) -> float | None:
    """Seconds until there is a picture of the whole scene, however rough; None for never."""
    return next((one.at for one in changes if one.kind != "part"), None)
