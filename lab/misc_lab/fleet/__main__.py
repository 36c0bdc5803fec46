"""Cameras with pictures encoded beforehand, in one process, until they are stopped.

python -m misc_lab.fleet --port 1883 --streams 20 --every 1
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from misc_lab.fleet.run import FleetSettings, open_cameras


async def _run(settings: FleetSettings) -> None:
    cameras = await open_cameras(settings)
    line = json.dumps({"event": "sending", "streams": list(cameras)}, separators=(",", ":"))
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    async with asyncio.TaskGroup() as tasks:
        for camera in cameras.values():
            tasks.create_task(camera.run())


def main() -> None:
    """Send to a broker on this machine."""
    parser = argparse.ArgumentParser(prog="python -m misc_lab.fleet", description=__doc__)
    parser.add_argument("--port", type=int, default=1883, help="of the broker on this machine")
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two pictures")
    parser.add_argument("--size", type=int, nargs=2, default=(128, 96), metavar=("W", "H"))
    options = parser.parse_args()
    width, height = options.size
    settings = FleetSettings(
        port=options.port,
        streams=options.streams,
        every=options.every,
        width=width,
        height=height,
    )
    asyncio.run(_run(settings))


if __name__ == "__main__":
    main()
