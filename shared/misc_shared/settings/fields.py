"""What can be set: the fields of frozen dataclasses, each with its typer option.

@dataclass(frozen=True, kw_only=True)
class LinkSettings:                       # a group: a panel in --help
    panel: ClassVar[str] = "Link"
    mtu: Annotated[int, typer.Option(help="Bytes of the largest datagram.")] = 1100

@dataclass(frozen=True, kw_only=True)
class SendSettings:                       # a command's settings: its groups
    link: LinkSettings
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from copy import copy
from typing import Annotated, Any, ClassVar, Protocol, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo, ParameterInfo

__all__ = ["Setting", "SettingGroup", "settings_in"]


class SettingGroup(Protocol):
    """A frozen dataclass of settings that belong together.

    Attributes:
        panel: the heading above them in `--help`.
    """

    panel: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing that can be set.

    Attributes:
        group: the name of its group among the command's settings.
        panel: the heading above it in `--help`.
        name: its field in the group, and the command's parameter.
        annotation: its type, without typer's part.
        default: its value if nobody sets it; `inspect.Parameter.empty` where somebody has to.
        info: typer's part.
    """

    group: str
    panel: str
    name: str
    annotation: Any
    default: object
    info: ParameterInfo

    @property
    def key(self) -> str:
        """Its name in a file: that of the option, without dashes before it."""
        declared = [self.info.default, *(self.info.param_decls or ())]
        for option in declared if isinstance(self.info, OptionInfo) else ():
            if isinstance(option, str) and option.startswith("--"):
                return option.partition("/")[0].removeprefix("--")
        return self.name.replace("_", "-")

    def variable(self, prefix: str) -> str:
        """Its name in the environment."""
        return f"{prefix}_{self.key.replace('-', '_').upper()}"

    def parameter(self, prefix: str) -> inspect.Parameter:
        """It as a parameter of a typer command, which reads the environment too."""
        info = copy(self.info)
        own = info.envvar or []
        # The variable named by the rule goes first. --help says the rule once, not at each option.
        info.envvar = [self.variable(prefix), *([own] if isinstance(own, str) else own)]
        info.show_envvar = False
        if isinstance(info, ArgumentInfo | OptionInfo):
            info.rich_help_panel = self.panel
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[self.annotation, info],
            default=self.default,
        )


def settings_in(settings_type: type) -> tuple[Setting, ...]:
    """Everything that can be set for a command, in order.

    Args:
        settings_type: a dataclass whose fields are groups.

    Raises:
        TypeError: two settings have one name, or a field has no typer option; a mistake of ours.
    """
    found = [
        setting
        for group, group_type in get_type_hints(settings_type).items()
        for setting in _settings_of(group, group_type)
    ]
    for names in ([one.name for one in found], [one.key for one in found]):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise TypeError(f"{settings_type.__name__} has {', '.join(sorted(twice))} twice")
    return tuple(found)


def _settings_of(group: str, group_type: type[SettingGroup]) -> Iterator[Setting]:
    hints = get_type_hints(group_type, include_extras=True)
    for field in dataclasses.fields(group_type):
        hint = hints[field.name]
        infos = [extra for extra in get_args(hint)[1:] if isinstance(extra, ParameterInfo)]
        if get_origin(hint) is not Annotated or len(infos) != 1:
            raise TypeError(f"{group_type.__name__}.{field.name} needs one typer option")
        yield Setting(
            group=group,
            panel=group_type.panel,
            name=field.name,
            annotation=get_args(hint)[0],
            default=_default_of(field),
            info=infos[0],
        )


def _default_of(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
