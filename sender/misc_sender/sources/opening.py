"""Opens the source of pictures that a command line names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from misc_sender.sources.frame import Source
from misc_shared.codec.layout import MAX_SIDE, MIN_SIDE
from misc_shared.errors import ConfigError, SourceError

__all__ = ["MOVING_FPS", "SourceOptions", "open_source"]

_CAMERA = re.compile(r"camera(\d{1,3})")
MOVING_FPS = 1.0
"""Pictures a second of what moves, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How to take pictures from a source.

    Attributes:
        fps: pictures per second; None for one a second from what moves, and for no pause
            between photographs.
        loop: begin again at the end.
        max_side: shrink larger pictures to this many pixels a side, or None.
    """

    fps: float | None = None
    loop: bool = False
    max_side: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense.

        Raises:
            ConfigError: `fps` or `max_side` is out of range.
        """
        if self.fps is not None and not 0 < self.fps <= 120:  # noqa: PLR2004 - said below
            raise ConfigError(f"{self.fps} pictures per second: expected more than 0, at most 120")
        if self.max_side is not None and not MIN_SIDE <= self.max_side <= MAX_SIDE:
            raise ConfigError(
                f"a longest side of {self.max_side} pixels: expected {MIN_SIDE} to {MAX_SIDE}"
            )


def open_source(name: str, *, options: SourceOptions | None = None) -> Source:
    """Open a source.

    Args:
        name: camera0, camera1, ...; a picture, a folder of pictures or a video file; sample:NAME;
            or pattern.
        options: how to take pictures from it.

    Raises:
        SourceError: there is no such source, or it cannot be read.
        MissingExtraError: a sample is asked for without scikit-image.
    """
    chosen = options or SourceOptions()
    fps = chosen.fps or MOVING_FPS
    camera = _CAMERA.fullmatch(name)
    path = Path(name)
    if camera and not path.exists():
        from misc_sender.sources.video import CameraSource

        device = Path(f"/dev/video{int(camera.group(1))}")
        return CameraSource(device, fps=fps, max_side=chosen.max_side)
    if name == "pattern" and not path.exists():
        from misc_sender.sources.pattern import PatternSource

        return PatternSource(fps=fps)
    if name.startswith("sample:"):
        from misc_sender.sources.samples import find_sample

        sample = name.removeprefix("sample:")
        return _open_images([find_sample(sample)], name=sample, options=chosen)
    return _open_path(path, fps=fps, options=chosen)


def _open_path(path: Path, *, fps: float, options: SourceOptions) -> Source:
    from misc_sender.sources.images import find_pictures, is_picture

    if path.is_dir():
        return _open_images(find_pictures(path), name=path.resolve().name, options=options)
    if not path.exists():
        raise SourceError(
            f"there is no source {str(path)!r}: expected camera0, a picture, a folder, a video, "
            "sample:NAME or pattern"
        )
    if is_picture(path):
        return _open_images([path], name=path.stem, options=options)
    from misc_sender.sources.video import VideoSource

    return VideoSource(path, fps=fps, loop=options.loop, max_side=options.max_side)


def _open_images(paths: list[Path], *, name: str, options: SourceOptions) -> Source:
    from misc_sender.sources.images import ImageSource

    return ImageSource(
        paths, name=name, fps=options.fps, loop=options.loop, max_side=options.max_side
    )
