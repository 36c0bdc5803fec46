"""Keys in files: one camera's, or those of all cameras that a receiver hears.

A key file has one key a line, as `misc-send keygen` writes it; a stream's name may stand before it.
A line that begins with # says something to people. In a folder, NAME.key holds the key of NAME.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from misc_shared.errors import ConfigError
from misc_shared.secret_files import create_secret, read_secret
from misc_shared.security.keys import StreamKey
from misc_shared.stream_names import STREAM_NAME_PATTERN

__all__ = ["KeyRing", "load_keys", "write_key"]

_MAX_FILE = 1 << 20


class KeyRing:
    """Which key belongs to which stream.

    Args:
        named: stream -> its key.
        default: the key of every other stream, or None.
    """

    def __init__(
        self, named: Mapping[str, StreamKey] | None = None, *, default: StreamKey | None = None
    ) -> None:
        self._named = dict(named or {})
        self._default = default

    @property
    def streams(self) -> frozenset[str] | None:
        """The streams that it has keys for; None if it has one for every stream."""
        return None if self._default is not None else frozenset(self._named)

    def find(self, stream: str) -> StreamKey | None:
        """The key of a stream, if it is here."""
        return self._named.get(stream, self._default)

    def __repr__(self) -> str:
        names = sorted(self._named) + ["*"] * (self._default is not None)
        return f"<KeyRing of {', '.join(names)}>"


def write_key(path: Path, *, stream: str | None = None) -> StreamKey:
    """Draw a key and write it into a new file that only its owner can read.

    Args:
        path: the file; it must not be there.
        stream: the stream's name to write before the key, or None.

    Raises:
        ConfigError: the file is there already or cannot be written.
    """
    key = StreamKey.generate()
    name = "" if stream is None else f"{stream} "
    text = (
        f"# MISC stream key, fingerprint {key.fingerprint}. Whoever reads this file sees the\n"
        "# pictures: copy it to the other end by a safe way, such as scp.\n"
        f"{name}{key.text}\n"
    )
    try:
        create_secret(path, text)
    except FileExistsError:
        raise ConfigError(f"{path} is there already: a key is never overwritten") from None
    except OSError as error:
        raise ConfigError(f"cannot write the key {path}: {error.strerror}") from None
    return key


def load_keys(path: Path) -> KeyRing:
    """Read a key file, or a folder of them.

    Raises:
        ConfigError: there is none, or one of them is no key file.
    """
    if path.is_dir():
        return _load_folder(path)
    named: dict[str, StreamKey] = {}
    default: StreamKey | None = None
    for stream, key in _read(path):
        if stream is None and default is None:
            default = key
        elif stream is None or stream in named:
            which = "without a stream's name" if stream is None else f"for {stream}"
            raise ConfigError(f"{path} has two keys {which}: one of them has to go")
        else:
            named[stream] = key
    if default is None and not named:
        raise ConfigError(f"{path} holds no key: make one with misc-send keygen FILE")
    return KeyRing(named, default=default)


def _load_folder(folder: Path) -> KeyRing:
    named = {}
    for path in sorted(folder.glob("*.key")):
        stream = path.stem
        if not re.match(STREAM_NAME_PATTERN, stream):
            raise ConfigError(f"{path} is not named after a stream: expected NAME.key")
        keys = list(_read(path))
        if len(keys) != 1 or keys[0][0] not in (None, stream):
            raise ConfigError(f"{path} holds {len(keys)} keys: expected that of {stream}")
        named[stream] = keys[0][1]
    if not named:
        raise ConfigError(f"the folder {folder} holds no NAME.key: make one with misc-send keygen")
    return KeyRing(named)


def _read(path: Path) -> Iterator[tuple[str | None, StreamKey]]:
    """Each key of a file, with the stream's name if it has one."""
    for number, line in enumerate(
        read_secret(path, name="the key file", limit=_MAX_FILE).splitlines(), start=1
    ):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        stream = words[0] if len(words) > 1 else None
        named_rightly = stream is None or re.match(STREAM_NAME_PATTERN, stream)
        if len(words) > 2 or not named_rightly:  # noqa: PLR2004 - a name and a key
            raise ConfigError(f"line {number} of {path} is no key: expected [STREAM] KEY")
        try:
            key = StreamKey.from_text(words[-1])
        except ConfigError as error:
            raise ConfigError(f"line {number} of {path} is no key: {error}") from None
        yield stream, key
