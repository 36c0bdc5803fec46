# ruff: noqa: INP001 - a program, not a package
"""The disk of a receiver is filled, made read-only and taken away while five streams run.

    sudo python scripts/disks.py --out docs/results/disks.json

Needs root for a tmpfs, mosquitto, and the project's environment. Exit code 1 if a bar is missed: no
stream ends, no traceback, one sentence for each fault, `/healthz` says degraded, and pictures are
written again once the fault is mended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from misc_lab.fleet.broker import running_broker
from misc_lab.fleet.disks import FAULTS, DiskSettings, run_disk_faults, small_disk


def main() -> int:
    """Run it, write what was measured, and say whether the bars are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lasting", type=float, default=10.0, help="seconds of each fault")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="all unless given")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        small_disk(Path(folder)) as disk,
        running_broker() as port,
    ):
        settings = DiskSettings(
            port=port,
            disk=disk,
            lasting=options.lasting,
            faults=tuple(options.fault or FAULTS),
        )
        measured = asyncio.run(run_disk_faults(settings))
    text = json.dumps({"command": "python scripts/disks.py", **measured}, indent=1) + "\n"
    if options.out is not None:
        options.out.write_text(text)
    print(text)  # noqa: T201 - a program's result
    return 0 if _kept(measured) else 1


def _kept(measured: dict[str, Any]) -> bool:
    return not measured["traceback"] and all(
        row["degraded"]
        and row["sentences"] == 1
        and row["fewest_pictures_meanwhile"] > 0
        and row["written_again"]
        and row["healthy_again"]
        for row in measured["faults"]
    )


if __name__ == "__main__":
    sys.exit(main())
