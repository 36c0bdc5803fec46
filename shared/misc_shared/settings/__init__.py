"""Settings of a command: one definition for the command line, the environment and a TOML file."""

from misc_shared.settings.command import settings_command
from misc_shared.settings.fields import Setting, SettingGroup, settings_in

__all__ = ["Setting", "SettingGroup", "settings_command", "settings_in"]
