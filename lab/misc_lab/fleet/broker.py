"""A mosquitto of one's own for as long as a measurement takes."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from misc_shared.errors import ConfigError

__all__ = ["running_broker"]

_QUEUE = 5000


@contextmanager
def running_broker() -> Iterator[int]:
    """Run one that lets everybody in; gives its TCP port on this machine.

    Raises:
        ConfigError: mosquitto is not installed.
    """
    # Debian puts it where an ordinary user's PATH does not look.
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise ConfigError("mosquitto is not installed; run: apt-get install mosquitto")
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
            f"max_queued_messages {_QUEUE}\nmax_connections -1\n"
        )
        process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1.0)
            yield port
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
