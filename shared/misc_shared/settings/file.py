"""Settings from a TOML file: the options' names and values, checked before anything starts."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from misc_shared.errors import ConfigError
from misc_shared.secret_files import refuse_if_shared
from misc_shared.settings.fields import Setting
from misc_shared.settings.printing import has_password
from misc_shared.settings.values import check_value

__all__ = ["read_settings"]

_LARGEST = 1 << 20


def read_settings(path: Path, settings: Sequence[Setting]) -> dict[str, Any]:
    """Read a file of settings.

    Args:
        path: the file.
        settings: all that may be in it.

    Returns:
        The values by the settings' names; those that the file does not say are not there.

    Raises:
        ConfigError: it cannot be read, is no TOML, has a key that nobody knows, or a value of a
            wrong type or out of range, the message names the file and the key; or it has a
            password and others can read it.
    """
    values = _parse(path)
    if has_password(values.values()):
        refuse_if_shared(path, name="the passwords in the settings")
    known = {setting.key: setting for setting in settings}
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{path}: there is no setting {key!r}{_nearest(key, known)}")
        check_value(value, known[key], said_by=f"{path}: {key}")
    return {known[key].name: value for key, value in values.items()}


def _parse(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"{path} is larger than {_LARGEST} bytes: no file of settings")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the settings in {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from None


def _nearest(key: str, known: dict[str, Setting]) -> str:
    import difflib

    near = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else "; --help lists them all"
