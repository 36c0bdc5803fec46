"""Whether a value that no command line gave fits its setting."""

from __future__ import annotations

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from typer.models import OptionInfo

from misc_shared.errors import ConfigError
from misc_shared.settings.fields import Setting

__all__ = ["check_value", "value_type"]


def check_value(value: object, setting: Setting, *, said_by: str, from_text: bool = False) -> None:
    """Refuse a value of a wrong type, or out of range.

    Args:
        value: as TOML or a variable has it.
        setting: what it is for.
        said_by: where it stands, for the message.
        from_text: whether a number may come as text.

    Raises:
        ConfigError: what was found and expected.
    """
    kind = value_type(setting.annotation)
    info = setting.info
    if isinstance(info, OptionInfo) and (info.min, info.max) != (None, None):
        kind = Annotated[kind, msgspec.Meta(ge=info.min, le=info.max)]
    try:
        msgspec.convert(value, kind, strict=not from_text)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{said_by}: {error}") from None


def value_type(kind: Any) -> Any:  # noqa: ANN401 - types have no common type
    """The type that TOML has for it: a path is a string, and nothing is no value."""
    if kind is Path:
        return str
    if get_origin(kind) in {Union, UnionType}:
        (one,) = (part for part in get_args(kind) if part is not NoneType)
        return value_type(one)
    if get_origin(kind) in {list, tuple}:
        return list[value_type(get_args(kind)[0])]  # type: ignore[misc]  # made at run time
    return kind
