"""A typer command made of groups of settings.

Precedence is click's own: the command line, then the environment, then the file, then the default.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from misc_shared.exit_codes import EXIT_STATUS, exit_on_error
from misc_shared.settings.environment import check_environment
from misc_shared.settings.fields import Setting, settings_in
from misc_shared.settings.help import PanelledCommand
from misc_shared.version_option import VersionFlag

__all__ = ["settings_command"]

_Settings = TypeVar("_Settings")
_Command = Callable[[_Settings], None]

_PANEL = "Settings"
_CONFIG = "config"
_PRINT = "print_config"
_VERSION = "version"


def settings_command(
    app: typer.Typer, settings_type: type[_Settings], *, program: str, variables: str
) -> Callable[[_Command[_Settings]], _Command[_Settings]]:
    """Register a function of its settings as a command of `app`.

    Args:
        app: the program.
        settings_type: a dataclass whose fields are groups of settings.
        program: its name, before an error's sentence.
        variables: what its environment variables begin with, such as "MISC_SEND".

    Returns:
        A decorator that gives the function back as it was.
    """
    settings = settings_in(settings_type)

    def register(run: _Command[_Settings]) -> _Command[_Settings]:
        def command(ctx: typer.Context, **values: Any) -> None:  # noqa: ANN401 - as typer gives
            values.pop(_CONFIG)
            values.pop(_VERSION)
            with exit_on_error(program):
                if values.pop(_PRINT):
                    _print(ctx, settings, values)
                else:
                    run(_compose(settings_type, settings, values))

        parameters = [
            inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *(setting.parameter(variables) for setting in settings),
            _config_parameter(settings, program=program, variables=variables),
            _print_parameter(),
            inspect.Parameter(
                _VERSION,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=VersionFlag,
                default=False,
            ),
        ]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        app.command(
            cls=PanelledCommand,
            help=inspect.getdoc(run),
            epilog=f"Any option may also be in a file (--config) under its name, or in the "
            f"environment: --key-every as {variables}_KEY_EVERY. The command line counts most, "
            f"the file least. {EXIT_STATUS}",
        )(command)
        return run

    return register


def _config_parameter(
    settings: Sequence[Setting], *, program: str, variables: str
) -> inspect.Parameter:
    def read(ctx: typer.Context, path: Path | None) -> Path | None:
        with exit_on_error(program):
            check_environment(os.environ, settings, variables=variables)
            if path is not None:
                # msgspec and tomllib load only when there is a file.
                from misc_shared.settings.file import read_settings

                ctx.default_map = read_settings(path, settings)
        return path

    option = typer.Option(
        is_eager=True,
        callback=read,
        envvar=f"{variables}_CONFIG",
        show_envvar=False,
        rich_help_panel=_PANEL,
        help="A TOML file with any of these options.",
    )
    return inspect.Parameter(
        _CONFIG,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[Path | None, option],
        default=None,
    )


def _print_parameter() -> inspect.Parameter:
    option = typer.Option(
        "--print-config",
        rich_help_panel=_PANEL,
        help="Print what all options are, and who said so, as such a file; do nothing else.",
    )
    return inspect.Parameter(
        _PRINT, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[bool, option], default=False
    )


def _compose(
    settings_type: type[_Settings], settings: Sequence[Setting], values: Mapping[str, Any]
) -> _Settings:
    groups = {
        name: group_type(**{one.name: values[one.name] for one in settings if one.group == name})
        for name, group_type in get_type_hints(settings_type).items()
    }
    return settings_type(**groups)


def _print(ctx: typer.Context, settings: Sequence[Setting], values: Mapping[str, Any]) -> None:
    from misc_shared.settings.printing import as_toml

    sources = {}
    for setting in settings:
        source = ctx.get_parameter_source(setting.name)
        sources[setting.name] = "default" if source is None else source.name.lower()
    typer.echo(as_toml(settings, values, sources=sources), nl=False)
