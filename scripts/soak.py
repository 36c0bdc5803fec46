# ruff: noqa: INP001 - a program, not a package
"""Fifty cameras and one receiver for eight virtual hours: does anything grow?

    python scripts/soak.py --hours 8 --streams 50 --out docs/results/soak.json

    python scripts/soak.py --hours 24 --streams 1 --every 20 --keep 100MiB --size 128 96

The second keeps pictures in a folder that an earlier run has filled, and measures its size; exit
code 1 if it was ever larger than --keep by more than a twentieth.

Real sessions, a real ReceivePipeline and real decoding over links in memory that lose, repeat and
reorder; time leaps from one thing to do to the next. Exit code 1 if between the second hour and
the last one resident memory grew by more than 3 MB, Python's allocator by more than 1 in 100
blocks, or any type of ours by more than 25 objects; or if a stream was starved.
"""

from __future__ import annotations

import argparse
import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

from misc_lab.fleet.soak import SoakSettings, run_soak
from misc_lab.fleet.virtual_time import run_in_virtual_time
from misc_shared.settings.sizes import parse_size

_GROWTH_MB = 3.0
_OVER = 1.05
_GROWTH_BLOCKS = 0.01
_MOST_OVER_FEWEST = 1.2


def main() -> int:
    """Run it, write what was measured, and say whether anything grew."""
    options = _options()
    settings = SoakSettings(
        hours=options.hours,
        streams=options.streams,
        decode_one_in=options.decode_one_in,
        first_hour=min(2.0, options.hours / 4),
        sealed=options.key,
        every=options.every,
        visitor_every=6 * options.every,
        keep=None if options.keep is None else parse_size("--keep", options.keep),
        width=options.size[0],
        height=options.size[1],
    )
    if options.trace:
        tracemalloc.start(6)
    before: list[tracemalloc.Snapshot] = []

    def tell(measured: dict[str, Any]) -> None:
        row = measured["hours"][-1]
        line = f"{row['hour']:g} h after {measured['seconds_taken']:.0f} s: {row['rss_mb']} MB"
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress
        if options.trace:
            before.append(tracemalloc.take_snapshot())
        _write(options, measured)

    measured = run_in_virtual_time(run_soak(settings, tell=tell))
    if options.trace:
        for one in before[-1].compare_to(before[1 if len(before) > 2 else 0], "lineno")[:25]:  # noqa: PLR2004
            print(one, file=sys.stderr)  # noqa: T201 - what was asked for
    print(json.dumps(measured["growth"], indent=1))  # noqa: T201 - a program's result
    if "folder" in measured:
        print(json.dumps(measured["folder"], indent=1))  # noqa: T201 - likewise
    kept = _steady(measured) if settings.keep is None else _within(measured, settings.keep)
    return 0 if kept else 1


def _within(measured: dict[str, Any], keep: int) -> bool:
    return bool(measured["folder"]["most_mib"] * (1 << 20) <= _OVER * keep)


def _write(options: argparse.Namespace, measured: dict[str, Any]) -> None:
    """Write what was measured so far, so that a run that is cut off has said something."""
    if options.out is not None:
        command = {"command": "python scripts/soak.py " + " ".join(sys.argv[1:])}
        options.out.write_text(json.dumps(command | measured, indent=1) + "\n")


def _steady(result: dict[str, Any]) -> bool:
    growth = result["growth"]
    ours = [name for name in growth["objects"] if name.startswith("misc_")]
    return (
        growth["rss_mb"] <= _GROWTH_MB
        and growth["blocks"] <= _GROWTH_BLOCKS * result["hours"][-1]["blocks"]
        and not ours
        and result["most_whole_frames"] <= _MOST_OVER_FEWEST * result["fewest_whole_frames"]
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument(
        "--every", type=float, default=5.0, help="seconds between two pictures of a camera"
    )
    parser.add_argument("--keep", metavar="SIZE", help="keep pictures within so many bytes")
    parser.add_argument("--size", type=int, nargs=2, default=(64, 48), metavar=("W", "H"))
    parser.add_argument(
        "--decode-one-in", type=int, default=1, help="decode one of so many pictures"
    )
    parser.add_argument("--key", action="store_true", help="seal all streams")
    parser.add_argument("--trace", action="store_true", help="name lines that hold memory; slow")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
