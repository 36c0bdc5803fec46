"""Video files and cameras through PyAV."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from misc_sender.sources.frame import Frame
from misc_sender.sources.pixels import fit
from misc_shared.errors import SourceError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

__all__ = ["CameraSource", "VideoSource", "camera_devices"]

_QUARTER_TURN = 90


class VideoSource:
    """Plays a video file at its own pace, taking `fps` pictures a second.

    Args:
        path: the file.
        fps: pictures per second of the video's own time; no more than it has.
        loop: begin again at the end, for ever.
        max_side: shrink larger pictures to this many pixels a side.

    Raises:
        SourceError: the file is missing, damaged, or holds no moving pictures.
    """

    still = False

    def __init__(
        self,
        path: Path,
        *,
        fps: float = 1.0,
        loop: bool = False,
        max_side: int | None = None,
    ) -> None:
        self.name = path.stem
        self._path = path
        self._interval = 1.0 / fps
        self.endless = loop
        self._max_side = max_side
        self._container = _open_container(str(path), container_format=None)

    def frames(self) -> Iterator[Frame]:
        """Decode the file and yield the pictures that are due."""
        offset = 0.0
        while True:
            last = offset
            for frame in self._play(offset):
                last = frame.captured_at
                yield frame
            if not self.endless:
                return
            offset = last + self._interval
            self._container.close()
            self._container = _open_container(str(self._path), container_format=None)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _play(self, offset: float) -> Iterator[Frame]:
        due = 0.0
        first: float | None = None
        for picture in _decode(self._container, name=str(self._path)):
            time_in_file = picture.time or 0.0
            first = time_in_file if first is None else first
            at = time_in_file - first
            # Half a millisecond of grace: time stamps are rounded to the file's time base.
            if at + 0.0005 >= due:
                due = max(due + self._interval, at)
                pixels = fit(_upright(picture), max_side=self._max_side, name=str(self._path))
                yield Frame(pixels=pixels, captured_at=offset + at)


class CameraSource:
    """Takes the newest picture of a camera, `fps` times a second.

    Args:
        device: the camera's device file.
        fps: pictures per second.
        max_side: shrink larger pictures to this many pixels a side.
        container_format: FFmpeg's name for how the device is read.
        clock: seconds; stamps the pictures.

    Raises:
        SourceError: there is no such camera, or it cannot be read.
    """

    still = False
    endless = True

    def __init__(
        self,
        device: Path,
        *,
        fps: float = 1.0,
        max_side: int | None = None,
        container_format: str = "v4l2",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not device.exists():
            raise SourceError(_no_camera(device))
        self.name = re.sub(r"^video(?=\d+$)", "camera", device.name)
        self._device = device
        self._interval = 1.0 / fps
        self._max_side = max_side
        self._clock = clock
        self._container = _open_container(str(device), container_format=container_format)

    def frames(self) -> Iterator[Frame]:
        """Read all that the camera gives and yield what is due, so that nothing grows old."""
        started = self._clock()
        due = 0.0
        for picture in _decode(self._container, name=str(self._device)):
            at = self._clock() - started
            if at >= due:
                due = max(due + self._interval, at)
                pixels = fit(_upright(picture), max_side=self._max_side, name=str(self._device))
                yield Frame(pixels=pixels, captured_at=at)

    def close(self) -> None:
        """Let go of the camera."""
        self._container.close()


def camera_devices() -> list[Path]:
    """The cameras' device files, in the order of their numbers."""
    devices = [path for path in Path("/dev").glob("video*") if path.name[5:].isdecimal()]
    return sorted(devices, key=lambda path: int(path.name[5:]))


def _no_camera(device: Path) -> str:
    if not sys.platform.startswith("linux"):
        return f"cameras are read through Linux's v4l2, which {sys.platform} has not"
    names = [f"camera{path.name[5:]}" for path in camera_devices()]
    there = f"there are {', '.join(names)}" if names else "this machine has no camera at all"
    return f"there is no {device}; {there}"


def _open_container(name: str, *, container_format: str | None) -> InputContainer:
    import av

    try:
        container = av.open(name, format=container_format)
    except FileNotFoundError:
        raise SourceError(f"there is no file {name}") from None
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{name} cannot be read as video: {_reason(error)}") from None
    if not container.streams.video:
        container.close()
        raise SourceError(f"{name} holds no moving pictures")
    return container


def _decode(container: InputContainer, *, name: str) -> Iterator[VideoFrame]:
    import av

    container.streams.video[0].thread_type = "AUTO"
    try:
        yield from container.decode(video=0)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{name} cannot be decoded further: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)


def _upright(picture: VideoFrame) -> NDArray[np.uint8]:
    """RGB pixels, turned as the camera was held: uint8 [H, W, 3]."""
    pixels = picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    turns = round(picture.rotation / _QUARTER_TURN)
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns % 4 else pixels
