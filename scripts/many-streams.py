# ruff: noqa: INP001 - a program, not a package
"""Fifty cameras, one of them flooding garbage, on a real mosquitto and one `misc-recv`.

    python scripts/many-streams.py --seconds 600 --out docs/results/many-streams.json
    python scripts/many-streams.py --streams 200 --giants 64 --flood 0 --everything --seconds 300

The second has 64 hostile names beside them, each with a picture of 4096x4096 pixels a second: their
pictures fill memory bit by bit, so that bar is left out. It needs four free cores.

Needs mosquitto and the project's environment. Exit code 1 if a bar is missed: nobody starved
(most over fewest pictures at most 1.2), memory below 1.5 GB and flat.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from misc_lab.fleet.broker import running_broker
from misc_lab.fleet.run import FleetSettings, run_fleet

_MOST_OVER_FEWEST = 1.2
_MEMORY_MB = 1500.0
_GROWTH_MB = 20.0


def main() -> int:
    """Run it, write what was measured, and say whether the bars are kept."""
    options = _options()
    with running_broker() as port:
        settings = FleetSettings(
            port=port,
            streams=options.streams,
            every=options.every,
            seconds=options.seconds,
            flood=options.flood,
            giants=options.giants,
            everything=options.everything,
        )
        measured = asyncio.run(run_fleet(settings))
    result = {
        "command": "python scripts/many-streams.py " + " ".join(sys.argv[1:]),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "streams": options.streams,
        "giants": options.giants,
        "pictures_per_second_each": round(1 / options.every, 3),
        "seconds": options.seconds,
        "picture": [settings.width, settings.height],
        **measured,
    }
    text = json.dumps(result, indent=1) + "\n"
    if options.out is not None:
        options.out.write_text(text)
    print(text)  # noqa: T201 - a program's result
    kept = (
        result["most_over_fewest"] <= _MOST_OVER_FEWEST
        and result["peak_memory_mb"] <= _MEMORY_MB
        and (options.giants > 0 or result["memory_growth_mb"] <= _GROWTH_MB)
    )
    return 0 if kept else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two pictures")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--flood", type=float, default=200.0, help="garbage datagrams a second")
    parser.add_argument("--giants", type=int, default=0, help="hostile names with huge pictures")
    parser.add_argument("--everything", action="store_true", help="with the page and a folder")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
