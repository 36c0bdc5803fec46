"""The parts that get broken: a network in namespaces, a broker, and programs that report."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from misc_shared.errors import ConfigError

__all__ = ["Broker", "Event", "Hub", "Network", "Program", "WebRtcHub"]

_PATH = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
# Of this process alone, so that several may run at a time.
_CAMERA, _AIR, _HUB = (f"misc{os.getpid()}-{name}" for name in ("camera", "air", "hub"))
_HUB_ADDRESS = "10.99.0.2"
_PORT = 18830

# Runs in each program before anything else: its wall clock follows a file, as if somebody set it.
_CLOCK = """
import os, time
_path, _real = os.environ["MISC_SURVIVAL_CLOCK"], time.time
def _shifted():
    try:
        with open(_path) as file:
            return _real() + float(file.read())
    except (OSError, ValueError):
        return _real()
time.time = _shifted
"""


def _tool(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise ConfigError(f"{name} is not installed (Debian: apt-get install iproute2 mosquitto)")
    return found


def _run(*arguments: str) -> None:
    subprocess.run([_tool(arguments[0]), *arguments[1:]], check=True, capture_output=True)


class Network:
    """A camera and a hub with a bridge between them that can be cut in silence.

    Packets are small (576 bytes, what every IPv4 host takes) so that the rate limiter's burst is.
    """

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise ConfigError("network namespaces need root: run this as root")
        self._remove()
        for name in (_CAMERA, _AIR, _HUB):
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        _run("ip", "-n", _AIR, "link", "add", "bridge", "type", "bridge")
        _run("ip", "-n", _AIR, "link", "set", "bridge", "up")
        for name, host in ((_CAMERA, "10.99.0.1"), (_HUB, _HUB_ADDRESS)):
            port = name.partition("-")[2]
            _run("ip", "link", "add", "eth0", "netns", name, "type", "veth",
                 "peer", "name", port, "netns", _AIR)  # fmt: skip
            for where, link in ((name, "eth0"), (_AIR, port)):
                _run("ip", "-n", where, "link", "set", link, "mtu", "576", "up")
            _run("ip", "-n", name, "addr", "add", f"{host}/24", "dev", "eth0")
            _run("ip", "-n", _AIR, "link", "set", port, "master", "bridge")
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def cut(self) -> None:
        """Swallow every packet; both ends see their cable plugged in."""
        _run("ip", "-n", _AIR, "link", "set", "camera", "nomaster")

    def mend(self) -> None:
        """Let packets pass again."""
        _run("ip", "-n", _AIR, "link", "set", "camera", "master", "bridge")

    def limit(self, kbps: float) -> None:
        """Bound the rate in both directions; the queue before it holds 10 kB at most."""
        for where, link in ((_CAMERA, "eth0"), (_AIR, "camera")):
            _run("tc", "-n", where, "qdisc", "replace", "dev", link, "root", "tbf",
                 "rate", f"{kbps}kbit", "burst", "600", "limit", "10000")  # fmt: skip

    @staticmethod
    def inside(host: str, command: list[str]) -> list[str]:
        """The command, to be run at "camera" or "hub"."""
        name = _CAMERA if host == "camera" else _HUB
        return [_tool("ip"), "netns", "exec", name, *command]

    def _remove(self) -> None:
        for name in (_CAMERA, _AIR, _HUB):
            subprocess.run([_tool("ip"), "netns", "del", name], check=False, capture_output=True)


class Hub(Protocol):
    """What stands between camera and receiver.

    Attributes:
        url: where the camera sends to.
        listen: where the receiver listens.
        options: what both are told besides.
    """

    url: str
    listen: str
    options: tuple[str, ...]

    def start(self) -> None:
        """Begin to carry."""
        ...

    def kill(self) -> None:
        """Carry nothing any more."""
        ...


class WebRtcHub:
    """No hub at all: the camera calls the receiver."""

    url = f"webrtc+http://{_HUB_ADDRESS}:{_PORT}/whip/camera"
    listen = url

    def __init__(self, folder: Path) -> None:
        token = folder / "token"
        token.write_text("survival-token-of-32-characters-0")
        token.chmod(0o600)
        self.options: tuple[str, ...] = ("--webrtc-token-file", str(token))

    def start(self) -> None:
        """Do nothing: the receiver is what carries."""

    def kill(self) -> None:
        """Do nothing."""


class Broker:
    """A mosquitto at the hub."""

    url = f"mqtt://{_HUB_ADDRESS}:{_PORT}/misc/camera"
    listen = url
    options: tuple[str, ...] = ()
    archive_url = f"mqtt://{_HUB_ADDRESS}:{_PORT}/misc/archive/camera"

    def __init__(self, folder: Path) -> None:
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"user root\nlistener {_PORT}\nallow_anonymous true\nmax_inflight_messages 20\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it listens within a moment."""
        command = Network.inside("hub", [_tool("mosquitto"), "-c", str(self._config)])
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(0.5)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass(frozen=True, slots=True)
class Event:
    """A line that a program reported.

    Attributes:
        at: Unix seconds at which it was read.
        what: its fields.
    """

    at: float
    what: dict[str, Any]

    @property
    def captured_at(self) -> float | None:
        """Unix seconds of the capture that it is about."""
        age = self.what.get("since_capture")
        return None if age is None else self.at - float(age)


class Program:
    """A program that reports in JSON lines, in a process of its own.

    Args:
        module: its command-line module.
        arguments: what it is told.
        host: where it runs, "camera" or "hub".
        folder: for its clock and its messages.
    """

    def __init__(self, module: str, *arguments: str, host: str, folder: Path) -> None:
        hooks = folder / "hooks"
        hooks.mkdir(exist_ok=True)
        (hooks / "sitecustomize.py").write_text(_CLOCK)
        self._clock = folder / f"clock-{host}"
        start = f"import sys; sys.argv[0] = {module!r}; from {module} import app; app()"
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(hooks), os.environ.get("PYTHONPATH", "")]),
            "MISC_SURVIVAL_CLOCK": str(self._clock),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self.events: list[Event] = []
        self._messages = (folder / f"{host}.log").open("ab")
        self._process = subprocess.Popen(
            Network.inside(host, [sys.executable, "-c", start, *arguments]),
            stdout=subprocess.PIPE,
            stderr=self._messages,
            text=True,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def shift_clock(self, seconds: float) -> None:
        """Set its wall clock (and that of every other program at this host)."""
        self._clock.write_text(str(seconds))

    def wait_for(self, *names: str, timeout: float = 120.0, since: float = 0.0) -> Event:
        """The first report of one of these kinds after a moment.

        Raises:
            TimeoutError: there is none in time.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for event in list(self.events):
                if event.at >= since and event.what["event"] in names:
                    return event
            if self._process.poll() is not None:
                break
            time.sleep(0.2)
        raise TimeoutError(f"no report of {' or '.join(names)} within {timeout} s")

    def memory(self) -> float:
        """MB that it takes."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def kill(self) -> None:
        """End it without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Press Ctrl-C."""
        self._end(signal.SIGINT)

    def _end(self, number: int) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(timeout=5)
        self._messages.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - opened as a pipe
        for line in self._process.stdout:
            self.events.append(Event(time.time(), json.loads(line)))
