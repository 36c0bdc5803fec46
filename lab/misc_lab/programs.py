"""`misc-send`, `misc-recv` and the like as processes, for programs that measure them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["Program", "command"]

_MODULES = {"misc-send": "misc_sender.cli", "misc-recv": "misc_receiver.cli"}
_LOOK_EVERY = 0.2


def command(program: str, *arguments: object) -> list[str]:
    """Give the command line of a program by this interpreter, whatever is on the PATH.

    Args:
        program: "misc-send" or "misc-recv", or a module to be run, as for `python -m`.
        arguments: its own.
    """
    module = _MODULES.get(program)
    if module is None:
        start = ["-m", program]
    else:
        start = ["-c", f"import sys; sys.argv[0] = {program!r}; from {module} import app; app()"]
    return [sys.executable, *start, *map(str, arguments)]


class Program:
    """A program in a process of its own, which writes one JSON object a line.

    Args:
        log: file for its lines; what it says on standard error goes there too.
        program: see `command`.
        arguments: its own.

    Attributes:
        log: see above.
        process: the process.
    """

    def __init__(self, log: Path, program: str, *arguments: object) -> None:
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command(program, *arguments), stdout=file, stderr=subprocess.STDOUT
            )

    def reports(self, event: str) -> list[dict[str, Any]]:
        """Give all its reports of a kind so far."""
        key = f'"event":"{event}"'
        return [
            json.loads(line)
            for line in self.log.read_text(errors="replace").splitlines()
            if key in line and line.startswith("{") and line.endswith("}")
        ]

    def wait_for(self, event: str, *, seconds: float = 90.0) -> dict[str, Any]:
        """Give its first report of a kind.

        Raises:
            TimeoutError: it does not come in time, or the program ended without it.
        """
        deadline = time.monotonic() + seconds
        ended = False
        while time.monotonic() < deadline and not ended:
            ended = self.process.poll() is not None  # before the look, which then sees all lines
            found = self.reports(event)
            if found:
                return found[0]
            time.sleep(_LOOK_EVERY)
        raise TimeoutError(f"no {event!r} in: {self.log.read_text(errors='replace')[-4000:]}")

    def stop(self) -> None:
        """End it in any case."""
        self.process.kill()
        self.process.wait()
