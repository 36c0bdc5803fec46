"""Settings in the environment: typer reads them, here is refused what it would take in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from misc_shared.errors import ConfigError
from misc_shared.settings.fields import Setting

__all__ = ["check_environment"]


def check_environment(
    environment: Mapping[str, str], settings: Sequence[Setting], *, variables: str
) -> None:
    """Refuse a misspelt variable, and one whose value is of a wrong type.

    Args:
        environment: all variables.
        settings: all that can be set.
        variables: what the names of their variables begin with.

    Raises:
        ConfigError: which variable, and what is wrong with it.
    """
    known = {setting.variable(variables): setting for setting in settings}
    for name, value in sorted(environment.items()):
        if not name.startswith(f"{variables}_") or name == f"{variables}_CONFIG":
            continue
        if name not in known:
            raise ConfigError(f"the environment has {name}, which sets nothing; --help lists all")
        _check(name, known[name], value)


def _check(name: str, setting: Setting, value: str) -> None:
    # msgspec loads only when a variable is there; of other types, any string is right, or typer
    # understands more words than it does.
    from misc_shared.settings.values import check_value, value_type

    if value and value_type(setting.annotation) in {int, float}:
        check_value(value, setting, said_by=f"the environment's {name}", from_text=True)
