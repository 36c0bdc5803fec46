"""`python -m misc_lab.survival`: break everything, and write down how long it took to mend."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from misc_shared.exit_codes import exit_on_error

if TYPE_CHECKING:
    from misc_lab.survival.scenarios import Stage

    Scenario = Callable[[Stage], float | dict[str, Any]]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_SETTLE = 8.0


@app.command()
def survive(
    out: Annotated[Path, typer.Option(help="Folder for survival.json.")] = Path("bench-results"),
    only: Annotated[str, typer.Option(help="Run what has this in its name.")] = "",
) -> None:
    """Break a real stream in every way we know of; report how soon it shows fresh pictures."""
    with exit_on_error("survival"):
        from misc_lab.survival.scenarios import SCENARIOS
        from misc_lab.survival.tbf import LINKS

        out.mkdir(parents=True, exist_ok=True)
        results = []
        scenarios: dict[str, Scenario] = {**SCENARIOS, **LINKS}
        for name, scenario in scenarios.items():
            if only in name:
                results.append({"scenario": name, **_run(scenario)})
                sys.stdout.write(json.dumps(results[-1]) + "\n")
                sys.stdout.flush()
        report = {
            "command": "python -m misc_lab.survival",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load": round(os.getloadavg()[0], 1),
            "scenarios": results,
        }
        (out / "survival.json").write_text(json.dumps(report, indent=1) + "\n")


def _run(scenario: Scenario) -> dict[str, Any]:
    from misc_lab.survival.scenarios import describe, open_stage
    from misc_lab.survival.video import write_video

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_stage(folder, write_video(folder / "camera.mp4")) as stage:
            before = stage.memory("before")
            found = scenario(stage)
            if isinstance(found, dict):
                return found
            time.sleep(_SETTLE)
            return describe(stage, found, before | stage.memory("after"))


if __name__ == "__main__":
    app()
