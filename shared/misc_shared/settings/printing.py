"""Settings as a TOML file that says where each value came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from misc_shared.settings.fields import Setting

__all__ = ["as_toml", "has_password"]

_SAID_BY = {
    "commandline": "the command line",
    "environment": "the environment",
    "default_map": "the file",
    "default": "default",
}
_PASSWORD = re.compile(r"((?:://|\bturns?:)[^/@:]*):([^/]*)@")
_LEFT_OUT = "..."


def as_toml(
    settings: Sequence[Setting], values: Mapping[str, Any], *, sources: Mapping[str, str]
) -> str:
    """Write all settings as a file that `read_settings` reads; passwords in URLs are left out.

    Args:
        settings: all that can be set.
        values: what they are; None is no value and becomes a comment.
        sources: who said so, by name: "commandline", "environment", "default_map" or "default".
    """
    lines = []
    for panel, members in groupby(settings, key=lambda one: one.panel):
        lines += [f"# {panel}", *(_line(one, values, sources) for one in members), ""]
    return "\n".join(lines)


def has_password(values: Iterable[object]) -> bool:
    """Whether a URL among settings has a password, other than what `as_toml` writes for one."""
    return any(match[2] != _LEFT_OUT for one in values for match in _PASSWORD.finditer(str(one)))


def _line(setting: Setting, values: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    value = values[setting.name]
    if value is None:
        return f"# {setting.key} ="
    return f"{setting.key} = {_literal(value)}  # {_SAID_BY[sources[setting.name]]}"


def _literal(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, str | Path):
        # A basic string of TOML is one of JSON, with the same escapes.
        return json.dumps(_PASSWORD.sub(rf"\1:{_LEFT_OUT}@", str(value)), ensure_ascii=False)
    return json.dumps(value)
