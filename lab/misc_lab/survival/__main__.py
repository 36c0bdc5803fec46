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

from misc_lab.result_files import write_result
from misc_shared.errors import ConfigError
from misc_shared.exit_codes import exit_on_error

if TYPE_CHECKING:
    from misc_lab.survival.scenarios import Setting, Stage

    Scenario = Callable[[Stage], float | dict[str, Any]]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_SETTLE = 8.0


@app.command()
def survive(
    out: Annotated[Path, typer.Option(help="Folder for survival.json.")] = Path("bench-results"),
    only: Annotated[str, typer.Option(help="Run what has this in its name.")] = "",
    transport: Annotated[str, typer.Option(help="mqtt, webrtc or both.")] = "both",
    sealed: Annotated[str, typer.Option(help="With a key: yes, no or both.")] = "both",
    late: Annotated[
        float, typer.Option(help="Seconds after which the late receiver starts.")
    ] = 3600.0,
) -> None:
    """Break a real stream in every way we know of; report how soon it shows fresh pictures."""
    with exit_on_error("survival"):
        out.mkdir(parents=True, exist_ok=True)
        results = []
        for setting in _settings(transport=transport, sealed=sealed, late=late):
            for name, scenario in _scenarios(setting).items():
                if only not in name:
                    continue
                about = {"transport": setting.transport, "sealed": setting.sealed}
                results.append({"scenario": name, **about, **_run(scenario, setting)})
                sys.stdout.write(json.dumps(results[-1]) + "\n")
                sys.stdout.flush()
        report = {
            "command": "python -m misc_lab.survival",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "late_seconds": late,
            "load": round(os.getloadavg()[0], 1),
            "scenarios": results,
        }
        write_result(out / "survival.json", json.dumps(report, indent=1) + "\n")


def _settings(*, transport: str, sealed: str, late: float) -> list[Setting]:
    from misc_lab.survival.scenarios import Setting

    transports = ["mqtt", "webrtc"] if transport == "both" else [transport]
    seals = {"yes": [True], "no": [False], "both": [False, True]}
    if sealed not in seals or not {"mqtt", "webrtc"}.issuperset(transports):
        raise ConfigError("expected --transport mqtt, webrtc or both, --sealed yes, no or both")
    return [
        Setting(transport=one, sealed=seal, late=late)
        for one in transports
        for seal in seals[sealed]
    ]


def _scenarios(setting: Setting) -> dict[str, Scenario]:
    from misc_lab.survival.scenarios import MQTT_ONLY, SCENARIOS
    from misc_lab.survival.tbf import LINKS

    if setting.transport == "mqtt":
        return {**SCENARIOS, **LINKS}
    return {name: one for name, one in SCENARIOS.items() if name not in MQTT_ONLY}


def _run(scenario: Scenario, setting: Setting) -> dict[str, Any]:
    from misc_lab.survival.scenarios import describe, open_stage
    from misc_lab.survival.video import write_video

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_stage(folder, write_video(folder / "camera.mp4"), setting) as stage:
            before = stage.memory("before")
            found = scenario(stage)
            if isinstance(found, dict):
                return found
            time.sleep(_SETTLE)
            return describe(stage, found, before | stage.memory("after"))


if __name__ == "__main__":
    app()
