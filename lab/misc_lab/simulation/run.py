"""One simulation from settings to report and pictures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from misc_lab.result_files import write_result
from misc_lab.simulation.report import build_report
from misc_lab.simulation.settings import Settings
from misc_lab.simulation.stream import send_stream
from misc_lab.simulation.watching import WatchedFrame, watch_stream
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.packs import load_pack

__all__ = ["Simulation", "simulate"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """A finished simulation.

    Attributes:
        report: Its findings, JSON-ready.
        frames: Each frame with its pictures.
    """

    report: dict[str, Any]
    frames: Sequence[WatchedFrame]


def simulate(settings: Settings) -> Simulation:
    """Run a stream over a link; write pictures and sim.json if a folder is named.

    Raises:
        LocalError: The source, the pack, the trace, the budget or the folder is at fault.
    """
    pack = load_pack(settings.pack)
    stream = send_stream(settings, pack)
    frames = watch_stream(stream, settings, pack)
    report = build_report(settings, stream, frames)
    if settings.out is not None:
        folder = PictureFolder(settings.out)
        for number, frame in enumerate(frames):
            _save(folder, number, frame)
        write_result(settings.out / "sim.json", json.dumps(report, indent=1) + "\n")
    return Simulation(report, frames)


def _save(folder: PictureFolder, number: int, frame: WatchedFrame) -> None:
    name = f"{number:04}"
    folder.save(frame.sent.frame.pixels, stream="sim", frame=name, kind="original")
    for stage in frame.stages:
        if stage.pixels is not None:
            kind = f"coarse-{stage.layers}" if stage.kind == "coarse" else stage.kind
            folder.save(stage.pixels, stream="sim", frame=name, kind=kind, label=stage.label)
