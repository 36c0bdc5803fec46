"""The `--help` of a command with many options: under headings, and without rich, at once."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

__all__ = ["PanelledCommand"]


class PanelledCommand(TyperCommand):
    """Shows options under their `rich_help_panel`, in plain text.

    Importing rich costs as much as all else that `--help` does.
    """

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ANN401 - click's class is private to typer
        """Write a section for each panel, in the order of their first options."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                panel = getattr(parameter, "rich_help_panel", None) or "Options"
                panels.setdefault(panel, []).append(record)
        for panel, records in panels.items():
            with formatter.section(panel):
                formatter.write_dl(records)
