"""Real parts for the integration tests: a mosquitto broker of one's own."""

import getpass
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Debian puts it where an ordinary user's PATH does not look.
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


class Broker:
    """A mosquitto process on a free port, which can be stopped and started again."""

    def __init__(self, folder: Path, *, settings: str = "allow_anonymous true") -> None:
        self.port = free_port()
        self.folder = folder
        self._log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        # Started as root, it would become another user that cannot read the test's folder.
        self._config.write_text(
            f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\n{settings}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        assert MOSQUITTO is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        pytest.fail(f"mosquitto did not start: {self._log.read_text()}")

    def reload(self) -> None:
        """Let it read its files again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Kill it, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Give a running mosquitto that lets everybody in."""
    yield from running_broker(tmp_path, settings="allow_anonymous true")


@pytest.fixture
def guarded_broker(tmp_path: Path) -> Iterator[Broker]:
    """Give a running mosquitto that knows one user, camera, with the password "s3:cret/"."""
    passwords = tmp_path / "passwords"
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed (Debian: apt-get install mosquitto)")
    subprocess.run([tool, "-b", "-c", str(passwords), "camera", "s3:cret/"], check=True)
    yield from running_broker(
        tmp_path, settings=f"allow_anonymous false\npassword_file {passwords}"
    )


@pytest.fixture
def tls_broker(tmp_path: Path) -> Iterator[Broker]:
    """Give a running mosquitto that speaks TLS with a certificate of its own, in ca.pem."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed (Debian: apt-get install openssl)")
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", str(certificate), "-keyout", str(key)],
        check=True, capture_output=True,
    )  # fmt: skip
    yield from running_broker(
        tmp_path, settings=f"certfile {certificate}\nkeyfile {key}\nallow_anonymous true"
    )


def running_broker(folder: Path, *, settings: str) -> Iterator[Broker]:
    """Start a broker and stop it afterwards."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
    one = Broker(folder, settings=settings)
    try:
        one.start()
        yield one
    finally:
        one.stop()


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
