"""Real programs that start within a tenth of a second, so that they can die a thousand times.

Each is a fork of this process, in which everything is imported and nothing runs yet.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
import traceback
from pathlib import Path

__all__ = ["ForkedProgram", "preload"]

_MODULES = {"misc-send": "misc_sender.cli", "misc-recv": "misc_receiver.cli"}
_HEAVY = (
    "misc_sender.commands",
    "misc_receiver.commands",
    "misc_shared.transports.mqtt",
    "misc_shared.transports.mqtt_listener",
    "misc_shared.transports.sealed",
    "onnxruntime",
)


def preload() -> None:
    """Import what the programs need; call it before the first of them, and before any thread."""
    for name in (*_MODULES.values(), *_HEAVY):
        importlib.import_module(name)


class ForkedProgram:
    """A program in a process of its own.

    Args:
        program: "misc-send" or "misc-recv".
        arguments: its own.
        log: file to which its lines are added; what it says on standard error goes to LOG.err.

    Attributes:
        pid: of the process.
        started_at: `time.monotonic`.
    """

    def __init__(self, program: str, *arguments: object, log: Path) -> None:
        self.started_at = time.monotonic()
        self._ended = False
        self.pid = os.fork()
        if self.pid == 0:
            _become(program, [str(argument) for argument in arguments], log)

    @property
    def running(self) -> bool:
        """Whether it has not ended by itself."""
        if not self._ended:
            self._ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
        return not self._ended

    def kill(self) -> None:
        """End it as a power cut would, without a word."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self._ended = True


def _become(program: str, arguments: list[str], log: Path) -> None:
    """Be the program, and end with it; never returns."""
    code = 70
    try:
        lines = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        errors = os.open(f"{log}.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(lines, 1)
        os.dup2(errors, 2)
        sys.argv = [program, *arguments]
        importlib.import_module(_MODULES[program]).app()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    except BaseException:  # noqa: BLE001 - the child must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
