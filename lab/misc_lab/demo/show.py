"""Runs each photograph through the simulator and draws what was seen."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from rich.table import Table

from misc_lab.demo.panels import Panel, Strip, draw_strip, stack
from misc_lab.links import Profile
from misc_lab.result_files import write_picture
from misc_lab.simulation.run import Simulation, simulate
from misc_lab.simulation.settings import Settings
from misc_lab.simulation.watching import Stage, WatchedFrame
from misc_shared.errors import ConfigError
from misc_shared.semantics import Semantics
from misc_shared.terminal_text import Console

__all__ = ["DemoSettings", "run_demo"]

_COARSE_TITLES = {1: "First picture", 2: "With detail 1", 3: "Coarse, complete"}
_MOST_PANELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """What to show.

    Attributes:
        out: Folder for the pictures.
        profile: The link.
        max_bytes: Bytes of each picture on the wire, or None for 0.024 bpp.
        photographs: Names of scikit-image's photographs.
        semantics: Name of the semantics backend.
        refine: Whether the receiver refines.
    """

    out: Path
    profile: Profile
    max_bytes: int | None
    photographs: tuple[str, ...]
    semantics: str
    refine: bool


def run_demo(settings: DemoSettings) -> None:
    """Send the photographs, write NAME.png for each and sheet.png for all, print a table.

    Raises:
        LocalError: A photograph, the pack or the folder is not there.
    """
    console = Console()
    results: list[tuple[str, Simulation]] = []
    strips: list[Image.Image] = []
    with console.status("starting") as status:
        for name in settings.photographs:
            status.update(f"sending {name} over {settings.profile.name}")
            simulation = simulate(_simulation_settings(name, settings))
            results.append((name, simulation))
            strips.append(draw_strip(_strip(name, simulation.frames[0], settings)))
            _save(strips[-1], settings.out / f"{name}.png")
    _save(stack(strips), settings.out / "sheet.png")
    console.print(_table(results, settings.profile))
    console.print(f"Pictures side by side: {settings.out / 'sheet.png'}; each in its own folder.")


def _simulation_settings(name: str, settings: DemoSettings) -> Settings:
    return Settings(
        source=f"sample:{name}",
        profile=settings.profile,
        max_bytes=settings.max_bytes,
        semantics=settings.semantics,
        refine=settings.refine,
        measured=True,
        out=settings.out / name,
    )


def _strip(name: str, frame: WatchedFrame, settings: DemoSettings) -> Strip:
    encoded = frame.sent.encoded
    rate = settings.profile.rate / 1000
    panels = [Panel("Original", _original_note(frame), frame.sent.frame.pixels)]
    panels += [_panel(stage, frame) for stage in frame.stages if stage.pixels is not None]
    return Strip(
        title=name,
        subtitle=f"{encoded.width}x{encoded.height} in {encoded.wire_bytes} bytes "
        f"({encoded.bpp:.4f} bpp) over {settings.profile.name}, {rate:g} kbit/s",
        panels=panels,
        caption=_told(frame.semantics),
        columns=_MOST_PANELS,
    )


def _told(semantics: Semantics | None) -> str:
    """What the text layer says, in one line."""
    if semantics is None:
        return ""
    items = [f"{one.name} ({one.detail})" if one.detail else one.name for one in semantics.items]
    caption = [f"“{semantics.caption}”"] if semantics.caption else []
    return "   ".join([*caption, ", ".join(items)])


def _original_note(frame: WatchedFrame) -> str:
    return f"{frame.sent.frame.pixels.nbytes / 1000:.0f} kB of pixels"


def _panel(stage: Stage, frame: WatchedFrame) -> Panel:
    if stage.pixels is None:
        raise TypeError("a stage without a picture makes no panel")
    refined = stage.kind == "refined"
    # The outlines go where they hide least: into the picture that shows least.
    items = frame.semantics.items if frame.semantics and stage.layers == 1 else ()
    after = stage.at - frame.sent.frame.captured_at
    return Panel(
        title="Refined" if refined else _COARSE_TITLES[stage.layers],
        note=f"after {after:.1f} s, {stage.bytes_until} bytes sent",
        pixels=stage.pixels,
        items=() if refined else items,
        badge="generated" if refined else "",
    )


def _table(results: list[tuple[str, Simulation]], profile: Profile) -> Table:
    title = f"Over {profile.name}: seconds after capture, computing included"
    table = Table(title=title)
    for column in ("photograph", "bytes", "text", "first", "coarse", "refined"):
        table.add_column(column, justify="left" if column == "photograph" else "right")
    table.add_column("words", overflow="fold")
    for name, simulation in results:
        table.add_row(name, *_cells(simulation.frames[0]))
    return table


def _cells(frame: WatchedFrame) -> list[str]:
    stages = (
        frame.first("text"), frame.first("coarse"), frame.last("coarse"), frame.last("refined"),
    )  # fmt: skip
    times = [
        "-" if stage is None else f"{stage.at - frame.sent.frame.captured_at:.1f}"
        for stage in stages
    ]
    return [str(frame.sent.encoded.wire_bytes), *times, _told(frame.semantics)]


def _save(image: Image.Image, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(image, path)
    except OSError as error:
        raise ConfigError(f"The picture {path} cannot be written: {error}.") from error
