"""A simulation's report as tables on a terminal."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from misc_shared.terminal_text import Console

__all__ = ["show_json", "show_report"]

_COLUMNS = ("picture", "text", "coarse", "+ detail 1", "+ detail 2", "refined", "outcome")
_LAYERS = ("base", "text", "detail1", "maps", "detail2")


def show_json(report: Mapping[str, Any]) -> None:
    """Print the report for another program."""
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def show_report(report: Mapping[str, Any]) -> None:
    """Print when things became visible, what they cost and how the link was used."""
    target = Console()
    target.print(_times(report))
    target.print(_bytes(report))
    target.print(_link_line(report), highlight=False)
    target.print(_compute_line(report), highlight=False)


def _times(report: Mapping[str, Any]) -> Table:
    name = report["link"]["name"]
    table = Table(title=f"{report['source']} over {name}: seconds after capture")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in ("picture", "outcome") else "right")
    for frame in report["frames"]:
        name = f"{frame['number']} ({frame['width']}x{frame['height']}, {frame['coding']})"
        coarse = [_seconds(frame, "coarse", layers) for layers in (1, 2, 3)]
        text, refined = _seconds(frame, "text"), _seconds(frame, "refined")
        table.add_row(name, text, *coarse, refined, frame["outcome"])
    return table


def _bytes(report: Mapping[str, Any]) -> Table:
    table = Table(title="Bytes on the link by layer, framing included")
    table.add_column("picture")
    for layer in _LAYERS:
        table.add_column(layer, justify="right")
    table.add_column("items and caption", overflow="fold")
    for frame in report["frames"]:
        sizes = [_wire_bytes(frame["layers"].get(layer)) for layer in _LAYERS]
        said = ", ".join(frame["items"])
        caption = f"“{frame['caption']}”" if frame["caption"] else ""
        table.add_row(str(frame["number"]), *sizes, "; ".join(filter(None, (said, caption))))
    return table


def _link_line(report: Mapping[str, Any]) -> str:
    up, down = report["up"], report["down"]
    back = f"{down['bytes']} bytes came back" if down else "nothing can come back"
    return (
        f"{up['bytes']} bytes in {up['datagrams']} datagrams ({report['bpp']:.4f} bpp), "
        f"{report['skipped']} pictures skipped, {report['repeats']} repeats, "
        f"{up['lost']} lost, {up['dropped']} dropped by the queue; "
        f"{back}. Over {report['seconds']:.1f} s the up-link was busy "
        f"{100 * report['busy_share']:.0f} % of the time. {_overhead(report)}"
    )


def _overhead(report: Mapping[str, Any]) -> str:
    link = report["link"]
    size = f"{report['transport_overhead_bytes']} bytes ({link['transport']})"
    if report["transport_overhead_charged"]:
        return f"The transport's own {size} were charged to the link."
    return f"The transport would add {size}, which took no time here; --overhead charges them."


def _compute_line(report: Mapping[str, Any]) -> str:
    if report["compute"] == "measured":
        return "Coding, decoding and refining took as long as on this machine."
    return "Coding, decoding and refining took no time here; --measured counts them."


def _seconds(frame: Mapping[str, Any], kind: str, layers: int | None = None) -> str:
    for stage in frame["stages"]:
        if stage["kind"] == kind and layers in (None, stage["layers"]):
            return f"{stage['after']:.2f}"
    return "-"


def _wire_bytes(layer: Mapping[str, Any] | None) -> str:
    if layer is None:
        return ""
    return "lost" if layer["wire_bytes"] is None else str(layer["wire_bytes"])
