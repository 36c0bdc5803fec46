"""Coded pictures in a folder, bounded in bytes and age; they outlive the program.

A picture is one file, `MILLISECONDS.spool`, written whole or not at all: a msgpack array of the
version, the Unix time of capture and the layers by number, then BLAKE2b with 8 bytes of output over
it. When there are too many bytes, the oldest pictures lose their last layer first, then the one
before, so that of a long outage many coarse pictures survive rather than a few fine ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from misc_shared.errors import ConfigError
from misc_shared.wire import PRIORITY, LayerKind

__all__ = ["Spool", "SpoolLimits", "SpooledFrame"]

_SUFFIX = ".spool"
_DIGEST = 8
_LARGEST = 4 << 20

_log = logging.getLogger(__name__)


class _Fields(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: Literal[1]
    captured: float
    layers: Annotated[dict[int, bytes], msgspec.Meta(min_length=1, max_length=len(LayerKind))]


@dataclass(frozen=True, kw_only=True)
class SpoolLimits:
    """Bounds of what is kept.

    Attributes:
        total_bytes: of all files together.
        seconds: after which a picture is worth nothing.
    """

    total_bytes: int = 64 << 20
    seconds: float = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class SpooledFrame:
    """A picture that waits.

    Attributes:
        captured: Unix seconds.
        layers: all that is left of it; BASE always.
        path: its file.
    """

    captured: float
    layers: Mapping[LayerKind, bytes]
    path: Path


class Spool:
    """The folder.

    Args:
        folder: made if it is not there; what others put there is left alone.
        limits: the bounds.

    Attributes:
        corrupt: files that were found damaged, and removed.
        discarded: pictures that were given up for age or room.

    Raises:
        ConfigError: the folder cannot be written.
    """

    def __init__(self, folder: Path, limits: SpoolLimits) -> None:
        self.corrupt = 0
        self.discarded = 0
        self._folder = folder
        self._limits = limits
        self._sizes: dict[Path, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob(f"*{_SUFFIX}")):
                self._sizes[path] = path.stat().st_size
            for left_over in folder.glob(f"*{_SUFFIX}.part"):
                left_over.unlink()
        except OSError as error:
            raise ConfigError(f"cannot use {folder} as spool: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise ConfigError(f"cannot write into the spool {folder}")

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def nbytes(self) -> int:
        """Bytes of all files."""
        return sum(self._sizes.values())

    def add(self, captured: float, layers: Mapping[LayerKind, bytes]) -> None:
        """Keep a picture; a full disk costs this picture and one line in the log.

        Args:
            captured: Unix seconds.
            layers: that stand alone, BASE among them.
        """
        path = self._folder / f"{math.floor(captured * 1000):015d}{_SUFFIX}"
        self._write(path, captured, layers)
        self._make_room()

    def oldest(self, now: float) -> SpooledFrame | None:
        """The oldest picture that is still worth something.

        Args:
            now: Unix seconds. A clock that was set back makes no picture too old.
        """
        for path in sorted(self._sizes):
            frame = self._read(path)
            if frame is None:
                self.corrupt += 1
                self.remove(path)
            elif now - frame.captured > self._limits.seconds:
                self.discarded += 1
                self.remove(path)
            else:
                return frame
        return None

    def remove(self, path: Path) -> None:
        """Forget a picture: it was delivered, or is worth nothing."""
        self._sizes.pop(path, None)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        for layer in reversed(PRIORITY[1:]):
            for path in sorted(self._sizes):
                if self.nbytes <= self._limits.total_bytes:
                    return
                self._drop_layer(path, layer)
        for path in sorted(self._sizes):
            if self.nbytes <= self._limits.total_bytes:
                return
            self.discarded += 1
            self.remove(path)

    def _drop_layer(self, path: Path, layer: LayerKind) -> None:
        frame = self._read(path)
        if frame is None:
            self.corrupt += 1
            self.remove(path)
        elif layer in frame.layers:
            rest = {kind: data for kind, data in frame.layers.items() if kind is not layer}
            self._write(path, frame.captured, rest)

    def _write(self, path: Path, captured: float, layers: Mapping[LayerKind, bytes]) -> None:
        body = msgspec.msgpack.encode(
            _Fields(1, captured, {int(kind): data for kind, data in layers.items()})
        )
        data = body + _digest(body)
        part = path.with_name(path.name + ".part")
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            _log.warning("a picture was not spooled: %s", error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            return
        self._sizes[path] = len(data)

    def _read(self, path: Path) -> SpooledFrame | None:
        """The picture in a file; None if it is damaged."""
        try:
            if path.stat().st_size > _LARGEST:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        body, digest = data[:-_DIGEST], data[-_DIGEST:]
        if digest != _digest(body):
            return None
        try:
            fields = msgspec.msgpack.decode(body, type=_Fields)
            layers = {LayerKind(number): data for number, data in fields.layers.items()}
        except (msgspec.MsgspecError, ValueError):
            return None
        if not layers.get(LayerKind.BASE) or not math.isfinite(fields.captured):
            return None
        return SpooledFrame(fields.captured, layers, path)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST).digest()
