# ruff: noqa: INP001 - a program, not a package
"""64 hostile names with the largest pictures beside 200 cameras: who is starved, in what memory?

    python scripts/giants.py --seconds 40 --out docs/results/giants.json
    python scripts/giants.py --cameras 20 --no-folder --seconds 45

The first takes all of a processor for the cameras; the second has time for giants.

Real sessions and a real ReceivePipeline with page and folder over links in memory, in virtual time
that passes by what the decoding thread computes. Exit code 1 if a camera was not shown, or the
whole process, cameras included, ever took more than 1.5 GB.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from misc_lab.fleet.giants import GiantsSettings, run_giants
from misc_lab.fleet.virtual_time import run_in_virtual_time

_MEMORY_MB = 1500.0


def main() -> int:
    """Run it, write what was measured, and say whether the bars are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of virtual time")
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--giants", type=int, default=64)
    parser.add_argument("--no-folder", action="store_true", help="with the page alone")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    settings = GiantsSettings(
        seconds=options.seconds,
        cameras=options.cameras,
        giants=options.giants,
        folder=not options.no_folder,
    )
    measured = run_in_virtual_time(run_giants(settings), computing=True)
    command = {"command": "python scripts/giants.py " + " ".join(sys.argv[1:])}
    text = json.dumps(command | measured, indent=1) + "\n"
    if options.out is not None:
        options.out.write_text(text)
    print(text)  # noqa: T201 - a program's result
    return 0 if measured["fewest"] > 0 and measured["peak_memory_mb"] <= _MEMORY_MB else 1


if __name__ == "__main__":
    sys.exit(main())
